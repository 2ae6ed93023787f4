// Problem: find the few keys that carry much of the traffic among millions, for every operation, in a fixed amount of
// memory and for a fraction of what counting them in a Map costs; by their rate now and not since the start.
// Scheme: a set-associative table. A key's hash picks a line of 64 bytes with 8 entries, each a 32-bit fingerprint and a
// float32 count. A key that has an entry adds to it. A newcomer takes the place of the line's smallest entry with
// probability weight / (smallest + weight) and then inherits its count, which keeps the estimate of a key unbiased and
// keeps one-hit keys out: the smallest entries settle near the square root of what the tail brings. What a key inherited is
// its error, kept beside the line, since only an admission writes it. Counts decay by time, forwards (forward-decay.ts), so
// that adding reads no clock. A key whose count passes the level that makes it worth listing has its string remembered
// (slot-names.ts); ranking happens only when somebody asks.
// Invariants: count - error never exceeds the key's true decayed count (keys that share all 32 bits of the hash count as
// one, 1 in 4·10^9 pairs). Adding allocates nothing, touches one line and, for a key above the level, two bytes more.
// When more keys pass the level than can be remembered, the hottest stay. The hash is seeded, so nobody can aim at a line.
// Cost: 14 bytes an entry; 70-85 ns an add of a 22-character key on a 2.7 GHz Xeon, 40 of them the hash: a fifth of an
// unbounded Map for a million keys and Zipf 1.0 (benchmarks/results/detector.json).
// Sources: Ben Basat et al., "Randomized Admission Policy for Efficient Top-k and Frequency Estimation", INFOCOM 2017;
// Cormode et al., "Forward Decay", ICDE 2009. Measured on the same streams and left: HeavyKeeper (twice the time; nearer to
// the truth in the first half-life after a change, but its 16-bit fingerprints called cold keys hot), Count-Min with
// conservative update (as accurate, 1.5 times the time, and needs a heap for the names), Space-Saving with a heap (twice
// the time, settles after 100,000 operations and more), Space-Saving with a stream summary (needs whole numbers, so it
// cannot decay: recall 0.55), sampling 1 in 8 (a third of the time, 4-8 % error).

import { randomUint32, type Random } from '../chance/random.js'
import { hashKey } from '../internal/hash-key.js'
import { ForwardDecay } from './forward-decay.js'
import { SlotNames } from './slot-names.js'

const entriesPerLine = 8
/** 8 fingerprints, then 8 counts: 64 bytes, one cache line of every CPU that Node runs on but Apple's, which has 128. */
const wordsPerLine = 2 * entriesPerLine
/** The line itself, an error (float32) for each entry and the number of its name (uint16). */
const bytesPerLine = 4 * wordsPerLine + entriesPerLine * (4 + 2)
/** The upper 16 bits of the hash choose the line, so more could not be reached. 7 MB. */
const linesMax = 65_536

/** The part of the memory that remembers keys: in 26 KB, 80 keys of 22 characters. */
const namesShare = 1 / 4
/** How many of the names are given up, coolest first, when hotter keys found no room. */
const yieldShare = 1 / 4
/** By how much a raised level comes down a tick once everybody finds room. */
const relaxation = 0.9

/** What a {@link HeatTable} is built with. */
export interface HeatTableOptions {
  /** Bound of all that the table keeps, remembered keys at two bytes a character included. @default 65,536 */
  readonly bytesMax?: number
  /** After this time without traffic a rate has halved. @default 250 */
  readonly halfLifeMs?: number
  /** How often {@link HeatTable.tick} will be called. @default 50 */
  readonly tickMs?: number
  /** Keys from this rate on, a second, are remembered by name as far as there is room, hottest first. @default 100 */
  readonly listedPerSecond?: number
}

/** A rate and how far above the truth it may be, both a second. */
export interface RateEstimate {
  /** The estimate. Unbiased. */
  readonly perSecond: number
  /** `perSecond - errorPerSecond` is never above the true decayed rate. 0 for a key that has had an entry for long. */
  readonly errorPerSecond: number
}

/** A remembered key with its rate. */
export interface KeyRate extends RateEstimate {
  /** The key. */
  readonly key: string
}

const unknown: RateEstimate = Object.freeze({ perSecond: 0, errorPerSecond: 0 })

/** Bounded, decaying heavy hitters: the rates of the hottest keys, in constant memory and constant time an operation. */
export class HeatTable {
  readonly #decay: ForwardDecay
  readonly #seed: number
  readonly #lineCount: number
  readonly #words: Int32Array
  readonly #counts: Float32Array
  readonly #errors: Float32Array
  readonly #names: SlotNames
  readonly #listedPerSecond: number
  /** At least `listedPerSecond`; higher while more keys pass it than can be remembered. */
  #levelPerSecond: number
  #level: number
  #gain: number
  /** The hottest key that found no room among the names since the last tick, and where it stood. */
  #refusedKey: string | undefined
  #refusedSlot = 0
  #refusedFingerprint = 0
  /** State of a xorshift32 generator: an admission needs a random number, and a call through an interface costs as much as the rest. */
  #chance: number

  /** An empty table at `nowMs`. `random` seeds the hash and the admissions. */
  constructor(options: HeatTableOptions, random: Random, nowMs: number) {
    const bytesMax = options.bytesMax ?? 65_536
    const nameBytes = bytesMax * namesShare
    this.#lineCount = Math.min(Math.max(Math.floor((bytesMax - nameBytes) / bytesPerLine), 1), linesMax)
    const buffer = new ArrayBuffer(4 * wordsPerLine * this.#lineCount)
    this.#words = new Int32Array(buffer)
    this.#counts = new Float32Array(buffer)
    this.#errors = new Float32Array(entriesPerLine * this.#lineCount)
    this.#names = new SlotNames(this.#errors.length, nameBytes)
    this.#decay = new ForwardDecay(options.halfLifeMs ?? 250, options.tickMs ?? 50, nowMs)
    this.#seed = randomUint32(random)
    this.#chance = randomUint32(random) | 1
    this.#listedPerSecond = options.listedPerSecond ?? 100
    this.#levelPerSecond = this.#listedPerSecond
    this.#level = this.#decay.countAt(this.#levelPerSecond)
    this.#gain = this.#decay.gain
  }

  /** Counts `weight` for the key. A weight that is not a positive finite number is not counted. Allocates nothing. */
  add(key: string, weight: number): void {
    if (!(weight > 0 && weight < Infinity)) return
    const fingerprint = hashKey(key, this.#seed) | 0
    const words = this.#words
    const start = this.#lineOf(fingerprint) * wordsPerLine
    for (let at = start; at < start + entriesPerLine; at++) {
      if (words[at] === fingerprint) {
        const count = (this.#counts[at + entriesPerLine] as number) + weight * this.#gain
        this.#counts[at + entriesPerLine] = count
        if (count >= this.#level) this.#remember(start / 2 + at - start, key, fingerprint)
        return
      }
    }
    this.#admit(key, fingerprint, start, weight)
  }

  /** Moves on to `nowMs`: what was counted before loses weight, and the names go to the hottest keys. */
  tick(nowMs: number): void {
    const factor = this.#decay.tick(nowMs)
    if (factor !== 1) this.#rescale(factor)
    this.#gain = this.#decay.gain
    this.#settleNames()
    this.#level = this.#decay.countAt(this.#levelPerSecond)
  }

  /** The key's rate as of the last tick, a second; 0 for a key that has no entry. */
  rate(key: string): number {
    return this.estimate(key).perSecond
  }

  /** The key's rate as of the last tick with its error; zeros for a key that has no entry. */
  estimate(key: string): RateEstimate {
    const fingerprint = hashKey(key, this.#seed) | 0
    const line = this.#lineOf(fingerprint)
    for (let entry = 0; entry < entriesPerLine; entry++) {
      if (this.#words[line * wordsPerLine + entry] === fingerprint)
        return this.#estimateAt(line * entriesPerLine + entry)
    }
    return unknown
  }

  /** The `n` hottest keys among those remembered, hottest first. */
  top(n: number): KeyRate[] {
    const rates: KeyRate[] = []
    for (const slot of this.#names.slots()) {
      const key = this.#names.keyOf(slot)
      if (key !== undefined) rates.push({ key, ...this.#estimateAt(slot) })
    }
    return rates.toSorted((a, b) => b.perSecond - a.perSecond).slice(0, n)
  }

  /** The upper 16 bits, scaled to the number of lines; so that number need not be a power of two. */
  #lineOf(fingerprint: number): number {
    return Math.imul(fingerprint >>> 16, this.#lineCount) >>> 16
  }

  #admit(key: string, fingerprint: number, start: number, weight: number): void {
    const amount = weight * this.#gain
    let smallest = start + entriesPerLine
    for (let at = smallest + 1; at < start + wordsPerLine; at++) {
      if ((this.#counts[at] as number) < (this.#counts[smallest] as number)) smallest = at
    }
    const inherited = this.#counts[smallest] as number
    let chance = this.#chance
    chance ^= chance << 13
    chance ^= chance >>> 17
    chance ^= chance << 5
    this.#chance = chance
    if ((chance >>> 0) * (inherited + amount) >= amount * 4_294_967_296) return
    const slot = start / 2 + smallest - start - entriesPerLine
    this.#names.take(slot)
    this.#words[smallest - entriesPerLine] = fingerprint
    this.#counts[smallest] = inherited + amount
    this.#errors[slot] = inherited
    if (inherited + amount >= this.#level) this.#remember(slot, key, fingerprint)
  }

  #remember(slot: number, key: string, fingerprint: number): void {
    if (this.#names.has(slot) || this.#names.give(slot, key)) return
    if (this.#refusedKey !== undefined && this.#countAt(this.#refusedSlot) >= this.#countAt(slot)) return
    this.#refusedKey = key
    this.#refusedSlot = slot
    this.#refusedFingerprint = fingerprint
  }

  #settleNames(): void {
    const unlisted = this.#decay.countAt(this.#listedPerSecond / 2)
    const named: number[] = []
    for (const slot of this.#names.slots()) {
      if (this.#countAt(slot) < unlisted) this.#names.take(slot)
      else named.push(slot)
    }
    const refused = this.#refusedKey
    this.#refusedKey = undefined
    if (refused === undefined) {
      this.#levelPerSecond = Math.max(this.#levelPerSecond * relaxation, this.#listedPerSecond)
      return
    }
    this.#makeRoom(
      named.toSorted((a, b) => this.#countAt(a) - this.#countAt(b)),
      refused,
    )
  }

  /** Gives up the coolest quarter of the names, and as many more as the hottest key without a name needs and is hotter than. */
  #makeRoom(coolestFirst: readonly number[], refused: string): void {
    const refusedSlot = this.#refusedSlot
    const isThere = this.#words[slotWord(refusedSlot)] === this.#refusedFingerprint
    let isSettled = !isThere || this.#names.has(refusedSlot)
    const yielding = Math.ceil(coolestFirst.length * yieldShare)
    for (const [position, slot] of coolestFirst.entries()) {
      if (position >= yielding && (isSettled || this.#countAt(slot) >= this.#countAt(refusedSlot))) break
      this.#names.take(slot)
      this.#levelPerSecond = Math.max(this.#decay.perSecond(this.#countAt(slot)), this.#listedPerSecond)
      isSettled ||= this.#names.give(refusedSlot, refused)
    }
  }

  #rescale(factor: number): void {
    for (let slot = 0; slot < this.#errors.length; slot++) {
      this.#counts[slotWord(slot) + entriesPerLine] = this.#countAt(slot) * factor
      this.#errors[slot] = (this.#errors[slot] as number) * factor
    }
  }

  #countAt(slot: number): number {
    return this.#counts[slotWord(slot) + entriesPerLine] as number
  }

  #estimateAt(slot: number): RateEstimate {
    return {
      perSecond: this.#decay.perSecond(this.#countAt(slot)),
      errorPerSecond: this.#decay.perSecond(this.#errors[slot] as number),
    }
  }
}

/** Where a slot's fingerprint stands; its count is 8 words on. */
function slotWord(slot: number): number {
  return slot + (slot & ~(entriesPerLine - 1))
}

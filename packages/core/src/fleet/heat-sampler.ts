// Problem: a key that is warm in every process and hot in all of them together must be noticed by each of them, in bounded
//   memory and at no cost for a write, although none knows how many processes there are.
// Scheme: capacity units are drawn at random: the gap from one drawn unit to the next is exponential with a mean of
//   `interval`, so each drawn unit stands for `interval` units, and estimates of many processes add up. Where more keys are
//   drawn than there is room for, half of the draws are forgotten at random and the interval doubles.
// Invariants: the expected value of draws x interval is what was counted, for each key, also after any thinning; at most
//   `keysMax` keys and `bytesMax` bytes are held.
// Cost: a subtraction and a compare a write; a logarithm and a Map entry a draw, which is one write of some twenty or more.
// Source: Duffield, Lund and Thorup, «Learn more, sample less» (IEEE Trans. Information Theory, 2005); sFlow (RFC 3176);
//   the doubling is that of Gibbons and Matias' concise samples (SIGMOD 1998).

import { type Random, randomUint32 } from '../chance/random.js'
import { byteLength } from '../internal/byte-length.js'

/** What one entry of a report takes beside its key. */
export const entryBytes = 24

/** So many intervals in one write are counted without drawing. */
const drawnIntervalsMax = 32

/** A process that would report so many draws in any case draws more often: that costs it bytes, and no request. */
const drawsMin = 8

/** So much more often. */
const finenessMax = 4

/** What bounds a sampler. */
export interface SamplerOptions {
  /** A drawn unit stands for so many; a whole number. Less where a report is sent anyway, more where there is no room. */
  readonly interval: number
  /** How many keys are held. */
  readonly keysMax: number
  /** How many bytes their entries may take. */
  readonly bytesMax: number
}

/** What was drawn since the last time. */
export interface Draws {
  /** Each draw stands for so many capacity units. */
  readonly interval: number
  /** How many draws each key had. */
  readonly countByKey: ReadonlyMap<string, number>
}

/** Draws units of what a process writes. */
export class HeatSampler {
  readonly #random: Random
  readonly #options: SamplerOptions
  #interval: number
  #unitsToGo: number
  #counts = new Map<string, number>()
  #bytes = 0

  constructor(random: Random, options: SamplerOptions) {
    this.#random = random
    this.#options = options
    this.#interval = options.interval
    this.#unitsToGo = this.#gap()
  }

  /** Counts capacity units that a key's write consumed. Allocates nothing unless one of them is drawn. */
  count(key: string, units: number): void {
    this.#unitsToGo -= units
    if (this.#unitsToGo <= 0) this.#draw(key)
  }

  /** Hands over what was drawn, and begins anew; undefined when it was nothing. */
  take(): Draws | undefined {
    const countByKey = this.#counts
    const interval = this.#interval
    this.#retune(countByKey, interval)
    if (countByKey.size === 0) return undefined
    this.#counts = new Map()
    this.#bytes = 0
    return { interval, countByKey }
  }

  #draw(key: string): void {
    let count = 0
    if (this.#unitsToGo < -drawnIntervalsMax * this.#interval) {
      count = Math.floor(-this.#unitsToGo / this.#interval)
      this.#unitsToGo += count * this.#interval
    }
    for (; this.#unitsToGo <= 0; this.#unitsToGo += this.#gap()) count += 1
    const known = this.#counts.get(key)
    this.#counts.set(key, (known ?? 0) + count)
    if (known === undefined) this.#bytes += bytesOf(key)
    while (this.#counts.size > this.#options.keysMax || this.#bytes > this.#options.bytesMax) this.#thin()
  }

  /** With an interval of 1 every unit is drawn, exactly. */
  #gap(): number {
    return this.#interval === 1 ? 1 : -Math.log(1 - this.#random.next()) * this.#interval
  }

  /** The gaps have no memory, so one that is under way may be drawn anew. */
  #setInterval(interval: number): void {
    if (interval === this.#interval) return
    this.#interval = interval
    this.#unitsToGo = this.#gap()
  }

  #thin(): void {
    this.#setInterval(this.#interval * 2)
    for (const [key, count] of this.#counts) {
      const left = this.#halved(count)
      if (left > 0) this.#counts.set(key, left)
      else {
        this.#counts.delete(key)
        this.#bytes -= bytesOf(key)
      }
    }
  }

  /** How many of so many coins show heads. */
  #halved(count: number): number {
    let heads = 0
    for (let rest = count; rest > 0; rest -= 32) {
      let coins = randomUint32(this.#random)
      if (rest < 32) coins &= 2 ** rest - 1
      for (; coins !== 0; coins &= coins - 1) heads += 1
    }
    return heads
  }

  #retune(counts: ReadonlyMap<string, number>, interval: number): void {
    const { interval: base, keysMax, bytesMax } = this.#options
    if (counts.size * 2 > keysMax || this.#bytes * 2 > bytesMax) return
    let units = 0
    for (const count of counts.values()) units += count * interval
    const aim = units >= drawsMin * base ? Math.max(1, Math.round(base / finenessMax)) : base
    this.#setInterval(interval > base ? Math.max(aim, interval / 2) : aim)
  }
}

function bytesOf(key: string): number {
  return byteLength(key) + entryBytes
}

import type { Random } from '../../packages/core/src/chance/random.js'
import { ForwardDecay } from '../../packages/core/src/detection/forward-decay.js'
import { hashKey } from '../../packages/core/src/internal/hash-key.js'

const rowCount = 2
/** The paper's base: a foreign count of c loses one with probability 1.08^-c. */
const decayBase = 1.08
const listedMax = 128

/**
 * HeavyKeeper, for comparison: two rows of buckets with a 16-bit fingerprint and a count; a foreign key wears a bucket's
 * count down with a probability that falls exponentially with it. The top 128 are kept with their keys. Counts decay by time in the same way as in the
 * heat table, which the paper does not have; the rest is as in the paper.
 *
 * Source: Gong et al., "HeavyKeeper: An Accurate Algorithm for Finding Top-k Elephant Flows", USENIX ATC 2018.
 */
export class HeavyKeeper {
  /** Of the buckets; the 128 keys with their rates come on top. */
  readonly bytes: number
  readonly #width: number
  readonly #fingerprints: Uint16Array
  readonly #counts: Float32Array
  readonly #decay: ForwardDecay
  readonly #random: Random
  readonly #listed = new Map<string, number>()
  #listedMin = 0

  constructor(bytesMax: number, halfLifeMs: number, tickMs: number, random: Random) {
    this.#width = Math.floor(bytesMax / rowCount / 6)
    this.#fingerprints = new Uint16Array(rowCount * this.#width)
    this.#counts = new Float32Array(rowCount * this.#width)
    this.bytes = this.#fingerprints.byteLength + this.#counts.byteLength
    this.#decay = new ForwardDecay(halfLifeMs, tickMs, 0)
    this.#random = random
  }

  add(key: string, weight: number): void {
    const hash = hashKey(key, 1)
    const fingerprint = hash & 0xffff
    let estimate = 0
    for (let row = 0; row < rowCount; row++) {
      const at = this.#placeOf(hash, row)
      estimate = Math.max(estimate, this.#addAt(at, fingerprint, weight * this.#decay.gain))
    }
    if (estimate > this.#listedMin) this.#list(key, estimate)
  }

  tick(nowMs: number): void {
    const factor = this.#decay.tick(nowMs)
    if (factor === 1) return
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i] = (this.#counts[i] ?? 0) * factor
    for (const [key, count] of this.#listed) this.#listed.set(key, count * factor)
    this.#listedMin *= factor
  }

  top(n: number): { key: string; perSecond: number }[] {
    const rates = [...this.#listed.keys()].map((key) => ({ key, perSecond: this.#rate(key) }))
    return rates.toSorted((a, b) => b.perSecond - a.perSecond).slice(0, n)
  }

  #addAt(at: number, fingerprint: number, amount: number): number {
    const count = this.#counts[at] ?? 0
    if (count === 0 || this.#fingerprints[at] === fingerprint) {
      this.#fingerprints[at] = fingerprint
      this.#counts[at] = count + amount
      return count + amount
    }
    if (this.#random.next() >= decayBase ** -this.#decay.unitsNow(count)) return 0
    const left = count - amount
    if (left > 0) {
      this.#counts[at] = left
      return 0
    }
    this.#fingerprints[at] = fingerprint
    this.#counts[at] = amount
    return amount
  }

  #list(key: string, count: number): void {
    this.#listed.set(key, count)
    if (this.#listed.size <= listedMax) return
    let coolest = key
    let min = Infinity
    let nextMin = Infinity
    for (const [candidate, listed] of this.#listed) {
      if (listed < min) {
        nextMin = min
        min = listed
        coolest = candidate
      } else if (listed < nextMin) nextMin = listed
    }
    this.#listed.delete(coolest)
    this.#listedMin = nextMin
  }

  #rate(key: string): number {
    const hash = hashKey(key, 1)
    let count = 0
    for (let row = 0; row < rowCount; row++) {
      const at = this.#placeOf(hash, row)
      if (this.#fingerprints[at] === (hash & 0xffff)) count = Math.max(count, this.#counts[at] ?? 0)
    }
    return this.#decay.perSecond(count)
  }

  #placeOf(hash: number, row: number): number {
    const mixed = row === 0 ? hash : Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
    return row * this.#width + Math.floor((mixed * this.#width) / 4_294_967_296)
  }
}

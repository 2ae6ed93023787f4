import type { ThrottleReason } from './simulated-throttle.js'
import { TokenBucket } from './token-bucket.js'

/** Reads, or writes, of one partition: what it may do, and what it has done. */
export class CapacityLane {
  readonly #direction: 'Read' | 'Write'
  readonly #unitsPerSecond: number
  readonly #cap: TokenBucket
  readonly #share: TokenBucket | undefined
  #requests = 0
  #units = 0
  #throttledByCap = 0
  #throttledByShare = 0
  #second = 0
  #unitsThisSecond = 0
  #unitsLastSecond = 0

  /** `unitsPerSecond` is the partition's own cap; `share` is what the table pays from, if it was provisioned. */
  constructor(direction: 'Read' | 'Write', unitsPerSecond: number, share: TokenBucket | undefined, nowMs: number) {
    this.#direction = direction
    this.#unitsPerSecond = unitsPerSecond
    this.#cap = new TokenBucket(unitsPerSecond, unitsPerSecond, unitsPerSecond, nowMs)
    this.#share = share
  }

  /** Takes the units for a request, or says why not; then nothing is taken. The partition's cap is asked first. */
  admit(units: number, nowMs: number): ThrottleReason | undefined {
    this.#requests += 1
    if (!this.#cap.has(units, nowMs)) {
      this.#throttledByCap += 1
      return `Table${this.#direction}KeyRangeThroughputExceeded`
    }
    if (this.#share?.has(units, nowMs) === false) {
      this.#throttledByShare += 1
      return `Table${this.#direction}ProvisionedThroughputExceeded`
    }
    this.charge(units, nowMs)
    return undefined
  }

  /** Takes units that an admitted request turned out to need: an item's size shows only when it is reached. */
  charge(units: number, nowMs: number): void {
    this.#cap.take(units, nowMs)
    this.#share?.take(units, nowMs)
    this.#units += units
    this.#turn(nowMs)
    this.#unitsThisSecond += units
  }

  /** Items that were asked for, refused ones included. */
  get requests(): number {
    return this.#requests
  }

  /** Capacity units consumed. */
  get units(): number {
    return this.#units
  }

  /** How many requests were refused, by reason; only reasons that came up. */
  get throttled(): Partial<Record<ThrottleReason, number>> {
    const throttled: Partial<Record<ThrottleReason, number>> = {}
    if (this.#throttledByCap > 0) throttled[`Table${this.#direction}KeyRangeThroughputExceeded`] = this.#throttledByCap
    if (this.#throttledByShare > 0) {
      throttled[`Table${this.#direction}ProvisionedThroughputExceeded`] = this.#throttledByShare
    }
    return throttled
  }

  /** The part of its cap that was used over about the last second; over 1 while a saved-up second is being spent. */
  utilisation(nowMs: number): number {
    this.#turn(nowMs)
    const passed = nowMs / 1_000 - this.#second
    return (this.#unitsThisSecond + this.#unitsLastSecond * (1 - passed)) / this.#unitsPerSecond
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000)
    if (second === this.#second) return
    this.#unitsLastSecond = second === this.#second + 1 ? this.#unitsThisSecond : 0
    this.#unitsThisSecond = 0
    this.#second = second
  }
}

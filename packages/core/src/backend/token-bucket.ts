/** A bucket that fills at a steady rate up to a brim. Never gives more in any span of t seconds than rate × t + brim. */
export class TokenBucket {
  readonly #unitsPerMs: number
  readonly #unitsMax: number
  #units: number
  #filledAtMs: number

  /** Fills at `unitsPerSecond` up to `unitsMax`; holds `units` at `nowMs`. */
  constructor(unitsPerSecond: number, unitsMax: number, units: number, nowMs: number) {
    this.#unitsPerMs = unitsPerSecond / 1_000
    this.#unitsMax = unitsMax
    this.#units = Math.min(units, unitsMax)
    this.#filledAtMs = nowMs
  }

  /** Whether it holds so much. Changes nothing that another call could see. */
  has(units: number, nowMs: number): boolean {
    return this.unitsAt(nowMs) >= units
  }

  /** Takes so much out, also what is not there: the debt is paid from what flows in later. */
  take(units: number, nowMs: number): void {
    this.#units = this.unitsAt(nowMs) - units
  }

  /** How much it holds; below zero when it is in debt. */
  unitsAt(nowMs: number): number {
    if (nowMs > this.#filledAtMs) {
      this.#units = Math.min(this.#unitsMax, this.#units + (nowMs - this.#filledAtMs) * this.#unitsPerMs)
      this.#filledAtMs = nowMs
    }
    return this.#units
  }
}

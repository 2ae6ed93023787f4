/** The truth: the decayed rate of every id, each operation weighted by its own time. Unbounded. */
export class ExactRates {
  readonly #halfLifeMs: number
  readonly #counts: Float64Array
  readonly #times: Float64Array

  constructor(idCount: number, halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs
    this.#counts = new Float64Array(idCount)
    this.#times = new Float64Array(idCount)
  }

  add(id: number, nowMs: number): void {
    this.#counts[id] = this.#countAt(id, nowMs) + 1
    this.#times[id] = nowMs
  }

  perSecond(id: number, nowMs: number): number {
    return (this.#countAt(id, nowMs) * Math.LN2 * 1_000) / this.#halfLifeMs
  }

  /** The ids of the highest rates, highest first. */
  top(n: number, nowMs: number): number[] {
    let ids = [...this.#counts.keys()]
    for (let bound = 1; ids.length > 50 * n; bound *= 2) {
      const above = ids.filter((id) => this.perSecond(id, nowMs) >= bound)
      if (above.length < n) break
      ids = above
    }
    return ids.toSorted((a, b) => this.perSecond(b, nowMs) - this.perSecond(a, nowMs)).slice(0, n)
  }

  #countAt(id: number, nowMs: number): number {
    return (this.#counts[id] ?? 0) * 2 ** (((this.#times[id] ?? 0) - nowMs) / this.#halfLifeMs)
  }
}

import type { Random } from '../../packages/core/src/chance/random.js'

/**
 * Draws ranks 1..n, rank r with a probability proportional to r^-exponent. Memory and time do not depend on n.
 *
 * Rejection-inversion: the histogram of r^-s is enclosed by the curve x^-s shifted by a half, whose integral H can be inverted;
 * draw a point under the curve, round its abscissa to a rank, and accept it if it lies within that rank's bar. Hardly
 * more than one draw in ten is rejected.
 *
 * Source: Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM TOMACS 6(3), 1996.
 */
export class Zipf {
  readonly #n: number
  readonly #exponent: number
  readonly #random: Random
  readonly #upper: number
  readonly #lower: number
  readonly #squeeze: number

  constructor(n: number, exponent: number, random: Random) {
    this.#n = n
    this.#exponent = exponent
    this.#random = random
    this.#upper = this.#integral(1.5) - 1
    this.#lower = this.#integral(n + 0.5)
    this.#squeeze = 2 - this.#inverse(this.#integral(2.5) - 2 ** -exponent)
  }

  /** The next rank, 1 being the most frequent. */
  next(): number {
    for (;;) {
      const u = this.#lower + this.#random.next() * (this.#upper - this.#lower)
      const x = this.#inverse(u)
      const rank = Math.min(Math.max(Math.round(x), 1), this.#n)
      if (rank - x <= this.#squeeze || u >= this.#integral(rank + 0.5) - rank ** -this.#exponent) return rank
    }
  }

  /** The integral of x^-s, by way of a form that is exact at s = 1, too. */
  #integral(x: number): number {
    const logX = Math.log(x)
    return expm1Ratio((1 - this.#exponent) * logX) * logX
  }

  #inverse(u: number): number {
    const t = Math.max(u * (1 - this.#exponent), -1)
    return Math.exp(log1pRatio(t) * u)
  }
}

function expm1Ratio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + x / 2
}

function log1pRatio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x / 2
}

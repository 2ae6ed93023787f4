/** Beyond this many half-lives the weights are scaled back to 1. 2^40 leaves a float32 88 binary orders for the counts themselves. */
const halfLivesMax = 40

/**
 * Exponential decay by time in which nothing stored is touched: instead of old counts shrinking, the weight of new ones
 * doubles every half-life, and a reading divides by the weight of now. Add `amount * gain` to a count of one's own; call
 * {@link tick} now and then and multiply the counts by what it returns.
 *
 * The time of an addition is only known up to the tick, so all of an interval is weighted as if it came in the middle: the
 * mean error of a steady rate is then (tickMs·ln 2/halfLifeMs)²/24, 0.08 % at 50 and 250 ms. Readings are as of the
 * last tick; what came after it is in them at full weight, so that just before the next they are up to
 * tickMs·ln 2/halfLifeMs too high (14 %). Hence whoever compares rates does it right after a tick.
 *
 * Source: Cormode, Shkapenyuk, Srivastava, Xu, "Forward Decay: A Practical Time Decay Model for Streaming Systems", ICDE 2009.
 */
export class ForwardDecay {
  readonly #halfLifeMs: number
  readonly #middleMs: number
  #originMs: number
  #nowMs: number
  #weightNow = 1
  #gain = 1

  /** Starts at `nowMs`, with ticks expected every `tickMs`. */
  constructor(halfLifeMs: number, tickMs: number, nowMs: number) {
    this.#halfLifeMs = halfLifeMs
    this.#middleMs = tickMs / 2
    this.#originMs = nowMs
    this.#nowMs = nowMs
    this.tick(nowMs)
  }

  /** What one unit that is added now weighs. Changes at ticks only. */
  get gain(): number {
    return this.#gain
  }

  /** Moves on to `nowMs`; a time before the last tick counts as that tick. Returns the factor for every stored count: 1, but for once in 40 half-lives. */
  tick(nowMs: number): number {
    this.#nowMs = Math.max(nowMs, this.#nowMs)
    let factor = 1
    const halfLives = (this.#nowMs - this.#originMs) / this.#halfLifeMs
    if (halfLives > halfLivesMax) {
      factor = 2 ** -halfLives
      this.#originMs = this.#nowMs
    }
    this.#weightNow = this.#weightAt(this.#nowMs)
    this.#gain = this.#weightAt(this.#nowMs + this.#middleMs)
    return factor
  }

  /** The rate, a second, that a stored count stands for. */
  perSecond(count: number): number {
    return ((count / this.#weightNow) * Math.LN2 * 1_000) / this.#halfLifeMs
  }

  /** The stored count that `perSecond` events a second settle at. */
  countAt(perSecond: number): number {
    return (perSecond * this.#halfLifeMs * this.#weightNow) / (Math.LN2 * 1_000)
  }

  /** How many units of now a stored count is worth. */
  unitsNow(count: number): number {
    return count / this.#weightNow
  }

  #weightAt(timeMs: number): number {
    return 2 ** ((timeMs - this.#originMs) / this.#halfLifeMs)
  }
}

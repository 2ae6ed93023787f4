/** How a surge first showed. */
export type SurgeSign = 'offered' | 'throttle'

/**
 * The moment from which a key is too hot for one partition: a key is asked for more writes in a second than a partition has write units, or
 * the store throttles for the first time, whichever comes first. And the moment of the first answer to a surge: a write acknowledged by a shard that is not the key itself.
 */
export class Surge {
  #startedAtMs: number | undefined
  #spreadAtMs: number | undefined
  #sign: SurgeSign | undefined

  /** Only the first sign counts. */
  noticed(sign: SurgeSign, nowMs: number): void {
    if (this.#startedAtMs !== undefined) return
    this.#startedAtMs = nowMs
    this.#sign = sign
  }

  /** Only the first spread write counts. */
  spread(nowMs: number): void {
    this.#spreadAtMs ??= nowMs
  }

  /** How the surge showed; undefined while there is none. */
  get sign(): SurgeSign | undefined {
    return this.#sign
  }

  /** Milliseconds from the surge to the first spread write, negative when that came first; undefined unless both have happened. */
  get spreadAfterMs(): number | undefined {
    if (this.#startedAtMs === undefined || this.#spreadAtMs === undefined) return undefined
    return this.#spreadAtMs - this.#startedAtMs
  }
}

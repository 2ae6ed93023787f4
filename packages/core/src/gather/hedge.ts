// Problem: a read of many shards waits for the slowest of them, and one node in trouble makes every such read slow.
// Scheme: where asked for, a request that has not been answered for a while is sent once more, and the first answer counts. A
//   budget bounds how many may be.
// Invariants: never a write; at most `shareMax` of all requests are hedges, but for ten saved up.
// Cost: none when it is off; a timer a request when it is on.
// Source: Dean and Barroso, «The Tail at Scale» (CACM 2013), «hedged requests».

import { rejectOnAbort } from '../internal/abort.js'
import type { Clock, Timer } from '../time/clock.js'

/** Sends slow reads once more. */
export interface HedgeOptions {
  /** After so long without an answer; best about the 95th percentile of what a request takes. 1 to 600,000. */
  readonly afterMs: number
  /** The most hedges, as a share of all requests. Above 0, up to 1. @default 0.05 */
  readonly shareMax?: number
}

/** So many hedges are saved up at most, so that a quiet hour pays for no storm. */
const savedMax = 10

/** The hedges of one collection. */
export class Hedge {
  readonly #clock: Clock
  readonly #afterMs: number
  readonly #shareMax: number
  #saved = 0

  constructor(clock: Clock, options: Required<HedgeOptions>) {
    this.#clock = clock
    this.#afterMs = options.afterMs
    this.#shareMax = options.shareMax
  }

  /**
   * Runs `send`, and once more when it is slow and the budget allows. Settles with the first success, which ends the other by the
   * signal that it was given, or with the last failure. The caller's signal ends both.
   */
  run<T>(send: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#saved = Math.min(savedMax, this.#saved + this.#shareMax)
    const ended = new AbortController()
    let timer: Timer
    const answer = new Promise<T>((resolve, reject) => {
      let open = 0
      const attempt = () => {
        open += 1
        send(ended.signal).then(
          (value) => {
            timer.clear()
            resolve(value)
            ended.abort()
          },
          (error: unknown) => {
            open -= 1
            timer.clear()
            if (open === 0) reject(error)
          },
        )
      }
      timer = this.#clock.setTimer(() => {
        if (this.#saved < 1) return
        this.#saved -= 1
        attempt()
      }, this.#afterMs)
      attempt()
    })
    if (signal === undefined) return answer
    return rejectOnAbort(answer, signal, () => {
      timer.clear()
      ended.abort(signal.reason)
    })
  }
}

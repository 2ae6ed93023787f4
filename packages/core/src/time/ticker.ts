import type { Clock, Timer } from './clock.js'

/** A coarse clock that costs a property read, and the one timer under everything that is looked at now and then. */
export class Ticker {
  /** `clock.nowMs()` as of the last tick. */
  nowMs: number
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #onTick: (nowMs: number) => void
  #timer: Timer | undefined

  constructor(clock: Clock, tickMs: number, onTick: (nowMs: number) => void) {
    this.nowMs = clock.nowMs()
    this.#clock = clock
    this.#tickMs = tickMs
    this.#onTick = onTick
  }

  /** Begins to tick. Does not keep the process alive. */
  start(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        this.nowMs = this.#clock.nowMs()
        this.start()
        this.#onTick(this.nowMs)
      },
      this.#tickMs,
      { isBackground: true },
    )
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }
}

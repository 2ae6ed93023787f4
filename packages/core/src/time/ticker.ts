import type { Clock, Timer } from './clock.js'

/** The one timer under everything that is looked at now and then. */
export class Ticker {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #onTick: (nowMs: number) => void
  #timer: Timer | undefined
  #isHeld = false

  constructor(clock: Clock, tickMs: number, onTick: (nowMs: number) => void) {
    this.#clock = clock
    this.#tickMs = tickMs
    this.#onTick = onTick
  }

  /** Keeps the process alive until the next tick: something is under way that only a tick can end. */
  hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#timer?.keepAlive()
  }

  /** Begins to tick. Does not keep the process alive by itself. */
  start(): void {
    this.#isHeld = false
    this.#timer = this.#clock.setTimer(
      () => {
        this.start()
        this.#onTick(this.#clock.nowMs())
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

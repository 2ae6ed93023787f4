import type { Clock, Timer, TimerOptions } from './clock.js'

/** The clock of the machine: fails closed when the process was suspended, since the larger delta counts. */
export class SystemClock implements Clock {
  #elapsedMs = 0
  #lastMonotonicMs = performance.now()
  #lastWallMs = Date.now()

  nowMs(): number {
    const monotonicMs = performance.now()
    const wallMs = Date.now()
    const deltaMs = Math.max(monotonicMs - this.#lastMonotonicMs, wallMs - this.#lastWallMs - 1, 0)
    this.#lastMonotonicMs = monotonicMs
    this.#lastWallMs = wallMs
    this.#elapsedMs += deltaMs
    return this.#elapsedMs
  }

  monotonicMs(): number {
    return performance.now()
  }

  wallMs(): number {
    return Date.now()
  }

  setTimer(callback: () => void, delayMs: number, options?: TimerOptions): Timer {
    const handle = setTimeout(callback, delayMs)
    if (options?.isBackground === true) handle.unref()
    return { clear: () => clearTimeout(handle), keepAlive: () => handle.ref() }
  }
}

import type { Clock, Timer } from './clock.js'

/** How a {@link FakeClock} begins. */
export interface FakeClockOptions {
  /** First value of `nowMs()`. @default 0 */
  readonly nowMs?: number
  /** First value of `wallMs()`. @default 1_700_000_000_000 */
  readonly wallMs?: number
}

interface PendingTimer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** A clock that moves only when it is told to, for tests that must not sleep. */
export class FakeClock implements Clock {
  #monotonicMs: number
  #elapsedOffsetMs = 0
  #wallOffsetMs: number
  #order = 0
  readonly #timers = new Set<PendingTimer>()

  constructor(options: FakeClockOptions = {}) {
    this.#monotonicMs = options.nowMs ?? 0
    this.#wallOffsetMs = (options.wallMs ?? 1_700_000_000_000) - this.#monotonicMs
  }

  nowMs(): number {
    return this.#monotonicMs + this.#elapsedOffsetMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  wallMs(): number {
    return Math.floor(this.#monotonicMs + this.#wallOffsetMs)
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return { clear: () => this.#timers.delete(timer) }
  }

  /** How many timers are set and have neither run nor been cleared. */
  get timerCount(): number {
    return this.#timers.size
  }

  /** Milliseconds until the next timer is due; undefined when none is set. */
  get nextTimerMs(): number | undefined {
    const next = this.#earliest()
    return next === undefined ? undefined : Math.max(0, next.dueMs - this.#monotonicMs)
  }

  /**
   * Moves the wall clock alone: as a time service or an operator does, or as it looks after a suspend in which the monotonic
   * clock stood still. Forward, `nowMs()` follows, as with the machine's clock.
   */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs
    this.#elapsedOffsetMs += Math.max(0, byMs)
  }

  /** Moves time without running timers: what a process sees that was stopped and continued. */
  pause(byMs: number): void {
    this.#monotonicMs += byMs
  }

  /** Moves time on by `byMs`; runs every timer that falls due, in order, and lets all promise reactions run between them. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs
    await settle()
    for (let next = this.#earliest(); next !== undefined && next.dueMs <= endMs; next = this.#earliest()) {
      this.#timers.delete(next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
      next.callback()
      await settle()
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, endMs)
  }

  #earliest(): PendingTimer | undefined {
    let earliest: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (
        earliest === undefined ||
        timer.dueMs < earliest.dueMs ||
        (timer.dueMs === earliest.dueMs && timer.order < earliest.order)
      )
        earliest = timer
    }
    return earliest
  }
}

/** Resolves when every promise reaction that is ready has run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

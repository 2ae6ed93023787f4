import { InvalidArgumentError } from '../errors/misuse-error.js'
import { finiteNumber } from '../internal/finite-number.js'
import { knownOptions } from '../internal/known-options.js'
import type { Clock, Timer } from './clock.js'

/** How a {@link FakeClock} begins. */
export interface FakeClockOptions {
  /** First value of `nowMs()`. @default 0 */
  readonly nowMs?: number
  /** First value of `wallMs()`. @default 1_700_000_000_000 */
  readonly wallMs?: number
}

const runMsMax = 600_000 // ten minutes: twice a client's retry horizon, the longest that it waits for anything by default

interface PendingTimer {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/**
 * A clock that moves only when it is told to, for tests that must not sleep. What waits for a timer waits until somebody
 * moves the clock: `await createClient({ backend, clock })` never ends when the backend takes time on this clock, unless it
 * is `await clock.run(createClient({ backend, clock }))`.
 */
export class FakeClock implements Clock {
  #monotonicMs: number
  #elapsedOffsetMs = 0
  #wallOffsetMs: number
  #order = 0
  readonly #timers = new Set<PendingTimer>()

  /** Throws `InvalidArgumentError` when an option makes no sense. */
  constructor(options: FakeClockOptions = {}) {
    knownOptions(options, 'options', ['nowMs', 'wallMs'])
    this.#monotonicMs = finiteNumber('nowMs', options.nowMs ?? 0)
    this.#wallOffsetMs = finiteNumber('wallMs', options.wallMs ?? 1_700_000_000_000) - this.#monotonicMs
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
    return { clear: () => this.#timers.delete(timer), keepAlive: keptAnyway }
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
   * clock stood still. Forward, `nowMs()` follows, as with the machine's clock. Throws `InvalidArgumentError` unless finite.
   */
  jumpWall(byMs: number): void {
    finiteNumber('byMs', byMs)
    this.#wallOffsetMs += byMs
    this.#elapsedOffsetMs += Math.max(0, byMs)
  }

  /** Moves time without running timers: what a process sees that was stopped and continued. Throws `InvalidArgumentError` for a time below 0. */
  pause(byMs: number): void {
    this.#monotonicMs += finiteNumber('byMs', byMs, 0)
  }

  /**
   * Moves time on by `byMs`; runs every timer that falls due, in order, and lets all promise reactions run between them.
   * Rejects with `InvalidArgumentError` for a time below 0.
   */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + finiteNumber('byMs', byMs, 0)
    await settle()
    for (let next = this.#earliest(); next !== undefined && next.dueMs <= endMs; next = this.#earliest()) {
      this.#timers.delete(next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
      next.callback()
      await settle()
    }
    this.#monotonicMs = Math.max(this.#monotonicMs, endMs)
  }

  /**
   * Moves time on until the promise settles, and settles as it does: for calls that wait for timers of this clock, which
   * awaited alone would never end. `stepMs` is how far time moves at once: by default to the next timer, but at least 1 ms.
   * Rejects with an `Error` when ten minutes of this clock's time did not do, and with `InvalidArgumentError` for no promise.
   */
  async run<T>(promise: Promise<T>, stepMs?: number): Promise<T> {
    if (typeof (promise as Promise<T> | undefined)?.then !== 'function')
      throw new InvalidArgumentError('promise', 'a promise', promise)
    if (stepMs !== undefined && !(Number.isFinite(stepMs) && stepMs > 0))
      throw new InvalidArgumentError('stepMs', 'a number above 0', stepMs)
    const watched = { isSettled: false }
    const onSettled = () => (watched.isSettled = true)
    promise.then(onSettled, onSettled)
    const endMs = this.#monotonicMs + runMsMax
    await settle()
    while (!watched.isSettled) {
      const restMs = endMs - this.#monotonicMs
      if (restMs <= 0)
        throw new Error(
          `The promise did not settle in ${runMsMax} ms of virtual time: no timer of this clock brings it about.`,
        )
      await this.advance(Math.min(restMs, stepMs ?? Math.max(1, this.nextTimerMs ?? 1)))
    }
    return promise
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

/** Fake time keeps no process alive. */
function keptAnyway(): void {}

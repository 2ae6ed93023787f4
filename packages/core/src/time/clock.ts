/** A timer that has been set and may be cleared. */
export interface Timer {
  /** Forgets the timer; its callback will not run. Clearing twice does nothing. */
  clear(): void
  /** From now on the process stays alive until the timer has run or is cleared, also if it was set in the background. */
  keepAlive(): void
}

/** How a timer behaves towards the process that set it. */
export interface TimerOptions {
  /** A background timer does not keep the process alive. @default false */
  readonly isBackground?: boolean
}

/** The only source of time in the core. Injected, so that every schedule can be replayed. */
export interface Clock {
  /**
   * Elapsed milliseconds since some fixed origin, for leases and time-outs: what must not end too late. Never goes back.
   * An implementation takes the larger of the monotonic and the wall clock's delta, for a monotonic clock may stand still
   * while a machine is suspended.
   */
  nowMs(): number
  /**
   * Monotonic milliseconds since some fixed origin, for waits of a lease: what must not end too early. A wall clock that is
   * set forward does not move it.
   */
  monotonicMs(): number
  /** Milliseconds since the Unix epoch; parts of one are cut off. May jump; only stamps and sequence numbers are made from it. */
  wallMs(): number
  /** Calls `callback` once, not earlier than `delayMs` from now. */
  setTimer(callback: () => void, delayMs: number, options?: TimerOptions): Timer
}

/** The methods of a {@link Clock}, for who checks one. */
export const clockMethods = ['nowMs', 'monotonicMs', 'wallMs', 'setTimer'] as const

/** What has gone wrong on one side since a client was made. */
export interface SideCounters {
  /** Attempts that the store throttled, also those that a later attempt made good: what the store saw. */
  readonly throttledAttempts: number
  /** Calls that failed for any reason after all attempts: what the application saw. */
  readonly failedCalls: number
}

/** See `Client.counters`. */
export interface ClientCounters {
  /** Of writes; a call is one change that was accepted. */
  readonly writes: SideCounters
  /** Of reads. */
  readonly reads: SideCounters
}

/** Counts for one client. Stages add to it. */
export class Counters {
  throttledWriteAttempts = 0
  throttledReadAttempts = 0
  failedWrites = 0
  failedReads = 0

  /** The counts as they are now. */
  shown(): ClientCounters {
    return {
      writes: { throttledAttempts: this.throttledWriteAttempts, failedCalls: this.failedWrites },
      reads: { throttledAttempts: this.throttledReadAttempts, failedCalls: this.failedReads },
    }
  }
}

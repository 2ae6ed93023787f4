import type { Events } from '../telemetry/events.js'

/** Changes to one key that could not be written. */
export interface FlushFailure {
  /** The record's name. */
  readonly record: string
  /** The key, with the record's prefix. */
  readonly key: string
  /** How many changes were lost with the write. */
  readonly changeCount: number
  /** A `WriteRejectedError`, a `WriteUnknownError`, or a `RouteUnavailableError` where nothing was sent. */
  readonly error: unknown
}

/** What `flush()` and `close()` tell. */
export interface FlushReport {
  /** What could not be written: of buffered changes since the last report, and of all changes during this call. The first 1,000. */
  readonly failures: readonly FlushFailure[]
  /** How many there were in all. */
  readonly failureCount: number
}

const failuresMax = 1_000

/** Keeps what nobody else would be told. */
export class FailureLog {
  readonly #events: Events
  #failures: FlushFailure[] = []
  #failureCount = 0
  #reporting = 0

  constructor(events: Events) {
    this.#events = events
  }

  /** Notes a write that failed. Where every caller awaits its promise and no report is being made, they are told and that is enough. */
  add(record: string, key: string, changeCount: number, bufferedCount: number, error: unknown): void {
    if (bufferedCount > 0 && this.#events.hasListeners('write-lost'))
      this.#events.emit('write-lost', { record, key, changeCount: bufferedCount, error })
    if (bufferedCount === 0 && this.#reporting === 0) return
    this.#failureCount += 1
    if (this.#failures.length < failuresMax) this.#failures.push({ record, key, changeCount, error })
  }

  /** Runs `work` and reports every failure until it is over. */
  async report(work: () => Promise<unknown>): Promise<FlushReport> {
    this.#reporting += 1
    try {
      await work()
    } finally {
      this.#reporting -= 1
    }
    const report = { failures: this.#failures, failureCount: this.#failureCount }
    this.#failures = []
    this.#failureCount = 0
    return report
  }
}

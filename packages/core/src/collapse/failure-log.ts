import type { Events } from '../telemetry/events.js'

/** Changes to one key that could not be written. */
export interface FlushFailure {
  /** The record's name. */
  readonly record: string
  /** The key, with the record's prefix. */
  readonly key: string
  /** How many changes were lost with the write. */
  readonly changeCount: number
  /** A `WriteRejectedError` or a `WriteUnknownError`. */
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

interface OpenReport extends FlushReport {
  readonly failures: FlushFailure[]
  failureCount: number
}

/** Keeps what nobody else would be told. */
export class FailureLog {
  readonly #events: Events
  readonly #open = new Set<OpenReport>()
  #unreported: OpenReport = { failures: [], failureCount: 0 }

  constructor(events: Events) {
    this.#events = events
  }

  /** Notes a write that failed. Where every caller awaits its promise and no report is being made, they are told and that is enough. */
  add(record: string, key: string, changeCount: number, bufferedCount: number, error: unknown): void {
    if (bufferedCount > 0 && this.#events.hasListeners('write-lost'))
      this.#events.emit('write-lost', { record, key, changeCount: bufferedCount, error })
    const failure = { record, key, changeCount, error }
    for (const report of this.#open) note(report, failure)
    if (bufferedCount > 0 && this.#open.size === 0) note(this.#unreported, failure)
  }

  /** Runs `work` and reports every failure until it is over; what nobody has been told before, too. Reports at the same time each tell it. */
  async report(work: () => Promise<unknown>): Promise<FlushReport> {
    const report = this.#unreported
    this.#unreported = { failures: [], failureCount: 0 }
    this.#open.add(report)
    try {
      await work()
    } finally {
      this.#open.delete(report)
    }
    return report
  }
}

function note(report: OpenReport, failure: FlushFailure): void {
  report.failureCount += 1
  if (report.failures.length < failuresMax) report.failures.push(failure)
}

import { SpillwayError } from './spillway-error.js'

/** «rejected: not written»: the change is in no shard, and never will be. Writing it again is safe. */
export class WriteRejectedError extends SpillwayError {
  constructor(key: string, why: string, cause?: unknown) {
    super('WRITE_REJECTED', `rejected: not written. ${why}`, { retryable: true, key, stage: 'collapse', cause })
    this.name = 'WriteRejectedError'
  }
}

/** «unknown: may be written»: no answer came in time. The change is in once or not at all; writing it again may count it twice. */
export class WriteUnknownError extends SpillwayError {
  constructor(key: string, why: string, cause?: unknown) {
    super('WRITE_UNKNOWN', `unknown: may be written, once or not at all. ${why}`, {
      retryable: false,
      key,
      stage: 'collapse',
      cause,
    })
    this.name = 'WriteUnknownError'
  }
}

import { isRetryable } from './is-retryable.js'
import { SpillwayError } from './spillway-error.js'

/** «rejected: not written»: the change is in no shard, and never will be. Writing it again is safe; it is worth it if `retryable`. */
export class WriteRejectedError extends SpillwayError {
  constructor(key: string, why: string, cause?: unknown) {
    super('WRITE_REJECTED', `rejected: not written. ${told(key, why, cause)}`, {
      retryable: isRetryable(cause),
      key,
      stage: 'collapse',
      cause,
    })
    this.name = 'WriteRejectedError'
  }
}

/** «unknown: may be written»: no answer came in time. The change is in once or not at all; writing it again may count it twice. */
export class WriteUnknownError extends SpillwayError {
  constructor(key: string, why: string, cause?: unknown) {
    super('WRITE_UNKNOWN', `unknown: may be written, once or not at all. ${told(key, why, cause)}`, {
      retryable: false,
      key,
      stage: 'collapse',
      cause,
    })
    this.name = 'WriteUnknownError'
  }
}

function told(key: string, why: string, cause: unknown): string {
  const last = cause instanceof Error && !why.includes(cause.message) ? ` The last error: ${cause.message}` : ''
  return `Key ${JSON.stringify(key)}: ${why}${last}`
}

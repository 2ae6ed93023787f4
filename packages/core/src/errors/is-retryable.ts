import { isSpillwayError } from './spillway-error.js'

/** Whether what failed for this cause may succeed later: no, where the cause says so itself. */
export function isRetryable(cause: unknown): boolean {
  return !isSpillwayError(cause) || cause.retryable
}

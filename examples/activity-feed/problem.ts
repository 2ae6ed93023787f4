import { type InvalidArgumentError, isSpillwayError } from '@spillway/core'

/** What went wrong, as the API tells it. */
export interface Problem {
  /** Of HTTP: 400 for what the caller must mend, 503 for what may go well later, 500 for the rest. */
  readonly status: 400 | 500 | 503
  /** A code of Spillway's, or `INTERNAL`. */
  readonly error: string
  /** Which argument was refused, with a 400. */
  readonly argument?: string
  /** What would have been accepted, with a 400. */
  readonly expected?: string
}

/** Translates an error. Messages stay here: they may speak of the store. */
export function problemOf(error: unknown): Problem {
  if (!isSpillwayError(error)) return { status: 500, error: 'INTERNAL' }
  const { code, retryable } = error
  if (code === 'INVALID_ARGUMENT') {
    const { argument, expected } = error as InvalidArgumentError
    return { status: 400, error: code, argument: shownArgument(argument), expected }
  }
  // LIMIT_REACHED is retryable. On a closed client another server may do it.
  return { status: retryable || code === 'CLOSED' ? 503 : 500, error: code }
}

/** Arguments of the collection, by their names in the API. */
function shownArgument(argument: string): string {
  if (argument === 'key') return 'feed'
  if (argument === 'sort') return 'id'
  return argument.replace(/^options\./, '').replace(/^items(\[\d+\])\.item/, 'events$1')
}

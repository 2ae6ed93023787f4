import { isBackendError } from '@spillway/core'

import type { Outcome } from '../check/expected-totals.js'

/** What the error that a retried call ends with tells its caller: a lost answer leaves open whether the write is in, all others say that it is not. */
export function outcomeOfPlain(error: unknown): Exclude<Outcome, 'done'> | undefined {
  if (!isBackendError(error) || error.kind === 'invalid') return undefined
  return error.kind === 'unknown' ? 'unknown' : 'rejected'
}

import { inspect } from 'node:util'

import { isBackendError, type BackendError } from '@spillway/core'

import { RuleBrokenError } from './rule-broken-error.js'

/** What became of a request. */
export type Settled<T> =
  { readonly status: 'answered'; readonly answer: T } | { readonly status: 'failed'; readonly error: BackendError }

/** Waits for a request. Rejects with `RuleBrokenError` when it fails with anything but a `BackendError`. `what` names it. */
export async function settled<T>(what: string, request: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { status: 'answered', answer: await request() }
  } catch (error) {
    return { status: 'failed', error: typed(what, error) }
  }
}

/** The error, if it is one that an adapter may fail with. Throws `RuleBrokenError` otherwise. */
export function typed(what: string, error: unknown): BackendError {
  if (isBackendError(error)) return error
  throw new RuleBrokenError(
    `Expected ${what} to fail with a BackendError, if at all, but it failed with: ${inspect(error)}`,
  )
}

import { inspect, isDeepStrictEqual } from 'node:util'

import { RuleBrokenError } from './rule-broken-error.js'

/** Throws `RuleBrokenError` unless both are deeply equal. `what` names what was looked at. */
export function ensureEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new RuleBrokenError(`Expected ${what} to be ${inspect(expected)}, but it was ${inspect(actual)}.`)
}

/** Throws `RuleBrokenError` unless `holds`. */
export function ensure(holds: boolean, message: string): void {
  if (!holds) throw new RuleBrokenError(message)
}

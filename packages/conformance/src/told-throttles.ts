import type { ThrottleDetail } from '@spillway/core'

import { ensure, ensureEqual } from './ensure.js'
import type { Settled } from './settled.js'

/** So many requests the store refuses: more than one, so that a client that tells of one throttle alone is caught. */
export const refusedCount = 2

/** What was told of throttles: by an answer of all of them, by a failure of one at least. Silence breaks the rule. */
export function toldOf(what: string, outcome: Settled<readonly ThrottleDetail[]>): readonly ThrottleDetail[] {
  if (outcome.status === 'answered') {
    ensureEqual(outcome.answer.length, refusedCount, `the number of throttles that ${what} told of once it succeeded`)
    return outcome.answer
  }
  const { kind, throttle } = outcome.error
  ensure(
    kind === 'throttled' || kind === 'unknown',
    `Expected ${what} that was throttled to fail as «throttled» or «unknown», but it failed as «${kind}».`,
  )
  if (throttle === undefined)
    ensure(false, `Expected ${what} that failed for lack of capacity to come with «throttle».`)
  return throttle === undefined ? [] : [throttle]
}

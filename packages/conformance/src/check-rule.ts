import type { Backend } from '@spillway/core'

import { newCall } from './call.js'
import { timeoutMsOf, type Harness } from './harness.js'
import { RuleBrokenError } from './rule-broken-error.js'
import { lacksAbility, lacksHook, type Rule } from './rule.js'
import { within, type SetTimer } from './time/within.js'
import { World } from './world.js'

/** What came of trying a rule. */
export type Verdict =
  | { readonly status: 'kept' }
  | {
      readonly status: 'broken'
      /** A `RuleBrokenError`, or what the backend itself threw. */
      readonly error: unknown
    }
  | {
      readonly status: 'not-applicable'
      /** What is missing, in words. */
      readonly reason: string
    }

/** Tries one rule on a fresh backend. Rejects only with what the harness's own `open` or `close` fails with. `setTimer` ends what takes too long. */
export async function checkRule(rule: Rule, harness: Harness, setTimer?: SetTimer): Promise<Verdict> {
  const missing = lacksHook(rule, harness)
  if (missing !== undefined) return { status: 'not-applicable', reason: missing }
  const backend = await harness.open()
  try {
    const lacking = lacksAbility(rule, backend)
    if (lacking !== undefined) return { status: 'not-applicable', reason: lacking }
    const timeoutMs = timeoutMsOf(harness)
    const late = new RuleBrokenError(
      `Expected every request of the rule to settle, but after ${timeoutMs} ms one had not. (harness.timeoutMs)`,
    )
    return await within<Verdict>(
      timeoutMs,
      tried(rule, backend, harness),
      () => ({ status: 'broken', error: late }),
      setTimer,
    )
  } finally {
    await harness.close?.(backend)
  }
}

async function tried(rule: Rule, backend: Backend, harness: Harness): Promise<Verdict> {
  const world = new World(backend, harness, rule.id)
  try {
    if (rule.isAboutLife === true) {
      await rule.check(world)
    } else {
      await backend.open?.(newCall())
      await rule.check(world)
      await backend.close?.()
    }
    return { status: 'kept' }
  } catch (error) {
    return { status: 'broken', error }
  }
}

import type { Call } from '@spillway/core'

import type { Harness } from './harness.js'
import type { Rule } from './rule.js'
import { World } from './world.js'

const call: Call = { signal: new AbortController().signal }

/** Whether a harness can run a rule: it offers what the rule needs. */
export function canCheck(rule: Rule, harness: Harness): boolean {
  return rule.needs !== 'outage' || harness.outage !== undefined
}

/** Tries one rule on a fresh backend. Rejects with what broke it, also where the backend itself threw. */
export async function checkRule(rule: Rule, harness: Harness): Promise<void> {
  const backend = await harness.open()
  try {
    await backend.open?.(call)
    await rule.check(new World(backend, harness, rule.id))
    await backend.close?.()
  } finally {
    await harness.close?.(backend)
  }
}

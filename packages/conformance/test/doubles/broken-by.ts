import { checkRule, rules, type Harness } from '@spillway/conformance'

import { turnsInsteadOfTime } from './patience.js'

/** The ids of the rules that a backend breaks. */
export async function brokenBy(harness: Harness): Promise<readonly string[]> {
  const broken: string[] = []
  for (const rule of rules) {
    const { status } = await checkRule(rule, harness, turnsInsteadOfTime)
    if (status === 'broken') broken.push(rule.id)
  }
  return broken
}

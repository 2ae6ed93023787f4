import type { Backend } from '@spillway/core'

import type { Harness, hooks } from './harness.js'
import type { World } from './world.js'

/** What a rule needs beside the contract's required parts: a hook of the harness, or something that a backend may leave out. */
export type Need = (typeof hooks)[number] | 'stampRoute' | 'batches'

/** One thing that every backend must keep. */
export interface Rule {
  /** Stable, such as `dedupe-same`. Reports and waivers go by it. */
  readonly id: string
  /** What holds for a backend that keeps the rule, in a sentence. */
  readonly claim: string
  /** What harness and backend must be able to do. Without it the rule does not apply, and reports say so. @default nothing more than to open */
  readonly needs?: readonly Need[]
  /** Whether the rule itself opens and closes the backend. @default false: it is opened before and closed after */
  readonly isAboutLife?: boolean
  /** Tries a backend that nothing else uses meanwhile. Rejects with `RuleBrokenError` when the claim does not hold. */
  check(world: World): Promise<void>
}

/** Why a harness cannot try a rule: it lacks a hook. Undefined when it can. */
export function lacksHook(rule: Rule, harness: Harness): string | undefined {
  for (const need of rule.needs ?? [])
    if (need !== 'stampRoute' && need !== 'batches' && harness[need] === undefined)
      return `the harness has no ${need}()`
  return undefined
}

/** Why a rule does not apply to a backend: it leaves out what a backend may leave out. Undefined when it applies. */
export function lacksAbility(rule: Rule, { capabilities, records }: Backend): string | undefined {
  const needs = rule.needs ?? []
  if (needs.includes('stampRoute') && records.stampRoute === undefined)
    return 'the backend has no records.stampRoute(), which only stores need that may forget acknowledged writes'
  if (needs.includes('batches') && capabilities.shardsPerReadMax < 2)
    return 'the backend reads one shard at a time (shardsPerReadMax)'
  return undefined
}

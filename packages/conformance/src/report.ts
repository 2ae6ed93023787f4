import { inspect } from 'node:util'

import type { Verdict } from './check-rule.js'
import type { Harness } from './harness.js'
import type { Rule } from './rule.js'

/** What is known of a backend and a rule. */
export type Outcome =
  | { readonly status: 'passed' }
  | {
      readonly status: 'broken'
      /** What was expected and what came. */
      readonly message: string
    }
  | {
      readonly status: 'waived'
      /** The waiver's. */
      readonly reason: string
      /** What was expected and what came. */
      readonly message: string
    }
  | {
      /** The rule holds, or does not apply: the waiver is to be removed. */
      readonly status: 'unneeded-waiver'
      /** The waiver's. */
      readonly reason: string
    }
  | {
      readonly status: 'not-applicable'
      /** What harness or backend lack. */
      readonly reason: string
    }

/** One rule in a report. */
export type RuleReport = Outcome & {
  /** The rule's. */
  readonly id: string
  /** The title of its chapter. */
  readonly chapter: string
  /** The rule's. */
  readonly claim: string
}

/** What the kit found out about a backend. Plain data, safe for JSON. */
export interface Report {
  /** What the backend was called by who tried it. */
  readonly backend: string
  /** True when no rule is broken without a waiver and no waiver is unneeded. */
  readonly isConforming: boolean
  /** How many rules there are of each outcome. */
  readonly counts: Readonly<Record<Outcome['status'], number>>
  /** Every rule that was tried, in the order of the kit. */
  readonly rules: readonly RuleReport[]
}

/** Puts a report together. */
export function reportOf(backend: string, rules: readonly RuleReport[]): Report {
  const counts = { passed: 0, broken: 0, waived: 0, 'unneeded-waiver': 0, 'not-applicable': 0 }
  for (const { status } of rules) counts[status] += 1
  return { backend, isConforming: counts['broken'] + counts['unneeded-waiver'] === 0, counts, rules: [...rules] }
}

/** What a verdict amounts to, waivers considered. */
export function outcomeOf({ id }: Rule, { waivers = {} }: Harness, verdict: Verdict): Outcome {
  const reason = Object.hasOwn(waivers, id) ? waivers[id] : undefined
  if (verdict.status === 'broken') {
    const message = messageOf(verdict.error)
    return reason === undefined ? { status: 'broken', message } : { status: 'waived', reason, message }
  }
  if (reason !== undefined) return { status: 'unneeded-waiver', reason }
  return verdict.status === 'kept' ? { status: 'passed' } : verdict
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error)
}

import type { Backend, SortType } from '@spillway/core'

import { hooks, type Harness } from './harness.js'
import type { World } from './world.js'

/**
 * What a rule needs beside the contract's required parts: a hook of the harness, or something that a backend may leave out.
 * `append` and the types of sort values are parts of `collections`.
 */
export type Need =
  | (typeof hooks)[number]
  | 'stampRoute'
  | 'checkSpread'
  | 'batches'
  | 'collections'
  | 'append'
  | 'shared keys'
  | 'unshared keys'
  | 'sorted strings'
  | 'sorted numbers'
  | 'sorted bytes'

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

/** What a backend may leave out, and how it shows that it does. */
const abilities: Readonly<Record<string, readonly [isThere: (backend: Backend) => boolean, lacking: string]>> = {
  stampRoute: [
    ({ records }) => records.stampRoute !== undefined,
    'the backend has no records.stampRoute(), which only stores need that may forget acknowledged writes',
  ],
  checkSpread: [
    ({ records }) => records.checkSpread !== undefined,
    'the backend has no records.checkSpread(), which only stores need whose stampRoute() may be refused for good',
  ],
  batches: [
    ({ capabilities }) => capabilities.shardsPerReadMax >= 2,
    'the backend reads one shard at a time (shardsPerReadMax)',
  ],
  collections: [({ collections }) => collections !== undefined, 'the backend has no collections'],
  append: [
    ({ collections }) => collections?.append !== undefined,
    'the backend has no collections.append(), which only stores need whose batches know no conditions',
  ],
  'shared keys': [
    ({ collections }) => collections?.limits.mayShareKeys === true,
    'a key of the backend holds either items or fields (mayShareKeys)',
  ],
  'unshared keys': [
    ({ collections }) => collections?.limits.mayShareKeys === false,
    'a key of the backend may hold items and fields (mayShareKeys)',
  ],
  'sorted strings': [ordersBy('string'), 'the collections of the backend do not order strings (sortTypes)'],
  'sorted numbers': [ordersBy('number'), 'the collections of the backend do not order numbers (sortTypes)'],
  'sorted bytes': [ordersBy('bytes'), 'the collections of the backend do not order bytes (sortTypes)'],
}

function ordersBy(type: SortType): (backend: Backend) => boolean {
  return ({ collections }) => collections?.limits.sortTypes.includes(type) === true
}

/** Why a harness cannot try a rule: it lacks a hook. Undefined when it can. */
export function lacksHook(rule: Rule, harness: Harness): string | undefined {
  const missing = (rule.needs ?? []).find((need) => isHook(need) && harness[need] === undefined)
  return missing && `the harness has no ${missing}()`
}

/** Why a rule does not apply to a backend: it leaves out what a backend may leave out. Undefined when it applies. */
export function lacksAbility(rule: Rule, backend: Backend): string | undefined {
  for (const need of rule.needs ?? []) {
    const [isThere, lacking] = abilities[need] ?? []
    if (isThere?.(backend) === false) return lacking
  }
  return undefined
}

function isHook(need: Need): need is (typeof hooks)[number] {
  return (hooks as readonly Need[]).includes(need)
}

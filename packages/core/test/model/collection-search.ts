/** A rule that can be left out. */
export type CollectionRule =
  | 'announce-wait'
  | 'foresee'
  | 'foresee-wait'
  | 'foresee-stamp'
  | 'drain-wait'
  | 'wait-anew'
  | 'late-ack'
  | 'take-back'
  | 'take-back-completes'
  | 'newest-wins'
  | 'tombstone'
  | 'every-candidate'
  | 'generation'
  | 'lease-at-end'

/** What is searched: one item, one route, and what its writers do. One read is made, at any time. */
export interface CollectionSearch {
  /** The rule that is left out. @default none */
  readonly without?: CollectionRule
  /** The item's hash: its shard is `hash mod w`. */
  readonly hash: number
  /** The fanouts that the route goes through, after 1. */
  readonly fanouts: readonly number[]
  /** What each writer does, one letter an operation: `p` puts, `d` deletes. */
  readonly writers: readonly string[]
  /** How many requests are sent once more, as after a lost answer. */
  readonly repeatCount: number
  /** How many coordinators crash in the middle of a copy. */
  readonly crashCount: number
  /** How many writers crash in the middle of an operation. @default 0 */
  readonly writerCrashCount?: number
  /** How many times the directory loses changes, in a store that may forget and so has stamps. @default none: there are no stamps */
  readonly failoverCount?: number
  /** The search ends after so many states. */
  readonly statesMax: number
}

/** Whether the search has this rule in force. */
export function keeps({ without }: CollectionSearch, rule: CollectionRule): boolean {
  return rule !== without
}

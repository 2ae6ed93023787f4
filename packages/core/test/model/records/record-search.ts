/** A rule that can be left out. */
export type RecordRule =
  | 'announce-wait'
  | 'generation'
  | 'lease-at-end'
  | 'dedupe'
  | 'expired'
  | 'expired-first'
  | 'sticky-retry'
  | 'own-answer'
  | 'horizon'
  | 'seal'
  | 'seal-stays'
  | 'writers-stay'
  | 'absorb'
  | 'absorbed'
  | 'clear-wait'
  | 'coordinator-lease'
  | 'active-stamp'
  | 'finish-stamp'
  | 'young-memory'

/** What is searched: one key, its route, and who writes. One read is made, at any time. */
export interface RecordSearch {
  /** The rule that is left out. @default none */
  readonly without?: RecordRule
  /** The fanouts that the route goes through, after 1. */
  readonly fanouts: readonly number[]
  /** The processes that write. */
  readonly writers: readonly WriterPlan[]
  /** How many requests are sent once more, since no answer came or it was lost. */
  readonly repeatCount: number
  /** How many dedupe entries are forgotten, at any time. @default 0 */
  readonly forgetCount?: number
  /** How many writers crash in the middle of a write. @default 0 */
  readonly writerCrashCount?: number
  /** How many coordinators work at once, each of which may stop for any time, be replaced, and go on. */
  readonly coordinatorCount: number
  /** How often the directory loses up to its three newest changes, as in a failover. @default 0 */
  readonly failoverCount?: number
  /** Whether the directory drops the route once it is cold again; the places of its shards may then expire. @default false */
  readonly isDropped?: boolean
  /** The search ends after so many states. */
  readonly statesMax: number
}

/** What a writer does. */
export interface WriterPlan {
  /** Its shard is `hash mod w`. */
  readonly hash: number
  /** How many writes it makes, one after the other. */
  readonly writeCount: number
}

/** Whether shard 0 is stamped with the route, as in stores that may forget. */
export function isStamped({ failoverCount = 0, isDropped = false }: RecordSearch): boolean {
  return failoverCount > 0 || isDropped
}

/** Whether the search has this rule in force. */
export function keeps({ without }: RecordSearch, rule: RecordRule): boolean {
  return rule !== without
}

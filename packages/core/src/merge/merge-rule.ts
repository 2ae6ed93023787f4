// Problem: the same changes are merged in time (a window), in space (over shards) and on the read (a gather), in whatever
//   order the network and the processes happen to bring them.
// Scheme: a rule is a commutative monoid over a state. A caller's change is *prepared* into a state once, when it is accepted;
//   from then on only `merge` is used, by every stage and by every backend.
// Invariants: merge is associative and commutative, `empty` (the absence of a state) is its identity, and no state is changed
//   in place. `assertLaws` of @spillway/core/testing checks a rule against them.
// Cost: one prepare and one merge a change; sum, max and min allocate nothing for numbers.
// Source: Shapiro et al., «Conflict-free replicated data types» (2011); Boykin et al., «Summingbird» (VLDB 2014).

import type { Magnitudes } from './magnitudes.js'
import type { StampSource } from './stamp.js'

/** How a backend may store a rule natively. `custom` is merged by the rule itself, under compare-and-swap. */
export type RuleKind = 'sum' | 'max' | 'min' | 'latest' | 'union' | 'custom'

/** What a rule is told when a change is prepared. */
export interface PrepareContext {
  /** The field that is changed, for messages. */
  readonly field: string
  /** Stamps for `latest`. */
  readonly stamps: StampSource
  /** The greatest absolute value of an integer that the backend stores exactly. */
  readonly integerMax: bigint
  /** The sizes of other numbers that it stores. @default those of doubles */
  readonly magnitudes?: Magnitudes | undefined
}

/**
 * How changes to one field are merged. Made by `sum()`, `max()`, `min()`, `latest()`, `union()` or `mergeRule()`.
 * `Change` is what a caller writes, `State` what is merged and stored, `Value` what a caller reads.
 */
export interface MergeRule<Change, State, Value> {
  /** How a backend may store it natively. */
  readonly kind: RuleKind
  /** Names the rule with its parameters, so that two rules can be compared: `sum(integer)`. */
  readonly id: string
  /** True when merging a state twice is the same as merging it once: such a field needs no dedupe entry. */
  readonly isIdempotent: boolean
  /** Checks a change and turns it into a state. Throws `InvalidArgumentError`. */
  prepare(change: Change, context: PrepareContext): State
  /** Merges two states into a new one. */
  merge(a: State, b: State): State
  /** Whether a window may hold this state. A sum that left its range may not. */
  fits(state: State, context: PrepareContext): boolean
  /** What a reader sees; `undefined` stands for «never written». Throws `ValueOutOfRangeError`. */
  view(state: State | undefined, field: string): Value
  /** About how many bytes the state takes, in memory and in a store. */
  bytes(state: State): number
  /** The state as text, for stores that keep no such type. Absent values are never encoded. */
  encode(state: State): string
  /** The inverse of `encode`. */
  decode(text: string): State
  /** How a window adds to a state that nobody else holds, for rules whose states grow: `merge` would copy it every time. */
  readonly owned?: OwnedMerge<State>
}

/** Adding to a state in place. What it does to `own` is what `merge` would give. */
export interface OwnedMerge<State> {
  /** By how many bytes `add` would make `own` grow. */
  grownBytes(own: State, more: State): number
  /** Merges `more` into `own`. */
  add(own: State, more: State): void
  /** A copy that later additions to `own` do not change. */
  copy(own: State): State
}

/** A rule whose types are not known here: what stages and backends handle. States are opaque and stay with the rule that made them. */
export type AnyRule = MergeRule<unknown, unknown, unknown>

/** Whether two declarations of a field mean the same. Two rules of a user's are the same only if they are one object. */
export function isSameRule(a: AnyRule, b: AnyRule): boolean {
  return a === b || (a.kind !== 'custom' && a.id === b.id)
}

/** One field of a record: its name and its rule. */
export interface Field {
  /** As the application names it; any string. */
  readonly name: string
  /** How its changes merge. */
  readonly rule: AnyRule
}

/** The rules of a record, by field name. */
export type Rules = Readonly<Record<string, AnyRule>>

/** What may be written to a record with these rules: at least one field. */
export type ChangeOf<R extends Rules> = {
  readonly [F in keyof R]?: R[F] extends MergeRule<infer Change, infer _State, infer _Value> ? Change : never
} & {}

/** What a read of a record with these rules gives. */
export type ValueOf<R extends Rules> = {
  readonly [F in keyof R]: R[F] extends MergeRule<infer _Change, infer _State, infer Value> ? Value : never
} & {}

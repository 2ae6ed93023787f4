import { InvalidArgumentError } from '../errors/misuse-error.js'
import type { AnyRule, MergeRule, PrepareContext } from './merge-rule.js'

/** How {@link assertLaws} compares. */
export interface LawOptions<State, Value> {
  /** Whether two values count as the same. @default deep equality of what `encode` makes of the states */
  readonly isSame?: (a: State, b: State, viewA: Value, viewB: Value) => boolean
}

/**
 * Checks a rule against the laws that everything rests on, for every pair and triple of the given changes (n³ merges: give
 * 5 to 30, or draw them with fast-check): merging is associative and commutative, «never written» is its identity, it changes
 * no argument, a state survives encode and decode, and merging twice changes nothing if the rule says so. Throws an `Error`
 * that shows the first breach, and `InvalidArgumentError` for what is no rule, or fewer than two changes: they show nothing.
 */
export function assertLaws<Change, State, Value>(
  rule: MergeRule<Change, State, Value>,
  changes: readonly Change[],
  options: LawOptions<State, Value> = {},
): void {
  checkArguments(rule, changes)
  const checker = new LawChecker(rule, options)
  const states = changes.map((change) => rule.prepare(change, lawContext()))
  for (const a of states) {
    checker.alone(a)
    for (const b of states) {
      checker.pair(a, b)
      for (const c of states) checker.triple(a, b, c)
    }
  }
}

function checkArguments(rule: unknown, changes: unknown): void {
  const methods = ['prepare', 'merge', 'view', 'encode', 'decode'] as const
  if (methods.some((method) => typeof (rule as Partial<AnyRule> | undefined | null)?.[method] !== 'function'))
    throw new InvalidArgumentError('rule', 'a merge rule, such as sum() or mergeRule({ … })', rule)
  if (!Array.isArray(changes) || changes.length < 2)
    throw new InvalidArgumentError('changes', 'an array of at least two changes', changes)
}

class LawChecker<Change, State, Value> {
  readonly #rule: MergeRule<Change, State, Value>
  readonly #isSame: (a: State, b: State) => boolean

  constructor(rule: MergeRule<Change, State, Value>, { isSame }: LawOptions<State, Value>) {
    this.#rule = rule
    // Values are asked for only by who compares them: a sum beyond the safe integers keeps the laws and has none.
    this.#isSame =
      isSame === undefined
        ? (a, b) => rule.encode(a) === rule.encode(b)
        : (a, b) => isSame(a, b, rule.view(a, 'law'), rule.view(b, 'law'))
  }

  alone(a: State): void {
    const rule = this.#rule
    this.#require('a state survives encode and decode', a, rule.decode(rule.encode(a)), [a])
    if (rule.isIdempotent) this.#require('merging a state with itself changes nothing', rule.merge(a, a), a, [a])
    if (rule.kind !== 'custom') return
    const empty = rule.view(undefined, 'law') as unknown as State // a custom rule's values are its states
    this.#require('empty is the identity', rule.merge(a, empty), a, [a])
    this.#require('empty is the identity', rule.merge(empty, a), a, [a])
  }

  pair(a: State, b: State): void {
    const rule = this.#rule
    const before = [rule.encode(a), rule.encode(b)]
    const merged = rule.merge(a, b)
    this.#require('merge is commutative', merged, rule.merge(b, a), [a, b])
    if (rule.encode(a) !== before[0] || rule.encode(b) !== before[1])
      throw new Error(`${rule.id}: merge must not change its arguments, but did for ${before.join(' and ')}`)
    this.#require('a merged state survives encode and decode', merged, rule.decode(rule.encode(merged)), [a, b])
  }

  triple(a: State, b: State, c: State): void {
    const rule = this.#rule
    this.#require('merge is associative', rule.merge(rule.merge(a, b), c), rule.merge(a, rule.merge(b, c)), [a, b, c])
  }

  #require(law: string, a: State, b: State, from: readonly State[]): void {
    const rule = this.#rule
    if (this.#isSame(a, b)) return
    throw new Error(
      `${rule.id}: ${law}, but ${rule.encode(a)} is not ${rule.encode(b)}, from ${from.map((state) => rule.encode(state)).join(', ')}`,
    )
  }
}

function lawContext(): PrepareContext {
  let order = 0
  return {
    field: 'law',
    integerMax: 2n ** 256n,
    stamps: { writer: 'laws', next: () => ({ timeMs: 0, order: (order += 1), writer: 'laws' }) },
  }
}

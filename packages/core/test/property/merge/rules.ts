import { fc } from '@fast-check/vitest'
import { type AnyRule, at, latest, max, mergeRule, min, sum, union } from '../../../src/index.js'

/** A rule of a user's: counts by bucket, merged bucket by bucket. */
const histogram = mergeRule<Readonly<Record<string, number>>>({
  empty: {},
  merge(a, b) {
    const merged = { ...a }
    for (const [bucket, count] of Object.entries(b)) merged[bucket] = (merged[bucket] ?? 0) + count
    return merged
  },
  encode: (state) => JSON.stringify(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  decode: (text) => Object.fromEntries(JSON.parse(text) as [string, number][]),
})

/** A rule together with changes that a caller may write. */
export interface Drawn {
  readonly name: string
  readonly rule: AnyRule
  readonly change: fc.Arbitrary<unknown>
}

const safeInteger = fc.maxSafeInteger()
const double = fc.double({ noNaN: true, noDefaultInfinity: true })
const jsonValue = fc.jsonValue({ noUnicodeString: false, maxDepth: 3 }).map((value) => withoutMinusZero(value))
const eventTime = fc.record({ value: jsonValue, timeMs: fc.integer({ min: -5, max: 5 }), order: fc.nat({ max: 2 }) })

/** Every rule whose laws hold to the letter. */
export const exactRules: readonly Drawn[] = [
  { name: 'sum of integers', rule: sum(), change: fc.oneof(safeInteger, fc.integer()) },
  { name: 'sum of bigints', rule: sum({ type: 'bigint' }), change: fc.bigInt(-(10n ** 30n), 10n ** 30n) },
  { name: 'max', rule: max(), change: double },
  { name: 'min', rule: min(), change: double },
  { name: 'latest by its stamp', rule: latest(), change: jsonValue },
  {
    name: 'latest by event time',
    rule: latest(),
    change: eventTime.map(({ value, timeMs, order }) => at(value, timeMs, order)),
  },
  {
    name: 'union',
    rule: union(),
    change: fc.array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 6 }),
  },
  {
    name: "a user's histogram",
    rule: histogram,
    change: fc.dictionary(fc.constantFrom('low', 'middle', 'high'), fc.integer({ min: 1, max: 99 })),
  },
]

/** JSON knows one zero, and so do all rules. */
function withoutMinusZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown
}

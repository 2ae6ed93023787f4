import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type AnyRule, at, latest, sum } from '../../../src/index.js'
import { assertLaws } from '../../../src/testing.js'
import type { PrepareContext } from '../../../src/merge/merge-rule.js'
import { RecordShape } from '../../../src/merge/record-shape.js'
import { exactRules } from './rules.js'

/** A stamp for each change, by a writer of its own: what several processes would make. */
function contextOf(writer = 'w'): PrepareContext & { field: string } {
  let order = 0
  const stamps = { writer, next: () => ({ timeMs: 1_000, order: (order += 1), writer }) }
  return { field: 'f', stamps, integerMax: 10n ** 38n }
}

function mergedAll(rule: AnyRule, states: readonly unknown[]): unknown {
  return states.reduce((a, b) => rule.merge(a, b))
}

/** Merges neighbours pairwise, as shards of windows do, instead of one after the other. */
function mergedAsTree(rule: AnyRule, states: readonly unknown[]): unknown {
  if (states.length === 1) return states[0]
  const half = Math.ceil(states.length / 2)
  return rule.merge(mergedAsTree(rule, states.slice(0, half)), mergedAsTree(rule, states.slice(half)))
}

/** A permutation that is drawn with the values. */
function shuffled<T>(values: readonly T[], keys: readonly number[]): T[] {
  return values
    .map((value, i) => ({ value, key: keys[i] ?? 0 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value)
}

const orderKeys = fc.array(fc.nat(), { minLength: 12, maxLength: 12 })

describe.each(exactRules)('$name', ({ rule, change }) => {
  const changes = fc.array(change, { minLength: 1, maxLength: 5 })

  test('keeps every law that assertLaws knows', () => {
    const several = fc.array(change, { minLength: 2, maxLength: 5 })
    const property = fc.property(several, (drawn) => {
      expect(() => assertLaws(rule, drawn)).not.toThrow()
    })
    fc.assert(property)
  })

  test('gives the same state whatever the order and the grouping', () => {
    const many = fc.array(change, { minLength: 1, maxLength: 12 })
    const property = fc.property(many, orderKeys, (drawn, keys) => {
      const context = contextOf()
      const states = drawn.map((one) => rule.prepare(one, context))
      const straight = rule.encode(mergedAll(rule, states))
      expect(rule.encode(mergedAll(rule, shuffled(states, keys)))).toBe(straight)
      expect(rule.encode(mergedAsTree(rule, shuffled(states, keys)))).toBe(straight)
    })
    fc.assert(property)
  })

  test('reads the same from a state that was stored as text', () => {
    const property = fc.property(changes, (drawn) => {
      const context = contextOf()
      const state = mergedAll(
        rule,
        drawn.map((one) => rule.prepare(one, context)),
      )
      expect(seenBy(rule, rule.decode(rule.encode(state)))).toEqual(seenBy(rule, state))
    })
    fc.assert(property)
  })
})

/** A value, or the code of the error that stands for it. */
function seenBy(rule: AnyRule, state: unknown): unknown {
  try {
    return rule.view(state, 'f')
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('sums', () => {
  test('of integers equal the exact total, or say that it cannot be given', () => {
    const property = fc.property(fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 20 }), (changes) => {
      const rule = sum() as AnyRule
      const context = contextOf()
      const state = mergedAll(
        rule,
        changes.map((change) => rule.prepare(change, context)),
      )
      const exact = changes.reduce((total, change) => total + BigInt(change), 0n)
      expect(String(state)).toBe(String(exact))
      const isSafe = Number.isSafeInteger(Number(exact))
      expect(seenBy(rule, state)).toEqual(isSafe ? Number(exact) : 'VALUE_OUT_OF_RANGE')
      expect((sum({ type: 'bigint' }) as AnyRule).view(state, 'f')).toBe(exact)
    })
    fc.assert(property)
  })

  test('of floats differ by their order within n roundings of the greatest partial sum', () => {
    const moderate = fc.double({ min: -1e9, max: 1e9, noNaN: true })
    const property = fc.property(fc.array(moderate, { minLength: 2, maxLength: 12 }), orderKeys, (changes, keys) => {
      const rule = sum({ type: 'float' }) as AnyRule
      const context = contextOf()
      const states = changes.map((change) => rule.prepare(change, context))
      const [a, b] = [mergedAll(rule, states), mergedAsTree(rule, shuffled(states, keys))] as [number, number]
      const magnitude = changes.reduce((total, change) => total + Math.abs(change), 0)
      expect(Math.abs(a - b)).toBeLessThanOrEqual(2 * changes.length * Number.EPSILON * magnitude)
    })
    fc.assert(property)
  })

  test('of two floats are commutative to the letter, and zero is one number', () => {
    const property = fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (change) => {
      const rule = sum({ type: 'float' }) as AnyRule
      const [a, zero] = [rule.prepare(change, contextOf()), rule.prepare(-0, contextOf())]
      expect(rule.merge(a, zero)).toBe(a)
      expect(rule.merge(zero, a)).toBe(rule.merge(a, zero))
      expect(rule.decode(rule.encode(a))).toBe(a)
    })
    fc.assert(property)
  })
})

describe('latest', () => {
  const writes = fc.array(
    fc.record({ writer: fc.constantFrom('a', 'b', 'c'), timeMs: fc.nat({ max: 3 }), value: fc.nat({ max: 3 }) }),
    { minLength: 1, maxLength: 12 },
  )

  test('is decided by time, then order, then writer, and never by arrival', () => {
    const property = fc.property(writes, orderKeys, (drawn, keys) => {
      const rule = latest<number>() as AnyRule
      const states = drawn.map(({ writer, timeMs, value }, i) =>
        rule.prepare(at(value, timeMs, i % 2), { ...contextOf(writer) }),
      )
      const rank = ({ timeMs, writer, value }: (typeof drawn)[number], i: number) =>
        [String(timeMs), String(i % 2), writer, String(value)].join('/')
      const newest = drawn
        .map((write, i) => ({ rank: rank(write, i), value: write.value }))
        .toSorted(byRank)
        .at(-1)
      expect(rule.view(mergedAll(rule, shuffled(states, keys)), 'f')).toBe(newest?.value)
    })
    fc.assert(property)
  })
})

function byRank(a: { rank: string }, b: { rank: string }): number {
  return a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0
}

/** Stamps differ with the order of preparing; what they decide does not. */
function comparable(rule: AnyRule, state: unknown): unknown {
  return rule.kind === 'latest' ? rule.view(state, 'f') : state
}

test('a record of several fields merges field by field', () => {
  const rules = Object.fromEntries(exactRules.map(({ rule }, i) => [`f${i}`, rule]))
  const shape = new RecordShape('r', rules)
  const anyChange = fc.record(Object.fromEntries(exactRules.map(({ change }, i) => [`f${i}`, change])), {
    requiredKeys: [],
  })
  const property = fc.property(fc.array(anyChange, { maxLength: 6 }), (drawn) => {
    const changes = drawn.filter((change) => Object.keys(change).length > 0)
    const [together, alone] = [contextOf(), contextOf()]
    const states: unknown[] = shape.fields.map(() => undefined)
    for (const change of changes) {
      try {
        shape.mergeInto(states, change, together, Number.POSITIVE_INFINITY)
      } catch {
        return // a window that leaves the safe integers is refused: that is tested by itself
      }
    }
    for (const [i, { name, rule }] of shape.fields.entries()) {
      const prepared = changes.flatMap((change) => (name in change ? [rule.prepare(change[name], alone)] : []))
      const expected = prepared.length === 0 ? undefined : mergedAll(rule, prepared)
      expect(comparable(rule, states[i])).toEqual(comparable(rule, expected))
    }
  })
  fc.assert(property)
})

import { describe, expect, test } from 'vitest'
import { type CustomRule, max, mergeRule, sum } from '../../../src/index.js'
import { assertLaws } from '../../../src/testing.js'
import { refusalsOf } from '../../doubles/refusal.js'

const text = { encode: String, decode: Number } as const

const forgetful = (given: string) => Number(given) + 1
const isEqual = (a: number, b: number) => a === b
const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-9

function laws(rule: Partial<CustomRule<number>>, changes: readonly number[] = [1, 2, 5]): () => void {
  return () => assertLaws(mergeRule({ empty: 0, merge: (a, b) => a + b, ...text, ...rule }), changes)
}

describe('assertLaws', () => {
  test('is silent about a rule that keeps them all', () => {
    expect(laws({})).not.toThrow()
    expect(laws({ merge: Math.max, empty: Number.NEGATIVE_INFINITY, isIdempotent: true })).not.toThrow()
    expect(() => assertLaws(max(), [3, -1, 0])).not.toThrow()
  })

  test('catches a merge that is not commutative', () => {
    expect(laws({ merge: (a, b) => (b === 0 ? a : b) })).toThrowErrorMatchingInlineSnapshot(
      `[Error: custom: merge is commutative, but 2 is not 1, from 1, 2]`,
    )
  })

  test('catches a merge that is not associative', () => {
    expect(laws({ merge: (a, b) => (a === 0 ? b : b === 0 ? a : (a + b) / 2) })).toThrowErrorMatchingInlineSnapshot(
      `[Error: custom: merge is associative, but 1.5 is not 1.25, from 1, 1, 2]`,
    )
  })

  test('catches an empty that is no identity, on either side', () => {
    expect(laws({ empty: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[Error: custom: empty is the identity, but 2 is not 1, from 1]`,
    )
    expect(laws({ merge: (a, b) => (a === 0 ? 0 : a + b) })).toThrow(/empty is the identity/)
  })

  test('catches a merge that counts twice what it says to count once', () => {
    expect(laws({ isIdempotent: true })).toThrowErrorMatchingInlineSnapshot(
      `[Error: custom: merging a state with itself changes nothing, but 2 is not 1, from 1]`,
    )
  })

  test('catches a state that does not survive encode and decode', () => {
    expect(laws({ decode: forgetful }, [1, 1])).toThrow(/survives encode and decode/)
  })

  test('catches a merged state that does not survive encode and decode', () => {
    const oneDigit = { encode: (state: number) => String(state).slice(0, 1), decode: Number }
    expect(() =>
      assertLaws(mergeRule({ empty: 0, merge: (a, b) => a + b, ...oneDigit }), [5, 6], { isSame: isEqual }),
    ).toThrow(/a merged state survives encode and decode/)
  })

  test('catches a merge that changes its arguments', () => {
    const rule = mergeRule<Set<number>>({
      empty: new Set(),
      merge(a, b) {
        for (const element of b) a.add(element)
        return new Set(a)
      },
      encode: (state) => JSON.stringify([...state].toSorted((a, b) => a - b)),
      decode: (given) => new Set(JSON.parse(given) as number[]),
    })
    expect(() => assertLaws(rule, [new Set([1]), new Set([2])])).toThrowErrorMatchingInlineSnapshot(
      `[Error: custom: merge must not change its arguments, but did for [1,2] and [2]]`,
    )
  })

  test('compares as it is told to, for rules that round', () => {
    const changes = [0.1, 0.2, 0.3]
    expect(() => assertLaws(sum({ type: 'float' }), changes)).toThrow(/merge is associative/)
    expect(() => assertLaws(sum({ type: 'float' }), changes, { isSame: isNear })).not.toThrow()
  })

  test('refuses what shows nothing: fewer than two changes, or no rule', async () => {
    const cases: Record<string, readonly unknown[]> = {
      'no change': [sum(), []],
      'one change': [sum(), [1]],
      'changes that are no array': [sum(), 5],
      'a rule that was not called': [sum, [1, 2]],
      'no rule': [undefined, [1, 2]],
      'the arguments the wrong way round': [[1, 2], sum()],
    }
    const check = assertLaws as (...given: readonly unknown[]) => void
    expect(await refusalsOf(cases, (given) => check(...given))).toMatchInlineSnapshot(`
      {
        "a rule that was not called": "INVALID_ARGUMENT: rule must be a merge rule, such as sum() or mergeRule({ … }), but was a function.",
        "changes that are no array": "INVALID_ARGUMENT: changes must be an array of at least two changes, but was 5.",
        "no change": "INVALID_ARGUMENT: changes must be an array of at least two changes, but was an empty array.",
        "no rule": "INVALID_ARGUMENT: rule must be a merge rule, such as sum() or mergeRule({ … }), but was undefined.",
        "one change": "INVALID_ARGUMENT: changes must be an array of at least two changes, but was an array of 1.",
        "the arguments the wrong way round": "INVALID_ARGUMENT: rule must be a merge rule, such as sum() or mergeRule({ … }), but was an array of 2.",
      }
    `)
  })
})

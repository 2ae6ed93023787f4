import { fc } from '@fast-check/vitest'
import { sum } from '@spillway/core'
import { expect, test } from 'vitest'

import { absorbedOf, absorbedText } from '../../src/absorbed-text.js'
import { fieldAttribute, sealedAttribute, writerAttribute } from '../../src/attributes.js'
import { stateOf } from '../../src/field-state.js'
import { numberText, wholeText } from '../../src/number-text.js'
import { stampOf, stampText } from '../../src/stamp-text.js'

test('two fields share an attribute only if they are one, and none has one of Spillway’s own', () => {
  const name = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('pk', '~fpk', '~pk', '~z', '~wa', '__proto__'))
  const taken = new Set(['pk'])
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(fieldAttribute(a, taken) === fieldAttribute(b, taken)).toBe(a === b)
      expect([sealedAttribute, 'pk', '__proto__']).not.toContain(fieldAttribute(a, taken))
      expect(fieldAttribute(a, taken)).not.toBe(writerAttribute(b))
    }),
  )
})

test('stamps sort as text as they do as stamps, and come back', () => {
  const number = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 5 }))
  const stamp = fc.record({ timeMs: number, order: number, writer: fc.constantFrom('', 'a', 'B', 'ab', '-_0Zz') })
  fc.assert(
    fc.property(stamp, stamp, (a, b) => {
      const byParts =
        a.timeMs - b.timeMs || a.order - b.order || (a.writer < b.writer ? -1 : a.writer > b.writer ? 1 : 0)
      const byText = Buffer.compare(Buffer.from(stampText(a)), Buffer.from(stampText(b)))
      expect(Math.sign(byText)).toBe(Math.sign(byParts))
      expect(stampOf(stampText(a))).toEqual(a)
    }),
  )
})

test('a double comes back from its text, and whole numbers from any of theirs', () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 })
  fc.assert(
    fc.property(double, fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (number, integer) => {
      fc.pre(number === 0 || Math.abs(number) >= 1e-130)
      expect(Number(numberText(number + 0, 'f'))).toBe(number + 0)
      expect(BigInt(wholeText(integer.toString())!)).toBe(integer)
    }),
  )
  expect(['5', '5.0', '1E+3', '1.5e1', '-2e0', '0.5', '1e-1', '', 'x'].map(wholeText)).toEqual([
    '5',
    '5',
    '1000',
    '15',
    '-2',
    undefined,
    undefined,
    undefined,
    undefined,
  ])
  expect(() => numberText(1e126, 'f')).toThrow('1e-130 to 1e126')
})

/** What a sum takes a stored number for. */
function taken(text: string): unknown {
  try {
    return stateOf({ name: 'total', rule: sum() }, { N: text })
  } catch {
    return 'refused'
  }
}

test('a short decimal is taken for whole exactly where it is', () => {
  const digits = fc.stringMatching(/^-?[0-9]{1,8}(\.[0-9]{1,5})?([eE][+-]?[0-9])?$/)
  fc.assert(
    fc.property(
      fc.oneof(digits, fc.constantFrom('4.999999999999', '0.000000000001', '-0', '9e9', '1e-9', '10000000E9')),
      (text) => {
        const whole = wholeText(text)
        const number = Number(BigInt(whole ?? '0'))
        // Beyond what a number holds exactly a total is a bigint.
        const total = Number.isSafeInteger(number) ? number : BigInt(whole ?? '0')
        expect(taken(text)).toBe(whole === undefined ? 'refused' : total)
      },
    ),
  )
})

test('absorbed shards come back from their text, which is short once whole doublings are in', () => {
  const generation = fc.integer({ min: 1, max: 2 ** 46 })
  const entries = fc.uniqueArray(
    fc.record({ index: fc.integer({ min: 1, max: 1_023 }), generation: fc.oneof(fc.constantFrom(7, 8), generation) }),
    { selector: ({ index }) => index, minLength: 1, maxLength: 40 },
  )
  fc.assert(
    fc.property(entries, (absorbed) => {
      expect(absorbedOf(absorbedText(absorbed))).toEqual(absorbed.toSorted((a, b) => a.index - b.index))
    }),
  )
  const whole = Array.from({ length: 63 }, (_, i) => ({
    index: i + 1,
    generation: 1_790_000_000_000 + Math.floor(Math.log2(i + 1)),
  }))
  expect(absorbedText(whole).length).toBeLessThanOrEqual(80)
  expect(absorbedOf(absorbedText(whole))).toEqual(whole)
  expect(absorbedOf(undefined)).toBeUndefined()
})

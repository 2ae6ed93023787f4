import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { compareSort, prefixEnd, sortBytes, sortOf, sortTypeOf, type SortValue } from '../../../src/item/sort-value.js'

/** Characters of every length in UTF-8, and those between which UTF-16 has another order. */
const characters = ['\u0000', 'a', 'b', '\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff']
const far = ['\u{10000}', '👋', '\u{10fffe}', '\u{10ffff}']
const character = fc.oneof(fc.constantFrom(...characters, ...far), fc.string({ unit: 'binary', maxLength: 1 }))
const text = fc.array(character, { maxLength: 5 }).map((list) => list.join(''))
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 1, -1, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 0.1 + 0.2, 0.3),
)
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), fc.integer({ min: 0, max: 255 }))
const bytes = fc.array(byte, { maxLength: 5 }).map((list) => Uint8Array.from(list))

const values: readonly (readonly [string, fc.Arbitrary<SortValue>])[] = [
  ['string', text],
  ['number', number],
  ['bytes', bytes],
]

type Text = string | Uint8Array

function joined(a: Text, b: Text): Text {
  return typeof a === 'string' ? a + String(b) : Uint8Array.from([...a, ...(b as Uint8Array)])
}

function beginsWith(text: Text, prefix: Text): boolean {
  const start = sortBytes(text).subarray(0, sortBytes(prefix).length)
  return Buffer.compare(start, sortBytes(prefix)) === 0
}

describe.each(values)('sort values of type %s', (type, value) => {
  test('are compared as their bytes are', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const expected = Buffer.compare(sortBytes(a), sortBytes(b))
        expect(Math.sign(compareSort(a, b))).toBe(expected)
        expect(Math.sign(compareSort(b, a))).toBe(0 - expected)
      }),
    )
  })

  test('come back from their bytes, and are of one type', () => {
    fc.assert(
      fc.property(value, (given) => {
        const back = sortOf(sortBytes(given), sortTypeOf(given))
        expect(back).toEqual(given === 0 ? 0 : given) // the one zero that there is
        expect(sortTypeOf(back)).toBe(type)
        expect(compareSort(back, given)).toBe(0)
      }),
    )
  })
})

test('numbers are ordered by value', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Math.sign(compareSort(a, b))).toBe(a < b ? -1 : a > b ? 1 : 0)
    }),
  )
})

const texts: readonly (readonly [string, fc.Arbitrary<Text>])[] = [
  ['text', text],
  ['bytes', bytes],
]

describe.each(texts)('the end of a prefix of %s', (_, any) => {
  test('is behind everything that begins with it', () => {
    fc.assert(
      fc.property(any, any, (prefix, rest) => {
        const end = prefixEnd(prefix)
        expect(end === undefined || compareSort(joined(prefix, rest), end) < 0).toBe(true)
      }),
    )
  })

  test('is before everything else that is behind the prefix', () => {
    fc.assert(
      fc.property(any, any, (prefix, other) => {
        fc.pre(!beginsWith(other, prefix) && compareSort(other, prefix) > 0)
        const end = prefixEnd(prefix)
        expect(end === undefined ? undefined : compareSort(other, end)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

import { fc } from '@fast-check/vitest'
import { compareSort, type ItemValue, type SortBound, type SortValue } from '@spillway/core'
import { expect, test } from 'vitest'

import { attributesOf, valueOf } from '../../src/item-attributes.js'
import { doubleOf } from '../../src/number-text.js'
import { isKeyValue, sortAttribute, sortOfAttribute } from '../../src/sort-attribute.js'
import { conditionOf, narrowed } from '../../src/sort-range.js'

const keys = new Set(['pk', 'sk'])
const name = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', 'pk', 'sk', '~fpk', '~', '~s', '~t', '~f', '~f~f', '~f__proto__', '__proto__', 'constructor'),
)
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true, min: -9.9e125, max: 9.9e125 })
  .filter((double) => double === 0 || Math.abs(double) >= 1e-130)
  .map((double) => double + 0)

const { object } = fc.letrec<{ object: ItemValue; part: unknown }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('part'), { maxLength: 4 }),
    tie('object'),
  ),
  // From its text: a literal would take `__proto__` for the prototype.
  object: fc.uniqueArray(fc.tuple(name, tie('part')), { selector: ([key]) => key, maxLength: 5 }).map((entries) => {
    const text = entries.map(([key, part]) => `${JSON.stringify(key)}:${JSON.stringify(part)}`)
    return JSON.parse(`{${text.join(',')}}`) as ItemValue
  }),
}))

test('any JSON object comes back the same, under attributes that DynamoDB can have and that are nobody else’s', () => {
  fc.assert(
    fc.property(object, (value) => {
      const item = attributesOf(value, keys)
      for (const attribute of ['pk', 'sk', '~s', '~t', '', '__proto__'])
        expect(Object.keys(item)).not.toContain(attribute)
      expect(namesIn(item).filter((found) => found === '' || found === '__proto__')).toEqual([])
      const key = { pk: { S: 'k' }, sk: { S: 'a' }, '~s': { S: 'stamp' }, '~t': { BOOL: true } }
      expect(JSON.stringify(valueOf({ ...item, ...key }, keys))).toBe(JSON.stringify(value))
    }),
    { numRuns: 500, examples: [[{ '"': '' }]] },
  )
})

/** Of attributes, however deep they are nested. */
function namesIn(part: unknown): readonly string[] {
  if (Array.isArray(part)) return part.flatMap(namesIn)
  if (typeof part !== 'object' || part === null) return []
  return Object.entries(part).flatMap(([found, nested]) => [found, ...namesIn(nested)])
}

test('a decimal is a double exactly where the double says the same', () => {
  const digits = fc.stringMatching(/^-?[0-9]{1,25}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?$/)
  fc.assert(
    fc.property(fc.oneof(digits, number.map(String)), (text) => {
      const double = doubleOf(text)
      const [mine, given] = [plain(String(Number(text))), plain(text)]
      expect(double).toBe(mine === given ? Number(text) + 0 : undefined)
    }),
  )
  expect(
    ['1', '1.0', '0.10', '-0', '1E+3', '9007199254740993', '0.1000000000000000055', '1e400'].map(doubleOf),
  ).toEqual([1, 1, 0.1, 0, 1_000, undefined, undefined, undefined])
})

/** A decimal as a whole number of 10^-450. */
function plain(text: string): bigint | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  if (whole === '') return undefined
  return BigInt(sign + whole + fraction) * 10n ** BigInt(450 + Number(exponent) - fraction.length)
}

const sorts = {
  string: fc.string({ unit: 'binary', maxLength: 3 }).filter((text) => text.isWellFormed()),
  number: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  bytes: fc.uint8Array({ maxLength: 2 }),
}

test.each(Object.entries(sorts))(
  'a sort value comes back from a key, and a narrowed range has the same of them: %s',
  (_, sort) => {
    const bound = fc.option(fc.record({ sort: sort as fc.Arbitrary<SortValue>, isIncluded: fc.boolean() }), {
      nil: undefined,
    })
    fc.assert(
      fc.property(sort as fc.Arbitrary<SortValue>, bound, bound, fc.boolean(), (value, lower, upper, isAscending) => {
        fc.pre(isKeyValue(value))
        expect(compareSort(sortOfAttribute(sortAttribute(value)), value)).toBe(0)
        const range = narrowed({ lower, upper })
        const isIn = isAbove(value, lower, 1) && isAbove(value, upper, -1)
        expect(range !== undefined && isAbove(value, range.lower, 1) && isAbove(value, range.upper, -1)).toBe(isIn)
        for (const end of [range?.lower, range?.upper]) expect(end === undefined || isKeyValue(end.sort)).toBe(true)
        const { start, values } = conditionOf(range ?? { lower: undefined, upper: undefined }, isAscending)
        expect([undefined, ...Object.values(values)]).toContainEqual(
          start === undefined ? undefined : sortAttribute(start),
        )
      }),
      { numRuns: 500 },
    )
  },
)

function isAbove(value: SortValue, bound: SortBound | undefined, sign: number): boolean {
  const place = bound === undefined ? 1 : sign * compareSort(value, bound.sort)
  return place > 0 || (place === 0 && bound?.isIncluded === true)
}

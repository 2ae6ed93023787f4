import { fc } from '@fast-check/vitest'
import { compareSort, type SortType, type SortValue } from '@spillway/core'
import { describe, expect, test } from 'vitest'

import { rangeOf, sortText, stampText, storedItemOf } from '../../src/item-text.js'

const stamp = fc.record({
  timeMs: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  order: fc.nat(),
  writer: fc.string({ maxLength: 12 }), // of printable ASCII
})
/** NUL and what may stand behind it in a member, more often than chance has it. */
const near = fc.string({ unit: fc.constantFrom('\0', '\u0001', '-', '0', '9', ':', '~', 'a', '\uffff', '👋') })
const sorts: Readonly<Record<SortType, fc.Arbitrary<SortValue>>> = {
  string: fc.oneof(fc.string({ unit: 'binary' }), near),
  number: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 })),
  bytes: fc.uint8Array({ maxLength: 8 }),
}

function memberOf(sort: SortValue, stampAs: string): string {
  return `${sortText(sort)}\0${stampAs}\n{"a":"\\n"}`
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}

/** Whether Redis finds a member in a range. */
function isWithin(member: string, [lower, upper]: readonly [string, string]): boolean {
  return (
    Buffer.compare(bytesOf(member), bytesOf(lower.slice(1))) >= 0 &&
    Buffer.compare(bytesOf(member), bytesOf(upper.slice(1))) < 0
  )
}

describe.each(['string', 'number', 'bytes'] as const)('sort values of type %s', (type) => {
  const sort = sorts[type]

  test('are ordered by their members’ bytes', () => {
    fc.assert(
      fc.property(sort, sort, stamp, stamp, (a, b, s, t) => {
        const order = Buffer.compare(bytesOf(memberOf(a, stampText(s))), bytesOf(memberOf(b, stampText(t))))
        const byStamp = Math.sign(Buffer.compare(bytesOf(stampText(s)), bytesOf(stampText(t))))
        expect(order).toBe(Math.sign(compareSort(a, b)) || byStamp)
      }),
    )
  })

  test('come back from their members, with their stamps', () => {
    fc.assert(
      fc.property(sort, stamp, (given, s) => {
        const timeMs = s.timeMs === 0 ? 0 : s.timeMs
        const item = { sort: given === 0 ? 0 : given, stamp: { ...s, timeMs }, value: { a: '\n' } }
        expect(storedItemOf(memberOf(given, stampText(s)), type)).toEqual(item)
      }),
    )
  })

  test('are in a range or not', () => {
    fc.assert(
      fc.property(sort, sort, fc.boolean(), stamp, (given, end, isIncluded, s) => {
        const member = memberOf(given, stampText(s))
        const order = compareSort(given, end)
        const bound = { sort: end, isIncluded }
        expect(isWithin(member, rangeOf(type, undefined, undefined))).toBe(true)
        expect(isWithin(member, rangeOf(type, bound, undefined))).toBe(order > 0 || (order === 0 && isIncluded))
        expect(isWithin(member, rangeOf(type, undefined, bound))).toBe(order < 0 || (order === 0 && isIncluded))
      }),
    )
  })
})

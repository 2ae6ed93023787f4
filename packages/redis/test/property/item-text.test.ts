import { compareSort, type SortType, type SortValue } from '@spillway/core'
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'

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
  test.prop([sorts[type], sorts[type], stamp, stamp])('are ordered by their members’ bytes', (a, b, s, t) => {
    const order = Buffer.compare(bytesOf(memberOf(a, stampText(s))), bytesOf(memberOf(b, stampText(t))))
    if (compareSort(a, b) !== 0) expect(order).toBe(Math.sign(compareSort(a, b)))
    else expect(sortText(a)).toBe(sortText(b))
  })

  test.prop([sorts[type], stamp])('come back from their members, with their stamps', (sort, given) => {
    const timeMs = given.timeMs === 0 ? 0 : given.timeMs
    const item = { sort: sort === 0 ? 0 : sort, stamp: { ...given, timeMs }, value: { a: '\n' } }
    expect(storedItemOf(memberOf(sort, stampText(given)), type)).toEqual(item)
  })

  test.prop([sorts[type], sorts[type], fc.boolean(), stamp])(
    'are in a range or not',
    (sort, end, isIncluded, given) => {
      const member = memberOf(sort, stampText(given))
      const order = compareSort(sort, end)
      const bound = { sort: end, isIncluded }
      expect(isWithin(member, rangeOf(type, undefined, undefined))).toBe(true)
      expect(isWithin(member, rangeOf(type, bound, undefined))).toBe(order > 0 || (order === 0 && isIncluded))
      expect(isWithin(member, rangeOf(type, undefined, bound))).toBe(order < 0 || (order === 0 && isIncluded))
    },
  )
})

import { describe, expect, test } from 'vitest'

import { stampOf, stampText, storedItemOf } from '../../src/item-text.js'

describe('what is no item', () => {
  test.each([
    [null],
    ['spost'],
    ['spost\0'],
    ['spost\x001 2 w'],
    ['spost\x001 2\n{}'],
    ['spost\x001 2 w\n{'],
    ['n00\x001 2 w\n{}'],
  ])('is refused by name: %j', (member) => {
    const type = String(member).startsWith('n') ? 'number' : 'string'
    const message = /something that Spillway did not write/
    expect(() => storedItemOf(member, type)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringMatching(message) as string }),
    )
  })
})

describe('a stamp', () => {
  test('stands as it can be read', () => {
    expect(stampText({ timeMs: 1_732_267_000_000.5, order: 3, writer: 'a b' })).toBe('1732267000000.5 3 a b')
    expect(stampOf('-1e+21 0 ')).toEqual({ timeMs: -1e21, order: 0, writer: '' })
  })

  test.each(['a\nb', 'é', '\0'])('of a writer that Redis would not order is refused: %j', (writer) => {
    expect(() => stampText({ timeMs: 1, order: 0, writer })).toThrow(/must be printable ASCII/)
  })
})

test('a tombstone has the time from which on it may go, and no value', () => {
  expect(storedItemOf('spost\x001 2 w\n1732267000000', 'string')).toEqual({
    sort: 'post',
    stamp: { timeMs: 1, order: 2, writer: 'w' },
    value: undefined,
  })
})

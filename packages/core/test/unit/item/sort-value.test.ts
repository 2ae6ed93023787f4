import { describe, expect, test } from 'vitest'
import { compareSort, prefixEnd, sortBytes, sortOf } from '../../../src/item/sort-value.js'

test('strings are ordered by their UTF-8, not by their UTF-16', () => {
  const [late, wide] = ['\ue000', '👋'] as [string, string]
  expect([late < wide, compareSort(late, wide) < 0]).toEqual([false, true])
})

test('both zeros are one value', () => {
  expect(sortBytes(-0)).toEqual(sortBytes(0))
  expect(sortOf(sortBytes(-0), 'number')).toBe(0)
})

describe('the end of a prefix', () => {
  test.each([
    ['a', 'b'],
    ['item-', 'item.'],
    ['\ud7ff', '\ue000'],
    ['a\u{10ffff}', 'b'],
    ['', undefined],
    ['\u{10ffff}\u{10ffff}', undefined],
  ])('of %j is %j', (prefix, end) => {
    expect(prefixEnd(prefix)).toBe(end)
  })

  test('of bytes is the next that has no more of them', () => {
    expect(prefixEnd(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 3))
    expect(prefixEnd(Uint8Array.of(1, 255, 255))).toEqual(Uint8Array.of(2))
    expect(prefixEnd(Uint8Array.of(255))).toBeUndefined()
  })

  test('leaves the prefix alone, a Buffer as well, whose slice shares its memory', () => {
    const prefix = Buffer.from([1, 2])
    expect(prefixEnd(prefix)).toEqual(Uint8Array.of(1, 3))
    expect([...prefix]).toEqual([1, 2])
  })
})

describe('bytes that no value has', () => {
  test('a number takes eight', () => {
    expect(() => sortOf(new Uint8Array(7), 'number')).toThrow(new RangeError('a number takes 8 bytes, not 7'))
  })

  test('a string takes UTF-8', () => {
    expect(() => sortOf(Uint8Array.of(0xff), 'string')).toThrow(new RangeError('the bytes are no UTF-8'))
  })

  test('a byte order mark is a character like any other', () => {
    expect(sortOf(sortBytes('\ufeffa'), 'string')).toBe('\ufeffa')
  })
})

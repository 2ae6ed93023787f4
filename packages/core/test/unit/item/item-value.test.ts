import { describe, expect, test } from 'vitest'
import { copyItem } from '../../../src/item/item-value.js'
import { refusalsOf } from '../../doubles/refusal.js'

function nested(depth: number): Record<string, unknown> {
  return depth === 1 ? {} : { a: nested(depth - 1) }
}

test('a copy is deep: the caller may go on changing what was given', () => {
  const given = { list: [1, { a: 1 }], inner: { b: 'x' } }
  const { value } = copyItem(given)
  given.list.push(2)
  ;(given.list[1] as { a: number }).a = 9
  given.inner.b = 'y'
  expect(value).toEqual({ list: [1, { a: 1 }], inner: { b: 'x' } })
})

test('a copy is frozen, down to its leaves', () => {
  const { value } = copyItem({ list: [{ a: 1 }] })
  const [first] = value['list'] as readonly object[]
  expect([value, value['list'], first].map((part) => Object.isFrozen(part))).toEqual([true, true, true])
})

test('any JSON is taken as it is, and what is undefined is left out', () => {
  const given = { no: undefined, nothing: null, yes: true, zero: -0, text: 'é👋', empty: {}, list: [[], ''], '': 1 }
  const { value } = copyItem(given)
  expect(value).toStrictEqual({ nothing: null, yes: true, zero: 0, text: 'é👋', empty: {}, list: [[], ''], '': 1 })
  expect(Object.is(value['zero'], 0)).toBe(true)
})

test('an object without a prototype is an object', () => {
  expect(copyItem(Object.assign(Object.create(null), { a: 1 })).value).toStrictEqual({ a: 1 })
})

test('a property named __proto__ is a property like any other', () => {
  const { value } = copyItem(JSON.parse('{"__proto__":{"a":1},"inner":{"__proto__":"x"}}'))
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"inner":{"__proto__":"x"}}')
})

test.each([{}, { a: 'x'.repeat(1_000) }, { 世界: '世界👋' }, { a: { b: [1, 2, 3], c: [null, true, false] } }])(
  'the size of %j is about that of its JSON, and never far below',
  (item) => {
    const { bytes } = copyItem(item)
    const { length } = Buffer.from(JSON.stringify(item))
    expect(bytes).toBeGreaterThanOrEqual(length * 0.9)
    expect(bytes).toBeLessThan(length * 2 + 10)
  },
)

describe('depth', () => {
  test('thirty levels are taken, one more is not', async () => {
    expect(copyItem(nested(30)).value).toEqual(nested(30))
    const path = `item${'.a'.repeat(30)}`
    expect(await refusalsOf({ objects: nested(31) }, copyItem)).toEqual({
      objects: `INVALID_ARGUMENT: ${path} must be nested at most 30 levels deep, but was "more".`,
    })
  })

  test('what holds itself is refused as too deep', () => {
    const given: Record<string, unknown> = {}
    given['a'] = [given]
    expect(() => copyItem(given)).toThrow('must be nested at most 30 levels deep')
  })
})

test('what is not JSON is refused, and where it stands is named', async () => {
  const cases: Record<string, unknown> = {
    nothing: undefined,
    null: null,
    'a text': 'x',
    'a list': [1],
    'a date': new Date(0),
    'a map': new Map(),
    'a date inside': { at: new Date(0) },
    'a bigint': { list: [1n] },
    'a function': { inner: { run: () => 1 } },
    'a symbol': { s: Symbol('x') },
    'undefined in a list': { list: [1, undefined] },
    'a hole in a list': { list: Object.assign([], { length: 2 }) },
    NaN: { n: NaN },
    Infinity: { a: { b: -Infinity } },
    'half a character': { text: 'a\ud83d' },
    'half a character in a name': { inner: { '\ude00': 1 } },
  }
  expect(await refusalsOf(cases, copyItem)).toMatchInlineSnapshot(`
    {
      "Infinity": "INVALID_ARGUMENT: item.a.b must be a finite number, but was -Infinity.",
      "NaN": "INVALID_ARGUMENT: item.n must be a finite number, but was NaN.",
      "a bigint": "INVALID_ARGUMENT: item.list[0] must be JSON, but was 1n. Give the collection a codec for other items.",
      "a date": "INVALID_ARGUMENT: item must be an object of JSON values, but was an instance of Date. Give the collection a codec for other items.",
      "a date inside": "INVALID_ARGUMENT: item.at must be JSON, but was an instance of Date. Give the collection a codec for other items.",
      "a function": "INVALID_ARGUMENT: item.inner.run must be JSON, but was a function. Give the collection a codec for other items.",
      "a hole in a list": "INVALID_ARGUMENT: item.list[0] must be JSON, but was undefined. Give the collection a codec for other items.",
      "a list": "INVALID_ARGUMENT: item must be an object of JSON values, but was an array of 1. Give the collection a codec for other items.",
      "a map": "INVALID_ARGUMENT: item must be an object of JSON values, but was an instance of Map. Give the collection a codec for other items.",
      "a symbol": "INVALID_ARGUMENT: item.s must be JSON, but was Symbol(x). Give the collection a codec for other items.",
      "a text": "INVALID_ARGUMENT: item must be an object of JSON values, but was "x". Give the collection a codec for other items.",
      "half a character": "INVALID_ARGUMENT: item.text must be a well-formed string, but was "a\\ud83d".",
      "half a character in a name": "INVALID_ARGUMENT: item.inner must be made of well-formed names, but was "\\ude00".",
      "nothing": "INVALID_ARGUMENT: item must be an object of JSON values, but was undefined. Give the collection a codec for other items.",
      "null": "INVALID_ARGUMENT: item must be an object of JSON values, but was null. Give the collection a codec for other items.",
      "undefined in a list": "INVALID_ARGUMENT: item.list[1] must be JSON, but was undefined. Give the collection a codec for other items.",
    }
  `)
})

import { describe, expect, test } from 'vitest'
import { latest, max, mergeRule, min, sum } from '../../../src/index.js'
import { codeOf, opened } from '../../doubles/opened.js'

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then'] as const

/** An object whose own, enumerable member has this name, whatever the name. */
function only(name: string, value: unknown): Record<string, never> {
  return Object.fromEntries([[name, value]]) as Record<string, never>
}

describe.each(names)('the name %s', (name) => {
  test('is an ordinary field', async () => {
    const { client } = await opened()
    const posts = client.records('post', { ...only('other', sum()), ...only(name, sum()) })
    const before = await posts.read('a')
    expect(Object.hasOwn(before, name)).toBe(true)
    await posts.write('a', only(name, 2))
    await posts.write('a', only(name, 3))
    const read = await posts.read('a')
    expect(Object.keys(read).toSorted()).toEqual([name, 'other'].toSorted())
    expect(Object.getOwnPropertyDescriptor(read, name)?.value).toBe(5)
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })

  test('is an ordinary key', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    expect(await posts.read(name)).toEqual({ views: 0 })
    await posts.write(name, { views: 1 })
    expect(await posts.read(name)).toEqual({ views: 1 })
  })

  test('is an unknown field where it was not declared', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    expect(await codeOf(posts.write('a', only(name, 1)))).toBe('INVALID_ARGUMENT')
    expect(backend.writes).toEqual([])
  })
})

describe('a change', () => {
  test('that is empty, inherited, undefined or no object is refused', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum(), title: latest<string>() })
    const inherited = Object.create({ views: 1 }) as object
    for (const change of [{}, inherited, { views: undefined }, { title: undefined }, [], [1], null, 1, 'views'])
      expect(await codeOf(posts.write('a', change as never))).toBe('INVALID_ARGUMENT')
    expect(backend.writes).toEqual([])
  })

  test('is taken as a whole or not at all', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum(), likes: sum() })
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    expect(await codeOf(posts.write('a', { views: 10, likes: Number.NaN }))).toBe('INVALID_ARGUMENT')
    const second = posts.write('a', { likes: 1 })
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([first, second])
    expect(await posts.read('a')).toEqual({ views: 1, likes: 1 })
  })
})

test('max and min keep the extremes, know one zero, and read as undefined where nothing was written', async () => {
  const { client } = await opened()
  const posts = client.records('post', { most: max(), least: min() })
  expect(await posts.read('a')).toEqual({ most: undefined, least: undefined })
  for (const n of [3, -7.5, 12, 0]) await posts.write('a', { most: n, least: n })
  expect(await posts.read('a')).toEqual({ most: 12, least: -7.5 })
  await posts.write('b', { most: -0 })
  expect((await posts.read('b')).most).toBe(0)
  expect(await codeOf(posts.write('b', { most: Number.POSITIVE_INFINITY }))).toBe('INVALID_ARGUMENT')
  expect(await codeOf(posts.write('b', { least: '1' as never }))).toBe('INVALID_ARGUMENT')
})

test("a user's rule reads as its empty where nothing was written", async () => {
  const { client } = await opened()
  const longest = mergeRule({
    empty: '',
    merge: (a, b) => (a.length > b.length || (a.length === b.length && a > b) ? a : b),
    encode: (state: string) => state,
    decode: (text) => text,
    isIdempotent: true,
  })
  const posts = client.records('post', { longest })
  expect(await posts.read('a')).toEqual({ longest: '' })
  await posts.write('a', { longest: 'abc' })
  await posts.write('a', { longest: 'ab' })
  expect(await posts.read('a')).toEqual({ longest: 'abc' })
})

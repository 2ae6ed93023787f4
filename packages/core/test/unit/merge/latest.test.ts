import { describe, expect, test } from 'vitest'
import { at, latest } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import { codeOf, opened } from '../../doubles/opened.js'

describe('latest', () => {
  test('reads as undefined where nothing was written, and as what was written last', async () => {
    const { client } = await opened()
    const posts = client.records('post', { title: latest<string>() })
    expect(await posts.read('a')).toEqual({ title: undefined })
    await posts.write('a', { title: 'first' })
    await posts.write('a', { title: 'second' })
    expect(await posts.read('a')).toEqual({ title: 'second' })
  })

  test('is stamped when write is called, not when it is sent', async () => {
    const clock = new FakeClock()
    const early = await opened({ clock })
    const late = await opened({ store: early.backend, clock, seed: 2 })
    const [a, b] = [early, late].map(({ client }) => client.records('post', { title: latest<string>() }))
    late.backend.holds.write = true
    const writing = b!.write('a', { title: 'called first, arrives last' })
    await clock.advance(10)
    await a!.write('a', { title: 'called last' })
    late.backend.heldWrites[0]?.pass()
    await writing
    expect(await a!.read('a')).toEqual({ title: 'called last' })
  })

  test('follows what it has read from a process whose clock is ahead', async () => {
    const ahead = await opened({ clock: new FakeClock({ wallMs: 1_700_000_030_000 }) })
    const behind = await opened({ store: ahead.backend, seed: 2 })
    const [a, b] = [ahead, behind].map(({ client }) => client.records('post', { title: latest<string>() }))
    await a!.write('a', { title: 'from the future' })
    expect(await b!.read('a')).toEqual({ title: 'from the future' })
    await b!.write('a', { title: 'later all the same' })
    expect(await b!.read('a')).toEqual({ title: 'later all the same' })
  })

  test('keeps the event that happened last, whenever it is written', async () => {
    const { client } = await opened()
    const posts = client.records('post', { title: latest<string>() })
    await posts.write('a', { title: at('noon', 12_000) })
    await posts.write('a', { title: at('morning', 6_000) })
    expect(await posts.read('a')).toEqual({ title: 'noon' })
    await posts.write('a', { title: at('noon, second edit', 12_000, 1) })
    await posts.write('a', { title: at('before 1970', -1) })
    expect(await posts.read('a')).toEqual({ title: 'noon, second edit' })
  })

  test('tells a timed value from one that looks alike', async () => {
    const { client } = await opened()
    const posts = client.records('post', { data: latest<object>() })
    await posts.write('a', { data: { value: 'x', timeMs: 1, order: 0 } })
    expect(await posts.read('a')).toEqual({ data: { value: 'x', timeMs: 1, order: 0 } })
  })

  test('keeps what was written, whatever becomes of the object', async () => {
    const { client } = await opened()
    const posts = client.records('post', { data: latest<{ tags: string[] }>() })
    const data = { tags: ['a'] }
    const writing = posts.write('a', { data })
    data.tags.push('b')
    await writing
    expect(await posts.read('a')).toEqual({ data: { tags: ['a'] } })
  })

  test('keeps __proto__, null, nested values and every kind of text', async () => {
    const { client } = await opened()
    const posts = client.records('post', { data: latest<unknown>() })
    const data = JSON.parse('{"__proto__":{"constructor":[null,true,-1.5e300,"ü\\ud83d\\ude00\\u0000"]}}') as unknown
    await posts.write('a', { data })
    const read = (await posts.read('a')).data
    expect(JSON.stringify(read)).toBe(JSON.stringify(data))
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })
})

/** A hole would come back as null, and a name would be dropped. */
const holed: number[] = [1]
holed[2] = 3
const named = Object.assign([1], { name: 'x' })
const cyclic: unknown[] = []
cyclic.push(cyclic)

describe('what JSON cannot give back is refused', () => {
  test.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['an infinite number', Number.NEGATIVE_INFINITY],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['an undefined member', { a: undefined }],
    ['an undefined element', [undefined]],
    ['an array with a hole', holed],
    ['an array with a name', named],
    ['something deep inside', { a: [{ b: Number.NaN }] }],
    ['a cycle', cyclic],
  ])('%s', async (_, data) => {
    const { client, backend } = await opened()
    const posts = client.records('post', { data: latest<unknown>() })
    expect(await codeOf(posts.write('a', { data }))).toBe('INVALID_ARGUMENT')
    expect(await codeOf(posts.write('a', { data: at(data, 0) }))).toBe('INVALID_ARGUMENT')
    expect(backend.writes).toEqual([])
  })

  test('with the path to it in the message', async () => {
    const { client } = await opened()
    const posts = client.records('post', { data: latest<unknown>() })
    await expect(posts.write('k', { data: { a: [new Date(0)] } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InvalidArgumentError: change["data"]["a"]["0"] must be a JSON value, but was an instance of Date. Convert it to plain data first.]`,
    )
    await expect(posts.write('k', { data: { a: [{ b: undefined }] } })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InvalidArgumentError: change["data"]["a"]["0"]["b"] must be a JSON value, but was undefined.]`,
    )
  })

  test('and so is nesting from 65 levels on', async () => {
    const { client } = await opened()
    const posts = client.records('post', { data: latest<unknown>() })
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    await posts.write('k', { data: nested(64) })
    await expect(posts.write('k', { data: nested(65) })).rejects.toThrow('nested at most 64 deep')
  })
})

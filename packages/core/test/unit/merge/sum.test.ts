import { describe, expect, test } from 'vitest'
import { sum } from '../../../src/index.js'
import { codeOf, opened, watchAll } from '../../doubles/opened.js'
import { unlimited } from '../../doubles/unlimited.js'

const most = Number.MAX_SAFE_INTEGER

describe('a sum of integers', () => {
  test('reads as 0 where nothing was written, and adds up to both ends of the safe integers', async () => {
    const { client } = await opened()
    const posts = client.records('post', { up: sum(), down: sum() })
    expect(await posts.read('a')).toEqual({ up: 0, down: 0 })
    await posts.write('a', { up: most - 1, down: -most })
    await posts.write('a', { up: 1 })
    expect(await posts.read('a')).toEqual({ up: most, down: -most })
  })

  test.each([1.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', async (change) => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    await expect(posts.write('a', { views: change })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(backend.writes).toEqual([])
  })

  test('refuses the change that takes its window out of the safe integers; the others of the window stand', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum(), likes: sum() })
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    const others = watchAll([
      posts.write('a', { views: most }),
      posts.write('a', { likes: 5, views: 1 }),
      posts.write('a', { views: -1 }),
      posts.write('a', { likes: 7 }),
    ])
    await clock.advance(0)
    expect(others.map(({ state }) => state)).toEqual(['open', 'rejected', 'open', 'open'])
    expect(others[1]?.error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(others[1]?.error?.message).toMatchInlineSnapshot(
      `"change["views"] must be a number with which the total of its window stays in range, but was 9007199254740992n. That is the total. This change is not in; those before it are. Write it again later."`,
    )
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await first
    await clock.advance(0)
    expect(others.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'resolved', 'resolved'])
    expect(backend.writes).toHaveLength(2)
    expect(await posts.read('a')).toEqual({ views: most, likes: 7 })
  })

  test('whose stored total has left them fails the read, is kept exactly, and reads as a bigint', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum(), likes: sum() })
    await posts.write('a', { views: most, likes: 1 })
    await posts.write('a', { views: 2 })
    const reading = posts.read('a')
    await expect(reading).rejects.toMatchObject({ code: 'VALUE_OUT_OF_RANGE', field: 'views', retryable: false })
    await expect(reading).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ValueOutOfRangeError: The stored value of field "views" is 9007199254740993, beyond the safe integers. Declare the field as sum({ type: 'bigint' }) to read it.]`,
    )
    const other = await opened({ store: backend, clock })
    const exact = other.client.records('post', { views: sum({ type: 'bigint' }) })
    expect(await exact.read('a')).toEqual({ views: 9_007_199_254_740_993n })
    await posts.write('a', { views: -2 })
    expect(await posts.read('a')).toEqual({ views: most, likes: 1 })
  })
})

describe('a sum of bigints', () => {
  test('goes up to what the backend stores exactly, in a change and in a window', async () => {
    const { client, backend, clock } = await opened()
    const { integerMax } = backend.capabilities
    const posts = client.records('post', { total: sum({ type: 'bigint' }) })
    expect(await codeOf(posts.write('a', { total: integerMax + 1n }))).toBe('INVALID_ARGUMENT')
    expect(await codeOf(posts.write('a', { total: -integerMax - 1n }))).toBe('INVALID_ARGUMENT')
    expect(backend.writes).toEqual([])
    backend.holds.write = true
    const first = posts.write('a', { total: 0n })
    const others = [posts.write('a', { total: integerMax }), posts.write('a', { total: 1n })].map(codeOf)
    expect(await others[1]).toBe('INVALID_ARGUMENT')
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await first
    expect(await others[0]).toBe('resolved')
    await clock.advance(0)
    expect(await posts.read('a')).toEqual({ total: integerMax })
  })

  test('reads as 0n where nothing was written', async () => {
    const { client } = await opened()
    expect(await client.records('post', { total: sum({ type: 'bigint' }) }).read('a')).toEqual({ total: 0n })
  })
})

describe('a sum of floats', () => {
  test('adds as doubles do, and fails the read once it has left their range', async () => {
    const { client } = await opened({ store: unlimited() })
    const posts = client.records('post', { weight: sum({ type: 'float' }) })
    await posts.write('a', { weight: 0.1 })
    await posts.write('a', { weight: 0.2 })
    expect(await posts.read('a')).toEqual({ weight: 0.1 + 0.2 })
    await posts.write('b', { weight: Number.MAX_VALUE })
    await posts.write('b', { weight: Number.MAX_VALUE })
    await expect(posts.read('b')).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ValueOutOfRangeError: The stored value of field "weight" is Infinity. The total has left the range of doubles.]`,
    )
  })

  test('refuses the change that would take its window out of their range', async () => {
    const { client, backend } = await opened({ store: unlimited() })
    const posts = client.records('post', { weight: sum({ type: 'float' }) })
    backend.holds.write = true
    const first = posts.write('a', { weight: 1 })
    const second = posts.write('a', { weight: Number.MAX_VALUE })
    expect(await codeOf(posts.write('a', { weight: Number.MAX_VALUE }))).toBe('INVALID_ARGUMENT')
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([first, second])
  })
})

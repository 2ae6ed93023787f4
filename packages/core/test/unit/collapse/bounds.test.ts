import { describe, expect, test } from 'vitest'
import { sum, union } from '../../../src/index.js'
import { codeOf, hotAtOnce, opened, refused, watch, watchAll } from '../../doubles/opened.js'

describe('at limits.keysMax', () => {
  test('a write to another key waits its turn, and one to a key that is under way does not', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 2 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const inside = watchAll(['a', 'b'].map((key) => posts.write(key, { views: 1 })))
    const waiting = watchAll(['c', 'd', 'c'].map((key) => posts.write(key, { views: 1 })))
    const joined = watch(posts.write('a', { views: 1 }, { ack: 'buffered' }))
    await clock.advance(0)
    expect(joined.state).toBe('resolved')
    expect(backend.writes.map(({ shard }) => shard.key)).toEqual(['a', 'b'])
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect(backend.writes.map(({ shard }) => shard.key)).toEqual(['a', 'b', 'c'])
    backend.holds.write = false
    for (const held of backend.heldWrites) held.pass()
    await clock.advance(0)
    expect([...inside, ...waiting].map(({ state }) => state)).toEqual(Array(5).fill('resolved'))
    expect(await posts.read('c')).toEqual({ views: 2 })
  })

  test('the caller after waitersMax is refused, and its change is not in', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1, waitersMax: 1 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const writings = watchAll(['a', 'b', 'c'].map((key) => posts.write(key, { views: 1 })))
    await clock.advance(0)
    expect(writings.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'LIMIT_REACHED'])
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(writings.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'rejected'])
    expect(await posts.read('c')).toEqual({ views: 0 })
  })

  test("with atLimit: 'reject' another key is refused at once, buffered or not", async () => {
    const { client, backend } = await opened({ limits: { keysMax: 1, atLimit: 'reject' } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    await expect(posts.write('b', { views: 1 })).rejects.toMatchObject({ limit: 'limits.keysMax', key: 'b' })
    expect(await codeOf(posts.write('b', { views: 1 }, { ack: 'buffered' }))).toBe('LIMIT_REACHED')
    backend.heldWrites[0]?.pass()
    await first
    expect(backend.writes).toHaveLength(1)
  })

  test('all records of a client count together', async () => {
    const { client, backend } = await opened({ limits: { keysMax: 1, atLimit: 'reject' } })
    const posts = client.records('post', { views: sum() })
    const pages = client.records('page', { hits: sum() }, { prefix: 'page/' })
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    expect(await codeOf(pages.write('a', { hits: 1 }))).toBe('LIMIT_REACHED')
    backend.heldWrites[0]?.pass()
    await first
  })
})

describe('at limits.bytesMax', () => {
  const large = 'x'.repeat(10_000)

  test('every change waits until bytes are written, also one to a key that is under way', async () => {
    const { client, backend, clock } = await opened({ limits: { bytesMax: 10_000 } })
    const posts = client.records('post', { tags: union() })
    backend.holds.write = true
    const first = watch(posts.write('a', { tags: [large] }))
    const waiting = watchAll([posts.write('a', { tags: ['y'] }), posts.write('b', { tags: ['y'] })])
    await clock.advance(0)
    expect(backend.writes).toHaveLength(1)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect([first, ...waiting].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(await posts.read('a')).toEqual({ tags: new Set([large, 'y']) })
  })

  test("with atLimit: 'reject' it is refused, and the error names the bound", async () => {
    const { client, backend } = await opened({ limits: { bytesMax: 10_000, atLimit: 'reject' } })
    const posts = client.records('post', { tags: union() })
    backend.holds.write = true
    const first = posts.write('a', { tags: [large] })
    for (const key of ['a', 'b'])
      await expect(posts.write(key, { tags: ['y'] })).rejects.toMatchObject({ limit: 'limits.bytesMax', max: 10_000 })
    backend.heldWrites[0]?.pass()
    await first
  })
})

describe("at the backend's changeBytesMax", () => {
  test('a change that is too large by itself is refused before anything is sent', async () => {
    const { client, backend } = await opened({ memory: { changeBytesMax: 1_000 } })
    const posts = client.records('post', { tags: union() })
    await expect(posts.write('a', { tags: ['x'.repeat(1_000)] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InvalidArgumentError: change must be at most 1000 bytes, the most that one write to the backend takes, but was "1081 bytes".]`,
    )
    expect(backend.writes).toEqual([])
    await posts.write('a', { tags: ['x'.repeat(900)] })
    expect(backend.writes).toHaveLength(1)
  })

  test('a change that no longer fits its window is refused; what is in stands, and the next window takes it', async () => {
    const { client, backend, clock } = await opened({ memory: { changeBytesMax: 1_000 } })
    const posts = client.records('post', { tags: union() })
    backend.holds.write = true
    const first = watch(posts.write('a', { tags: ['first'] }))
    const second = watch(posts.write('a', { tags: ['x'.repeat(800)] }))
    const third = posts.write('a', { tags: ['y'.repeat(200)] })
    await expect(third).rejects.toMatchObject({ code: 'LIMIT_REACHED', max: 1_000, key: 'a' })
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    const again = watch(posts.write('a', { tags: ['y'.repeat(200)] }))
    backend.holds.write = false
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect([first, second, again].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect((await posts.read('a')).tags.size).toBe(3)
  })
})

describe('once all is settled', () => {
  test.each([
    ['written', (held: { pass(): void }) => held.pass()],
    ['refused', (held: { fail(error: unknown): void }) => held.fail(refused)],
  ])('by being %s, the bounds are back at zero and no timer is left', async (_, settle) => {
    const limits = { keysMax: 2, bytesMax: 10_000, atLimit: 'reject' } as const
    const { client, backend, clock } = await opened({ limits, detection: hotAtOnce })
    const posts = client.records('post', { tags: union(), views: sum() })
    const timers = clock.timerCount
    for (let round = 0; round < 20; round++) {
      backend.holds.write = true
      const writings = watchAll([
        posts.write(`a${round}`, { tags: ['x'.repeat(4_000)] }),
        posts.write(`b${round}`, { views: 1 }),
        posts.write(`a${round}`, { tags: ['y'.repeat(4_000)], views: 1 }),
        posts.write(`a${round}`, { views: Number.NaN }),
      ])
      backend.holds.write = false
      for (const held of backend.heldWrites.splice(0)) settle(held)
      await clock.advance(200)
      expect(writings.map(({ error }) => error?.code)).not.toContain('LIMIT_REACHED')
      expect(writings.map(({ state }) => state)).not.toContain('open')
    }
    await clock.advance(1_000)
    expect(clock.timerCount).toBe(timers)
  })
})

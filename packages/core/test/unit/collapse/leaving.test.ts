import { describe, expect, test } from 'vitest'
import { sum } from '../../../src/index.js'
import { hotAtOnce, opened, watch, watchAll } from '../../doubles/opened.js'
import type { Opened } from '../../doubles/opened.js'

/** A client on which key `k` is hot and rests; its first write has landed. */
async function hot(windowMs = 100): Promise<Opened & { write: (n?: number) => Promise<void> }> {
  const world = await opened({ collapse: { windowMs }, detection: hotAtOnce })
  const posts = world.client.records('post', { views: sum() })
  await posts.write('k', { views: 1 })
  await world.clock.advance(50)
  await posts.write('k', { views: 1 })
  return { ...world, write: (n = 1) => posts.write('k', { views: n }) }
}

describe("a cold key's write", () => {
  test('leaves in the very call, and nothing waits for a timer', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const timers = clock.timerCount
    const writing = posts.write('k', { views: 1 })
    expect(backend.writes).toHaveLength(1)
    expect(clock.timerCount).toBe(timers)
    await writing
    const again = posts.write('k', { views: 2 })
    expect(backend.writes).toHaveLength(2)
    await again
    expect(backend.requestCount - backend.directoryRequests.length).toBe(2)
  })

  test('takes all that arrives while it is in flight into one next write', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const first = watch(posts.write('k', { views: 1 }))
    const others = watchAll([2, 3, 4].map((views) => posts.write('k', { views })))
    await clock.advance(0)
    expect(backend.writes).toHaveLength(1)
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(first.state).toBe('resolved')
    expect(others.map(({ state }) => state)).toEqual(['open', 'open', 'open'])
    expect(backend.writes.map(({ changes }) => changes.map(({ state }) => state))).toEqual([[1], [9]])
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect(others.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(await posts.read('k')).toEqual({ views: 10 })
  })

  test('takes along callers who were just told and write again at once', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    async function writeThrice(): Promise<void> {
      for (let i = 0; i < 3; i++) await posts.write('k', { views: 1 })
    }
    await Promise.all([1, 2, 3, 4, 5].map(writeThrice))
    expect(backend.writes.map(({ changes }) => changes[0]?.state)).toEqual([1, 5, 5, 4])
    expect(await posts.read('k')).toEqual({ views: 15 })
  })

  test('does not wait for those of other keys', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const writings = ['a', 'b', 'c'].map((key) => posts.write(key, { views: 1 }))
    expect(backend.writes.map(({ shard }) => shard.key)).toEqual(['a', 'b', 'c'])
    for (const held of backend.heldWrites) held.pass()
    await Promise.all(writings)
  })

  test('names only the fields that are changed, each once', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum(), likes: sum(), shares: sum() })
    backend.holds.write = true
    const first = posts.write('k', { likes: 1 })
    const others = [posts.write('k', { shares: 1 }), posts.write('k', { views: 1, shares: 1 })]
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([first, ...others])
    const written = backend.writes.map(({ changes }) => changes.map(({ name, state }) => [name, state]))
    expect(written).toEqual([
      [['likes', 1]],
      [
        ['views', 1],
        ['shares', 2],
      ],
    ])
  })
})

describe('a hot key', () => {
  test('does not rest with a windowMs of 0', async () => {
    const { backend, clock, write } = await hot(0)
    const timers = clock.timerCount
    const before = backend.writes.length
    for (let i = 0; i < 10; i++) await write()
    expect(backend.writes.length).toBe(before + 10)
    expect(clock.timerCount).toBe(timers)
  })

  test('is written at most once in windowMs, with nothing lost', async () => {
    const { backend, clock, client } = await hot(100)
    const posts = client.records('post', { views: sum() })
    const leftAtMs: number[] = []
    let seen = backend.writes.length
    const writings: Promise<void>[] = []
    for (let i = 0; i < 200; i++) {
      await clock.advance(5)
      writings.push(posts.write('k', { views: 1 }))
      if (backend.writes.length > seen) leftAtMs.push(clock.nowMs())
      expect(backend.writes.length - seen).toBeLessThanOrEqual(1)
      seen = backend.writes.length
    }
    expect(leftAtMs.length).toBe(10)
    for (const [i, ms] of leftAtMs.entries())
      expect(ms - (leftAtMs[i - 1] ?? 0)).toBeGreaterThanOrEqual(i === 0 ? 0 : 100)
    await clock.advance(100)
    await Promise.all(writings)
    expect(await posts.read('k')).toEqual({ views: 202 })
  })

  test('that has rested for its window is written at once', async () => {
    const { backend, clock, write } = await hot(100)
    const writing = watch(write())
    await clock.advance(99)
    expect(writing.state).toBe('open')
    await clock.advance(1)
    expect(writing.state).toBe('resolved')
    await clock.advance(100)
    const before = backend.writes.length
    const later = write()
    expect(backend.writes.length).toBe(before + 1)
    await later
  })

  test('has one flight, however long that takes', async () => {
    const { backend, clock, write } = await hot(100)
    backend.holds.write = true
    const writings: Promise<void>[] = []
    for (let i = 0; i < 9; i++) {
      writings.push(write())
      await clock.advance(100)
    }
    expect(backend.heldWrites).toHaveLength(1)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await clock.advance(100)
    await Promise.all(writings)
    expect(backend.writes.at(-1)?.changes[0]?.state).toBe(8)
  })

  test('leaves no timer behind once it rests without a change', async () => {
    const { clock, write } = await hot(100)
    await clock.advance(1_000)
    const timers = clock.timerCount
    const writing = write()
    expect(clock.timerCount).toBe(timers + 1)
    await writing
    await clock.advance(100)
    expect(clock.timerCount).toBe(timers)
  })
})

describe('callers of one window', () => {
  test('share one promise where they ask for nothing of their own', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const first = posts.write('k', { views: 1 })
    const [a, b] = [posts.write('k', { views: 1 }), posts.write('k', { views: 1 })]
    const own = posts.write('k', { views: 1 }, { signal: new AbortController().signal })
    expect(a).toBe(b)
    expect(a).not.toBe(first)
    expect(own).not.toBe(a)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([first, a, b, own])
    expect(backend.writes).toHaveLength(2)
  })
})

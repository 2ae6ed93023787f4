import { describe, expect, test } from 'vitest'
import { latest, sum, union } from '../../src/index.js'
import { hotAtOnce, opened, refused, watch } from '../doubles/opened.js'

const rules = { views: sum(), title: latest<string>(), tags: union() }

describe('a read of what is pending', () => {
  test('counts the open window of a resting key without sending it', async () => {
    const { client, backend, clock } = await opened({ detection: hotAtOnce, collapse: { windowMs: 1_000 } })
    const posts = client.records('post', rules)
    await posts.write('k', { views: 1 })
    await clock.advance(50)
    await posts.write('k', { views: 2 })
    const writing = watch(posts.write('k', { views: 4, title: 'pending', tags: ['x'] }))
    const writes = backend.writes.length
    expect(await posts.read('k')).toMatchObject({ views: 3, title: undefined })
    expect(await posts.read('k', { pending: true })).toEqual({ views: 7, title: 'pending', tags: new Set(['x']) })
    expect(writing.state).toBe('open')
    expect(backend.writes).toHaveLength(writes)
    await clock.advance(1_000)
    expect(writing.state).toBe('resolved')
    expect(await posts.read('k', { pending: true })).toMatchObject({ views: 7 })
  })

  test('counts a flight and the window behind it once each', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.write = true
    const writings = [watch(posts.write('k', { views: 1 })), watch(posts.write('k', { views: 2 }))]
    await backend.heldWrites[0]?.store()
    const reading = watch(posts.read('k', { pending: true }))
    await clock.advance(0)
    expect(reading.state).toBe('open')
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(reading.value).toMatchObject({ views: 3 })
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect(writings.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(await posts.read('k')).toMatchObject({ views: 3 })
  })

  test('does not count a flight that failed', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.write = true
    const writings = [watch(posts.write('k', { views: 1 })), watch(posts.write('k', { views: 2 }))]
    const reading = watch(posts.read('k', { pending: true }))
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    expect(reading.value).toMatchObject({ views: 2 })
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect(writings.map(({ state }) => state)).toEqual(['rejected', 'resolved'])
  })

  test('keeps a window from leaving while it reads, and no longer', async () => {
    const { client, backend, clock } = await opened({ detection: hotAtOnce, collapse: { windowMs: 100 } })
    const posts = client.records('post', rules)
    await posts.write('k', { views: 1 })
    await clock.advance(50)
    await posts.write('k', { views: 1 })
    const writing = watch(posts.write('k', { views: 1 }))
    const writes = backend.writes.length
    backend.holds.read = true
    const reading = watch(posts.read('k', { pending: true }))
    await clock.advance(500)
    expect(backend.writes).toHaveLength(writes)
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reading.value).toMatchObject({ views: 3 })
    expect(writing.state).toBe('resolved')
  })

  test('that comes while a window is kept back waits for it to leave, so that reads cannot keep it for ever', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.read = true
    backend.holds.write = true
    const writings = [watch(posts.write('k', { views: 1 }))]
    const first = watch(posts.read('k', { pending: true }))
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    writings.push(watch(posts.write('k', { views: 2 })))
    const others = Array.from({ length: 10 }, () => watch(posts.read('k', { pending: true })))
    await clock.advance(0)
    expect([backend.reads.length, backend.writes.length]).toEqual([1, 1])
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(first.value).toMatchObject({ views: 3 })
    expect(backend.writes).toHaveLength(2)
    backend.heldWrites[1]?.pass()
    backend.holds.read = false
    await clock.advance(0)
    expect(writings.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(others.map(({ value }) => (value as { views: number }).views)).toEqual(Array(10).fill(3))
  })

  test('that waits for room among the reads keeps nothing back meanwhile', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1 } })
    const posts = client.records('post', rules)
    backend.holds.write = true
    backend.holds.read = true
    const other = watch(posts.read('other'))
    const first = watch(posts.write('k', { views: 1 }))
    const reading = watch(posts.read('k', { pending: true }))
    backend.heldWrites[0]?.pass()
    backend.holds.write = false
    await clock.advance(0)
    const second = watch(posts.write('k', { views: 2 }))
    await clock.advance(0)
    expect([first, second, other, reading].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'open', 'open'])
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reading.value).toMatchObject({ views: 3 })
  })

  test('has its room before it waits for a flight, and one with others of its key', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 2 } })
    const posts = client.records('post', rules)
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const pending = [1, 2, 3].map(() => watch(posts.read('k', { pending: true })))
    expect(await posts.read('k')).toMatchObject({ views: 0 })
    expect(await posts.read('other')).toMatchObject({ views: 0 })
    backend.holds.read = true
    const others = [watch(posts.read('other')), watch(posts.read('third'))]
    await clock.advance(0)
    expect(backend.heldReads.map(({ request }) => request.shards[0]?.key)).toEqual(['other'])
    backend.heldWrites[0]?.pass()
    backend.holds.read = false
    await clock.advance(0)
    expect([writing, ...pending].map(({ state }) => state)).toEqual(Array(4).fill('resolved'))
    expect(pending.map(({ value }) => (value as { views: number }).views)).toEqual([1, 1, 1])
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(others.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
  })

  test('whose caller goes just as it gets room gives it back', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1 } })
    const posts = client.records('post', rules)
    backend.holds.read = true
    const first = posts.read('a')
    const caller = new AbortController()
    const reading = watch(posts.read('k', { pending: true, signal: caller.signal }))
    void first.then(() => caller.abort(new Error('the caller has gone')))
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reading.state).toBe('rejected')
    expect(await posts.read('b')).toMatchObject({ views: 0 })
    expect(await client.close()).toMatchObject({ failureCount: 0 })
  })

  test('is waited for by close(), from the moment that it has room', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const reading = watch(posts.read('k', { pending: true }))
    const closing = watch(client.close())
    backend.holds.read = true
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect([writing.state, closing.state, backend.closeCount]).toEqual(['resolved', 'open', 0])
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect([reading.state, closing.state, backend.closeCount]).toEqual(['resolved', 'resolved', 1])
    expect(reading.value).toMatchObject({ views: 1 })
  })

  test('of a key without any change of this client is an ordinary read', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', rules)
    expect(await posts.read('k', { pending: true })).toMatchObject({ views: 0 })
    expect(backend.reads).toHaveLength(1)
  })
})

test('whatever is read is frozen', async () => {
  const { client } = await opened()
  const posts = client.records('post', rules)
  await posts.write('k', { views: 1 })
  const plain = await posts.read('k')
  const pending = await posts.read('k', { pending: true })
  const { value } = await posts.read('k', { allowPartial: true })
  for (const read of [plain, pending, value]) {
    expect(Object.isFrozen(read)).toBe(true)
    expect(() => Object.assign(read, { views: 2 })).toThrow(TypeError)
  }
})

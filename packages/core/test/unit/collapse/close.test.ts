import { describe, expect, test } from 'vitest'
import { createClient, memory, sum } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { codeOf, hotAtOnce, lost, opened, refused, watch, watchAll } from '../../doubles/opened.js'

const nothing = { failures: [], failureCount: 0 }

describe('flush()', () => {
  test("sends a hot key's window without waiting for its time, and resolves when it is settled", async () => {
    const { client, backend, clock } = await opened({ detection: hotAtOnce, collapse: { windowMs: 60_000 } })
    const posts = client.records('post', { views: sum() })
    await posts.write('k', { views: 1 })
    await clock.advance(50)
    await posts.write('k', { views: 1 })
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(100)
    expect(writing.state).toBe('open')
    expect(await client.flush()).toEqual(nothing)
    expect(writing.state).toBe('resolved')
    expect(backend.writes).toHaveLength(3)
  })

  test('waits for what is in flight and for the window behind it, not for what comes later', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const before = watchAll([posts.write('k', { views: 1 }), posts.write('k', { views: 2 })])
    const flushing = watch(client.flush())
    const later = watch(posts.write('other', { views: 1 }))
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(flushing.state).toBe('open')
    backend.heldWrites.find(({ request }) => request.changes[0]?.state === 2)?.pass()
    await clock.advance(0)
    expect([...before, flushing, later].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved', 'open'])
  })

  test('reports what fails meanwhile, with its key, its count and its error', async () => {
    const { client, backend, clock } = await opened({ limits: { writeTimeoutMs: 1_000 } })
    const posts = client.records('post', { views: sum() }, { prefix: 'p/' })
    backend.holds.write = true
    const writings = watchAll([
      posts.write('a', { views: 1 }),
      posts.write('b', { views: 1 }),
      posts.write('a', { views: 1 }),
    ])
    const flushing = client.flush()
    backend.heldWrites[0]?.fail(refused)
    backend.heldWrites[1]?.fail(lost)
    await clock.advance(0)
    for (let i = 0; i < 100; i++) {
      for (const held of backend.heldWrites) held.fail(refused)
      await clock.advance(20)
    }
    const report = await flushing
    expect(writings.map(({ error }) => error?.code)).toEqual(['WRITE_REJECTED', 'WRITE_UNKNOWN', 'WRITE_REJECTED'])
    expect(report.failureCount).toBe(3)
    const told = report.failures.map(({ record, key, changeCount, error }) =>
      [record, key, changeCount, (error as { code: string }).code].join(' '),
    )
    expect(told.toSorted()).toEqual([
      'post p/a 1 WRITE_REJECTED',
      'post p/a 1 WRITE_REJECTED',
      'post p/b 1 WRITE_UNKNOWN',
    ])
  })

  test('on a client with nothing to send asks the backend for nothing', async () => {
    const { client, backend } = await opened()
    const before = backend.requestCount
    expect(await client.flush()).toEqual(nothing)
    expect(backend.requestCount).toBe(before)
  })
})

describe('close()', () => {
  test('settles what is in flight and what waits behind it, and only then closes the backend', async () => {
    const { client, backend, clock } = await opened({ detection: hotAtOnce })
    const posts = client.records('post', { views: sum() })
    await posts.write('k', { views: 0 })
    await clock.advance(50)
    backend.writes.length = 0
    backend.holds.write = true
    const writings = watchAll([
      posts.write('k', { views: 1 }),
      posts.write('k', { views: 2 }),
      posts.write('l', { views: 4 }),
    ])
    const closing = watch(client.close())
    const late = [posts.write('k', { views: 8 }), posts.write('new', { views: 8 }), posts.read('k')].map(codeOf)
    expect(await Promise.all(late)).toEqual(['CLOSED', 'CLOSED', 'CLOSED'])
    for (let i = 0; i < 3; i++) {
      expect([closing.state, backend.closeCount]).toEqual(['open', 0])
      backend.heldWrites[i]?.pass()
      await clock.advance(0)
    }
    expect(writings.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect([closing.state, closing.value, backend.closeCount]).toEqual(['resolved', nothing, 1])
    expect(backend.writes.map(({ changes }) => changes[0]?.state)).toEqual([1, 4, 2])
    expect(clock.timerCount).toBe(0)
  })

  test('called twice closes once and gives the same report', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const [first, second] = [client.close(), client.close()]
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    expect(await second).toBe(await first)
    expect((await first).failureCount).toBe(1)
    expect(await client.close()).toBe(await first)
    expect([writing.state, backend.closeCount]).toEqual(['rejected', 1])
  })

  test('reports what fails, also when a flush() at the same time reports it', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const reports = [client.flush(), client.flush(), client.close()]
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    expect((await Promise.all(reports)).map(({ failureCount }) => failureCount)).toEqual([1, 1, 1])
    expect(writing.state).toBe('rejected')
  })

  test('refuses those who wait at a bound: their changes were not accepted', async () => {
    const { client, backend } = await opened({ limits: { keysMax: 1 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    backend.holds.read = true
    const inside = [posts.write('a', { views: 1 }), posts.read('a')]
    const waiting = [posts.write('b', { views: 1 }), posts.read('b')].map(codeOf)
    const closing = client.close()
    expect(await Promise.all(waiting)).toEqual(['CLOSED', 'CLOSED'])
    backend.heldWrites[0]?.pass()
    backend.heldReads[0]?.pass()
    expect(await Promise.all(inside)).toEqual([undefined, { views: 1 }])
    expect(await closing).toEqual(nothing)
  })

  test('settles reads that are under way, also those that the store never answers', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const [answered, unanswered] = watchAll([posts.read('a'), posts.read('b')])
    const closing = watch(client.close())
    backend.heldReads[0]?.pass()
    await clock.advance(20_000)
    expect(answered?.state).toBe('resolved')
    expect(unanswered?.state).toBe('rejected')
    expect(closing.state).toBe('resolved')
    expect(clock.timerCount).toBe(0)
  })

  test('gives up on a write that the store never answers once its time is up, and says so', async () => {
    const { client, backend, clock } = await opened({ limits: { writeTimeoutMs: 2_000, requestTimeoutMs: 500 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const closing = watch(client.close())
    await clock.advance(4_000)
    expect(writing.error?.code).toBe('WRITE_UNKNOWN')
    expect(closing.value).toMatchObject({ failureCount: 1 })
    expect(clock.timerCount).toBe(0)
  })

  test('comes with `await using`', async () => {
    const clock = new FakeClock()
    const store = memory()
    {
      await using client = await createClient({ backend: store, clock, random: seededRandom(1) })
      await client.records('post', { views: sum() }).write('k', { views: 1 }, { ack: 'buffered' })
      expect(clock.timerCount).toBeGreaterThan(0)
    }
    expect(clock.timerCount).toBe(0)
  })
})

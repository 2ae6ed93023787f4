import { describe, expect, test } from 'vitest'
import { type Backend, BackendError, type ClientEvents, memory, sum, type ThrottleDetail } from '../../../src/index.js'
import { codeOf, opened, throttled, watch } from '../../doubles/opened.js'
import { openedSpread } from '../../doubles/spread.js'

const hidden: ThrottleDetail = { reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' }

/** A store whose client makes good by itself two throttles of every write and one of every read, and tells of it. */
function storeWithHiddenThrottles(): Backend {
  const inner = memory()
  return {
    ...inner,
    records: {
      write: async (write, call) => ({ ...(await inner.records.write(write, call)), throttles: [hidden, hidden] }),
      read: async (read, call) =>
        (await inner.records.read(read, call)).map((answer) =>
          answer.status === 'read' ? { ...answer, throttles: [hidden] } : answer,
        ),
      seal: (shard, fields, call) => inner.records.seal(shard, fields, call),
      absorb: (absorb, call) => inner.records.absorb(absorb, call),
      clear: (shard, retentionMs, call) => inner.records.clear(shard, retentionMs, call),
    },
  }
}

describe('counters()', () => {
  test('start at nothing and count neither what succeeds nor what is refused before it is sent', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    await posts.write('k', { views: 1 })
    await posts.read('k')
    await codeOf(posts.write('', { views: 1 }))
    const none = { throttledAttempts: 0, failedCalls: 0 }
    expect(client.counters()).toEqual({ writes: none, reads: none })
  })

  test('tell attempts that were throttled from calls that failed', async () => {
    const { client, clock, backend } = await opened({ limits: { writeTimeoutMs: 1_000 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const written = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(throttled)
    await clock.advance(100)
    backend.heldWrites[1]?.pass()
    await clock.advance(0)
    expect(written.state).toBe('resolved')
    expect(client.counters().writes).toEqual({ throttledAttempts: 1, failedCalls: 0 })

    const failing = [1, 2, 3].map(() => watch(posts.write('l', { views: 1 })))
    for (let ms = 0; ms < 4_000; ms += 10) {
      for (const held of backend.heldWrites.splice(0)) held.fail(throttled)
      await clock.advance(10)
    }
    expect(failing.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected'])
    const { throttledAttempts, failedCalls } = client.counters().writes
    expect(failedCalls).toBe(3)
    expect(throttledAttempts).toBe(backend.writes.length - 1)
  })

  test('count every reader of a read that failed', async () => {
    const { client, clock, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const reads = [1, 2, 3].map(() => watch(posts.read('k')))
    for (let ms = 0; ms < 10_000; ms += 10) {
      for (const held of backend.heldReads.splice(0)) held.fail(throttled)
      await clock.advance(10)
    }
    expect(reads.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(client.counters().reads).toEqual({ throttledAttempts: backend.reads.length, failedCalls: 3 })
  })

  test('count every reader of a value of which a shard is missing, and none who takes what there is', async () => {
    const world = await openedSpread(2)
    const { client, clock, backend } = world
    const posts = client.records('post', { views: sum() })
    const contents = { status: 'read', states: [1] } as const
    backend.holds.read = true
    const reads = [watch(posts.read('hot')), watch(posts.read('hot'))]
    const failure = { status: 'failed', error: new BackendError('invalid', 'Spoiled.') } as const
    backend.heldReads[0]?.with([contents, failure])
    await clock.advance(0)
    backend.heldReads[1]?.with([contents, failure])
    await clock.advance(0)
    expect(reads.map(({ error }) => error?.code)).toEqual(['PARTIAL_READ', 'PARTIAL_READ'])
    expect(client.counters().reads.failedCalls).toBe(2)
    const partial = watch(posts.read('hot', { allowPartial: true }))
    backend.heldReads[2]?.with([contents, failure])
    await clock.advance(0)
    expect(partial.value).toMatchObject({ isPartial: true, value: { views: 1 } })
    expect(client.counters().reads.failedCalls).toBe(2)
  })

  test('count a reader with wishes of its own once, and none that was refused before it was sent', async () => {
    const { client, clock, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const reads = [watch(posts.read('k')), watch(posts.read('k', { pending: true })), watch(posts.read('k'))]
    for (let ms = 0; ms < 10_000; ms += 10) {
      for (const held of backend.heldReads.splice(0)) held.fail(new BackendError('invalid', 'Spoiled.'))
      await clock.advance(10)
    }
    expect(reads.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await codeOf(posts.read('', { pending: true }))).toBe('INVALID_ARGUMENT')
    expect(client.counters().reads.failedCalls).toBe(3)
  })

  test('and events show throttles that the client of the store made good by itself', async () => {
    const { client } = await opened({ store: storeWithHiddenThrottles() })
    const posts = client.records('post', { views: sum() })
    const throttles: ClientEvents['throttle'][] = []
    client.on('throttle', (event) => throttles.push(event))
    await posts.write('k', { views: 1 })
    await posts.read('k')
    expect(throttles.map(({ side }) => side)).toEqual(['write', 'write', 'read'])
    const { writes, reads } = client.counters()
    expect([writes.throttledAttempts, reads.throttledAttempts]).toEqual([2, 1])
  })

  test('count the throttle of an attempt that was given up before it was answered', async () => {
    const { client, clock, backend } = await opened({ limits: { requestTimeoutMs: 100 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const written = watch(posts.write('k', { views: 1 }))
    backend.holds.write = false
    await clock.advance(500)
    expect(written.state).toBe('resolved')
    backend.heldWrites[0]?.fail(throttled)
    await clock.advance(0)
    expect(client.counters().writes).toEqual({ throttledAttempts: 1, failedCalls: 0 })
  })

  test('count the throttle of an attempt of which nobody knows whether it was done', async () => {
    const { client, clock, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.write = true
    const written = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(new BackendError('unknown', 'An earlier copy may be in.', { throttle: hidden }))
    backend.holds.write = false
    await clock.advance(200)
    expect(written.state).toBe('resolved')
    expect(client.counters().writes).toEqual({ throttledAttempts: 1, failedCalls: 0 })
    expect(backend.writes[1]).toEqual(backend.writes[0])
  })
})

describe('a throttle', () => {
  test.each([
    ['a partition of an index', 'index-key-range', 30, []],
    ['a partition of the table', 'key-range', 0, ['k']],
  ] as const)('by %s', async (_, scope, eventCount, hotKeys) => {
    const { client, clock, backend } = await opened({ detection: { hotWritesPerSecond: 100 } })
    const posts = client.records('post', { views: sum() })
    const events: ClientEvents['index-throttle'][] = []
    client.on('index-throttle', (event) => events.push(event))
    const throttle = { reason: 'SomeKeyRangeThroughputExceeded', resource: 'table/t/index/i', scope }
    backend.holds.write = true
    for (let i = 0; i < 30; i++) {
      const written = watch(posts.write('k', { views: 1 }))
      backend.heldWrites.splice(0)[0]?.fail(new BackendError('throttled', 'No.', { throttle }))
      await clock.advance(100)
      for (const held of backend.heldWrites.splice(0)) held.pass()
      await clock.advance(0)
      expect(written.state).toBe('resolved')
    }
    expect(events).toHaveLength(eventCount)
    const { reason, resource: index } = throttle
    for (const event of events) expect(event).toEqual({ key: 'k', index, side: 'write', reason })
    expect(client.hotKeys().map(({ key }) => key)).toEqual(hotKeys)
  })
})

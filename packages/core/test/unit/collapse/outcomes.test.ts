import { describe, expect, test } from 'vitest'
import { type ClientEvents, max, type Records, sum } from '../../../src/index.js'
import { lost, opened, type Opened, refused, throttled, watch, watchAll } from '../../doubles/opened.js'

interface Posts extends Opened {
  readonly posts: Records<{ readonly views: ReturnType<typeof sum> }>
}

async function posted(options: Parameters<typeof opened>[0] = {}): Promise<Posts> {
  const world = await opened(options)
  return { ...world, posts: world.client.records('post', { views: sum() }) }
}

describe('a write that fails', () => {
  test('rejects exactly the callers whose changes it carried: «rejected: not written»', async () => {
    const { posts, backend, clock } = await posted()
    backend.holds.write = true
    const first = watch(posts.write('k', { views: 1 }))
    const carried = watchAll([posts.write('k', { views: 2 }), posts.write('k', { views: 4 })])
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    const after = watch(posts.write('k', { views: 8 }))
    const other = watch(posts.write('other', { views: 1 }))
    backend.heldWrites[1]?.fail(refused)
    await clock.advance(0)
    for (const held of backend.heldWrites.slice(2)) held.pass()
    await clock.advance(0)
    expect([first, ...carried, after, other].map(({ state }) => state)).toEqual([
      'resolved',
      'rejected',
      'rejected',
      'resolved',
      'resolved',
    ])
    expect(carried[0]?.error).toBe(carried[1]?.error)
    expect(carried[0]?.error).toMatchObject({ code: 'WRITE_REJECTED', key: 'k', retryable: true, cause: refused })
    expect(carried[0]?.error?.message).toMatchInlineSnapshot(`"rejected: not written. Key "k": The store refused it."`)
    expect(await posts.read('k')).toEqual({ views: 9 })
  })

  test('for want of any answer says «unknown: may be written» once its time is up', async () => {
    const { posts, backend, clock } = await posted({ limits: { requestTimeoutMs: 500, writeTimeoutMs: 2_000 } })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(1_900)
    expect(writing.state).toBe('open')
    await clock.advance(1_200)
    expect(writing.error).toMatchObject({ code: 'WRITE_UNKNOWN', key: 'k', retryable: false })
    expect(backend.writes.length).toBeGreaterThan(1)
    expect(new Set(backend.writes.map(({ stamp }) => stamp?.sequence)).size).toBe(1)
  })

  test('after an attempt that may be in stays «unknown», whatever later attempts say', async () => {
    const { posts, backend, clock } = await posted()
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(lost)
    await clock.advance(100)
    backend.heldWrites[1]?.fail(refused)
    await clock.advance(0)
    expect(writing.error?.code).toBe('WRITE_UNKNOWN')
    expect(writing.error?.message).toMatchInlineSnapshot(
      `"unknown: may be written, once or not at all. Key "k": The store refused it."`,
    )
  })

  test('whose only answer comes after the retry horizon is «unknown»: its shard may have been merged back and gone', async () => {
    const routing = { retryHorizonMs: 60_000, sealRetentionMs: 61_000 }
    const { posts, backend, clock } = await posted({ routing })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    clock.jumpWall(60_000) // the machine is suspended, and its monotonic clock stands still: no timer is due
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(writing.error).toMatchObject({ code: 'WRITE_UNKNOWN', retryable: false })
  })

  test('because it was throttled until its time was up is «rejected»', async () => {
    const { posts, backend, clock } = await posted({ limits: { writeTimeoutMs: 3_000 } })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    for (let ms = 0; ms < 6_000; ms += 50) {
      backend.heldWrites.at(-1)?.fail(throttled)
      await clock.advance(50)
    }
    expect(writing.error).toMatchObject({ code: 'WRITE_REJECTED', cause: throttled })
    expect(writing.error?.message).toMatch(
      /^rejected: not written\. Key "k": No success within 3000 ms and \d+ attempts\. The last error: .+$/,
    )
  })
})

describe('a retry', () => {
  test.each([
    ['throttled', throttled],
    ['lost', lost],
  ])('of a write that was %s counts once', async (_, error) => {
    const { posts, backend, clock } = await posted()
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    if (error === lost) await backend.heldWrites[0]?.store()
    backend.heldWrites[0]?.fail(error)
    backend.holds.write = false
    await clock.advance(1_000)
    expect(writing.state).toBe('resolved')
    expect(await posts.read('k')).toEqual({ views: 1 })
    expect(backend.writes).toHaveLength(2)
  })

  test('waits longer from attempt to attempt, at most a second', async () => {
    const { posts, backend, clock } = await posted({ limits: { writeTimeoutMs: 60_000, requestTimeoutMs: 60_000 } })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const gaps: number[] = []
    for (let ms = 0, since = 0; gaps.length < 12 && ms < 30_000; ms++) {
      const count = backend.heldWrites.length
      if (ms === 0 || since === -1) backend.heldWrites.at(-1)?.fail(throttled)
      if (since === -1) since = ms
      await clock.advance(1)
      if (backend.heldWrites.length > count) {
        gaps.push(ms - since)
        since = -1
      }
    }
    expect(gaps).toHaveLength(12)
    expect(Math.max(...gaps.slice(0, 2))).toBeLessThanOrEqual(50)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000)
    expect(Math.max(...gaps)).toBeGreaterThan(200)
    backend.heldWrites.at(-1)?.pass()
    await clock.advance(0)
    expect(writing.state).toBe('resolved')
  })

  test('takes a higher number where the shard has forgotten that much, for a first attempt only', async () => {
    const { posts, backend, clock } = await posted()
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    const forgottenUpTo = (backend.writes[0]?.stamp?.sequence ?? 0) + 1_000_000
    backend.heldWrites[0]?.with({ status: 'expired', forgottenUpTo })
    await clock.advance(100)
    expect(backend.writes[1]?.stamp?.sequence).toBe(forgottenUpTo + 1)
    backend.heldWrites[1]?.fail(lost)
    await clock.advance(100)
    expect(backend.writes[2]?.stamp).toEqual(backend.writes[1]?.stamp)
    backend.heldWrites[2]?.with({ status: 'expired', forgottenUpTo: forgottenUpTo * 2 })
    await clock.advance(0)
    expect(writing.error).toMatchObject({ code: 'WRITE_UNKNOWN' })
    expect(backend.writes).toHaveLength(3)
  })

  test.each([
    ['before the routes are known anew', true],
    ['one after the other', false],
  ])('is made once, when several attempts are answered with «sealed» %s', async (_, isTogether) => {
    const { posts, backend, clock } = await posted({ limits: { requestTimeoutMs: 200 } })
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(400)
    expect(backend.heldWrites).toHaveLength(2)
    backend.holds.directory = isTogether
    backend.heldWrites[0]?.with({ status: 'sealed' })
    await clock.advance(0)
    backend.heldWrites[1]?.with({ status: 'sealed' })
    await clock.advance(0)
    for (const held of backend.heldDirectory) held.pass()
    await clock.advance(100)
    expect(backend.heldWrites).toHaveLength(3)
    backend.heldWrites[2]?.pass()
    await clock.advance(0)
    expect(writing.state).toBe('resolved')
  })

  test('that waits is given up when an earlier attempt turns out to be answered', async () => {
    const { posts, backend, clock } = await posted({ limits: { requestTimeoutMs: 200 } })
    const timers = clock.timerCount
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(200)
    while (backend.heldWrites.length === 1 && clock.timerCount === timers) await clock.advance(1)
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(writing.state).toBe('resolved')
    expect(clock.timerCount).toBe(timers)
    await clock.advance(2_000)
    expect(backend.writes.length).toBeLessThanOrEqual(2)
    expect(await posts.read('k')).toEqual({ views: 1 })
  })

  test('after «sealed» leaves no other retry behind that was waiting', async () => {
    const { posts, backend, clock } = await posted({ limits: { requestTimeoutMs: 200 } })
    const timers = clock.timerCount
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(200)
    while (backend.heldWrites.length === 1 && clock.timerCount === timers) await clock.advance(1)
    backend.heldWrites[0]?.with({ status: 'sealed' })
    await clock.advance(100)
    expect(backend.heldWrites).toHaveLength(2)
    backend.heldWrites[1]?.pass()
    await clock.advance(1_000)
    expect(writing.state).toBe('resolved')
    expect(backend.writes).toHaveLength(2)
  })
})

describe('a number', () => {
  test('goes with a write whose fields would count twice, and with no other', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum(), high: max() })
    await posts.write('k', { high: 1 })
    await posts.write('k', { high: 1, views: 1 })
    await posts.write('k', { views: 1 })
    expect(backend.writes.map(({ stamp }) => stamp !== undefined)).toEqual([false, true, true])
    const [, a, b] = backend.writes.map(({ stamp }) => stamp)
    expect(b?.writer).toBe(a?.writer)
    expect(b?.sequence).toBeGreaterThan(a?.sequence ?? 0)
  })

  test('has a writer of its own for each record and each client', async () => {
    const { client, backend, clock } = await opened()
    const other = await opened({ store: backend, clock, seed: 2 })
    await client.records('post', { views: sum() }).write('k', { views: 1 })
    await client.records('page', { hits: sum() }).write('k', { hits: 1 })
    await other.client.records('post', { views: sum() }).write('k', { views: 1 })
    const writers = backend.writes.map(({ stamp }) => stamp?.writer ?? '')
    expect(new Set(writers).size).toBe(3)
    for (const writer of writers) expect(writer).toMatch(/^[\w-]{12}$/)
  })
})

describe('a buffered write', () => {
  test('resolves on acceptance, and its loss is told by flush() once', async () => {
    const { posts, backend, client, clock } = await posted()
    const lostEvents: ClientEvents['write-lost'][] = []
    client.on('write-lost', (event) => lostEvents.push(event))
    backend.holds.write = true
    const buffered = watch(posts.write('k', { views: 1 }, { ack: 'buffered' }))
    await clock.advance(0)
    expect(buffered.state).toBe('resolved')
    const second = watch(posts.write('k', { views: 1 }, { ack: 'buffered' }))
    const third = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    backend.heldWrites[1]?.fail(refused)
    await clock.advance(0)
    expect([second.state, third.state]).toEqual(['resolved', 'rejected'])
    expect(lostEvents.map(({ changeCount }) => changeCount)).toEqual([1, 1])
    expect(lostEvents[0]).toMatchObject({ record: 'post', key: 'k', error: { code: 'WRITE_REJECTED' } })
    const report = await client.flush()
    expect(report.failureCount).toBe(2)
    expect(report.failures.map(({ key, changeCount }) => [key, changeCount])).toEqual([
      ['k', 1],
      ['k', 2],
    ])
    expect(await client.flush()).toEqual({ failures: [], failureCount: 0 })
  })

  test('that is lost at the end is told by close()', async () => {
    const { posts, backend, client, clock } = await posted()
    backend.holds.write = true
    await posts.write('k', { views: 1 }, { ack: 'buffered' })
    const closing = client.close()
    await clock.advance(0)
    backend.heldWrites[0]?.fail(refused)
    const report = await closing
    expect(report).toMatchObject({ failureCount: 1, failures: [{ record: 'post', key: 'k', changeCount: 1 }] })
    expect(report.failures[0]?.error).toMatchObject({ code: 'WRITE_REJECTED' })
  })

  test('that is refused says so at once', async () => {
    const { posts } = await posted()
    await expect(posts.write('k', { views: 0.5 }, { ack: 'buffered' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  test('whose failure was told to its callers alone is in no report', async () => {
    const { posts, backend, client, clock } = await posted()
    backend.holds.write = true
    const writing = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(refused)
    await clock.advance(0)
    expect(writing.state).toBe('rejected')
    expect(await client.flush()).toEqual({ failures: [], failureCount: 0 })
  })

  test('that many lose is counted, and a thousand of them are listed', async () => {
    const { posts, backend, client, clock } = await posted()
    backend.holds.write = true
    for (let i = 0; i < 1_001; i++) await posts.write(`k${i}`, { views: 1 }, { ack: 'buffered' })
    for (const held of backend.heldWrites) held.fail(refused)
    await clock.advance(0)
    const report = await client.flush()
    expect(report.failureCount).toBe(1_001)
    expect(report.failures).toHaveLength(1_000)
  })
})

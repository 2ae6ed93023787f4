import { describe, expect, test } from 'vitest'
import type { ShardAnswer } from '../../../src/index.js'
import { BackendError, latest, max, sum } from '../../../src/index.js'
import { opened, throttled, watch } from '../../doubles/opened.js'
import { openedSpread, shardsOf } from '../../doubles/spread.js'
import { call, stampOf } from '../backend/requests.js'

const rules = { views: sum(), high: max() }
const invalid = new BackendError('invalid', 'Never.')

/** A key spread over `fanout` shards; shard i holds 10^i views. */
async function spreadKey(fanout: number, options: Parameters<typeof openedSpread>[1] = {}) {
  const world = await openedSpread(fanout, options)
  const posts = world.client.records('post', rules)
  const shards = await shardsOf(world, () => posts.read('hot'))
  for (const [i, shard] of shards.entries()) {
    const changes = [{ name: 'views', rule: rules.views, state: 10 ** i }]
    await world.backend.records.write({ shard, changes, stamp: stampOf(`w${i}`, 1) }, call)
  }
  return { ...world, posts, shards }
}

describe('a read of a spread key', () => {
  test('takes all its shards in one request where the backend can', async () => {
    const { posts, backend } = await spreadKey(8)
    const before = backend.reads.length
    expect(await posts.read('hot')).toEqual({ views: 11_111_111, high: undefined })
    expect(backend.reads.length - before).toBe(1)
    expect(backend.reads.at(-1)?.shards.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('takes them in batches of shardsPerReadMax, concurrencyMax at a time', async () => {
    const { posts, backend, clock } = await spreadKey(8, {
      memory: { shardsPerReadMax: 3 },
      gather: { concurrencyMax: 2 },
    })
    backend.reads.length = 0
    backend.holds.read = true
    const reading = posts.read('hot')
    const sizes: number[] = []
    for (let done = 0; done < 3; done++) {
      await clock.advance(0)
      sizes.push(backend.reads.length - done)
      backend.heldReads[done]?.pass()
    }
    expect(await reading).toMatchObject({ views: 11_111_111 })
    expect(sizes).toEqual([2, 2, 1])
    expect(backend.reads.map(({ shards }) => shards.length)).toEqual([3, 3, 2])
  })

  test('takes one shard a request where the backend knows no batches', async () => {
    const { posts, backend } = await spreadKey(4, { memory: { shardsPerReadMax: 1 } })
    backend.reads.length = 0
    expect(await posts.read('hot')).toMatchObject({ views: 1_111 })
    expect(backend.reads.map(({ shards }) => shards.length)).toEqual([1, 1, 1, 1])
  })

  test('asks again for the shards that were throttled, and for no other', async () => {
    const { posts, backend, clock } = await spreadKey(4)
    backend.reads.length = 0
    backend.holds.read = true
    const reading = watch(posts.read('hot'))
    backend.heldReads[0]?.with(await failing(backend, backend.heldReads[0].request, [1, 3]))
    backend.holds.read = false
    await clock.advance(100)
    expect(reading).toMatchObject({ state: 'resolved', value: { views: 1_111 } })
    expect(backend.reads.map(({ shards }) => shards.map(({ index }) => index))).toEqual([
      [0, 1, 2, 3],
      [1, 3],
    ])
  })

  test('leaves out a shard that another of this gather has absorbed', async () => {
    const { posts, backend, clock, shards } = await spreadKey(4)
    const fields = Object.entries(rules).map(([name, rule]) => ({ name, rule }))
    const [target, , , source] = shards
    const contents = await backend.records.seal(source!, fields, call)
    await backend.records.absorb({ target: target!, source: source!, contents, fields }, call)
    expect(await posts.read('hot')).toMatchObject({ views: 1_111 })
    backend.holds.read = true
    const reading = watch(posts.read('hot', { allowPartial: true }))
    await keepFailing({ backend, clock }, [3], 2_500)
    expect(reading.value).toMatchObject({ value: { views: 1_111 }, isPartial: false, missingShards: [] })
  })
})

type Backend = Awaited<ReturnType<typeof spreadKey>>['backend']

/** What the store would answer, but with these shards throttled. */
async function failing(
  backend: Backend,
  request: Parameters<Backend['records']['read']>[0],
  indexes: readonly number[],
): Promise<readonly ShardAnswer[]> {
  const isHeld = backend.holds.read
  backend.holds.read = false
  const answers = await backend.records.read(request, call)
  backend.reads.pop()
  backend.holds.read = isHeld
  const failed: ShardAnswer = { status: 'failed', error: throttled }
  return answers.map((answer, i) => (indexes.includes(request.shards[i]?.index ?? -1) ? failed : answer))
}

/** Answers every read, now and for a while, with these shards throttled. */
async function keepFailing(
  world: { backend: Backend; clock: { advance(ms: number): Promise<void> } },
  indexes: readonly number[],
  forMs: number,
) {
  const { backend, clock } = world
  backend.holds.read = true
  for (let ms = 0; ms < forMs; ms += 50) {
    for (const held of backend.heldReads.splice(0)) held.with(await failing(backend, held.request, indexes))
    await clock.advance(50)
  }
}

describe('a shard that cannot be read', () => {
  test('fails the read with PARTIAL_READ, which names it', async () => {
    const world = await spreadKey(4, { gather: { shardTimeoutMs: 1_000 } })
    world.backend.holds.read = true
    const reading = watch(world.posts.read('hot'))
    await keepFailing(world, [1, 2], 1_500)
    expect(reading.error).toMatchObject({
      code: 'PARTIAL_READ',
      key: 'hot',
      missingShards: [1, 2],
      retryable: true,
      cause: throttled,
    })
    expect(reading.error?.message).toMatchInlineSnapshot(
      `"Shards 1, 2 of 4 of key "hot" could not be read. Pass allowPartial: true to get what there is."`,
    )
  })

  test('is named beside what there is, where the caller allows a partial result', async () => {
    const world = await spreadKey(4, { gather: { shardTimeoutMs: 1_000 } })
    world.backend.holds.read = true
    const [partial, whole] = [
      watch(world.posts.read('hot', { allowPartial: true })),
      watch(world.posts.read('hot', { allowPartial: true, pending: true })),
    ]
    await keepFailing(world, [2], 2_500)
    const expected = { value: { views: 1_011, high: undefined }, isPartial: true, missingShards: [2] }
    expect([partial.value, whole.value]).toEqual([expected, expected])
  })

  test('is none where all were read', async () => {
    const { posts } = await spreadKey(2)
    const read = await posts.read('hot', { allowPartial: true })
    expect(read).toEqual({ value: { views: 11, high: undefined }, isPartial: false, missingShards: [] })
  })

  test('is missing once shardTimeoutMs is over, and no earlier; the others are there', async () => {
    const { posts, backend, clock } = await spreadKey(4, {
      memory: { shardsPerReadMax: 1 },
      gather: { shardTimeoutMs: 1_000 },
    })
    backend.holds.read = true
    const reading = watch(posts.read('hot', { allowPartial: true }))
    await clock.advance(0)
    for (const held of backend.heldReads.splice(0)) if (held.request.shards[0]?.index !== 1) held.pass()
    await clock.advance(900)
    expect(reading.state).toBe('open')
    await clock.advance(300)
    expect(reading.value).toMatchObject({ value: { views: 1_101 }, isPartial: true, missingShards: [1] })
    expect(backend.heldReads[0]?.call.signal.aborted ?? true).toBe(true)
  })

  test('of a cold key fails the read with READ_FAILED once shardTimeoutMs is over, also where a part would do', async () => {
    const { client, backend, clock } = await opened({ gather: { shardTimeoutMs: 1_000 } })
    const posts = client.records('post', rules)
    const timers = clock.timerCount
    backend.holds.read = true
    const readings = [watch(posts.read('k')), watch(posts.read('l', { allowPartial: true }))]
    await clock.advance(900)
    expect(readings.map(({ state }) => state)).toEqual(['open', 'open'])
    await clock.advance(300)
    for (const { error } of readings) expect(error).toMatchObject({ code: 'READ_FAILED', retryable: true })
    expect(clock.timerCount).toBe(timers)
  })

  test('is no case for another try when its request can never succeed, and the error says so', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', rules)
    backend.holds.read = true
    const reading = posts.read('k')
    backend.heldReads[0]?.fail(invalid)
    await expect(reading).rejects.toMatchObject({ code: 'READ_FAILED', retryable: false, cause: invalid })
    expect(backend.reads).toHaveLength(1)
  })

  test.each([[[1, 3]], [[3, 1]]])(
    'that can never be read decides whether a partial read is retryable (%j)',
    async (at) => {
      const { posts, backend, clock } = await spreadKey(4, { gather: { shardTimeoutMs: 1_000 } })
      const [hopeless = 0, busy = 0] = at
      backend.holds.read = true
      const reading = watch(posts.read('hot'))
      for (let ms = 0; ms < 1_500; ms += 50) {
        for (const held of backend.heldReads.splice(0)) {
          const answers = await failing(backend, held.request, [busy])
          const failed: ShardAnswer = { status: 'failed', error: invalid }
          held.with(answers.map((answer, i) => (held.request.shards[i]?.index === hopeless ? failed : answer)))
        }
        await clock.advance(50)
      }
      expect(reading.error).toMatchObject({
        code: 'PARTIAL_READ',
        missingShards: [1, 3],
        retryable: false,
        cause: invalid,
      })
    },
  )

  test('is named in a list that readers may share: it is frozen', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', rules)
    const whole = await posts.read('k', { allowPartial: true })
    const world = await spreadKey(2, { gather: { shardTimeoutMs: 500 } })
    world.backend.holds.read = true
    const partial = watch(world.posts.read('hot', { allowPartial: true }))
    await keepFailing(world, [1], 1_000)
    for (const { missingShards } of [whole, partial.value as typeof whole])
      expect(() => (missingShards as number[]).push(7)).toThrow(TypeError)
    expect(await posts.read('unwritten')).toMatchObject({ views: 0 })
    expect(backend.reads).toHaveLength(2)
  })

  test('is retried when the backend answers nonsense', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', rules)
    backend.holds.read = true
    const reading = watch(posts.read('k'))
    backend.heldReads[0]?.with([])
    await clock.advance(100)
    backend.heldReads[1]?.with([{ status: 'read', states: [1] }])
    backend.holds.read = false
    await clock.advance(200)
    expect(reading).toMatchObject({ state: 'resolved', value: { views: 0 } })
  })

  test('waits no longer than it must behind writes whose time-out is longer', async () => {
    const { client, backend, clock } = await opened({
      gather: { shardTimeoutMs: 200 },
      limits: { requestTimeoutMs: 5_000 },
    })
    const posts = client.records('post', rules)
    backend.holds.write = true
    backend.holds.read = true
    const writing = watch(posts.write('w', { views: 1 }))
    const reading = watch(posts.read('k'))
    await clock.advance(600)
    expect(reading.state).toBe('rejected')
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    expect(writing.state).toBe('resolved')
  })
})

test.each([null, 3])('a state that no rule makes (%j) fails its own read, and none after it', async (state) => {
  const { client, backend, clock } = await opened()
  const titles = client.records('title', { title: latest<string>() })
  backend.holds.read = true
  const readings = [watch(titles.read('k')), watch(titles.read('k'))]
  backend.heldReads[0]?.with([{ status: 'read', states: [state] }])
  await clock.advance(0)
  backend.heldReads[1]?.pass()
  await clock.advance(0)
  expect(readings.map(({ state: outcome }) => outcome)).toEqual(['rejected', 'resolved'])
  backend.holds.read = false
  expect(await titles.read('k')).toEqual({ title: undefined })
})

test.each([NaN, Infinity, -5])('units that cannot be (%d) leave the heat of a key as it is', async (units) => {
  const { client, backend, clock } = await opened({ detection: { hotReadsPerSecond: 10 } })
  const posts = client.records('post', { views: sum() })
  backend.holds.read = true
  for (let i = 0; i < 100; i++) {
    const reading = posts.read('k')
    backend.heldReads[i]?.with([{ status: 'read', states: [1], units }])
    await reading
    await clock.advance(10)
  }
  const [hot] = client.hotKeys()
  expect(hot?.readUnitsPerSecond).toBeGreaterThan(50)
  expect(hot?.readUnitsPerSecond).toBeLessThan(150)
  expect(hot?.headroom).toBe(1)
})

describe('a lease that ends while a read is under way', () => {
  test('makes the read be thrown away and done again', async () => {
    const { posts, backend, clock } = await spreadKey(2)
    backend.reads.length = 0
    backend.holds.read = true
    backend.holds.directory = true
    const reading = watch(posts.read('hot'))
    await backend.heldReads[0]?.store()
    await clock.advance(500)
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reading.state).toBe('open')
    backend.holds.read = false
    backend.holds.directory = false
    for (const held of backend.heldDirectory) held.pass()
    await clock.advance(400)
    expect(reading).toMatchObject({ state: 'resolved', value: { views: 11 } })
    expect(backend.reads).toHaveLength(2)
  })

  test('does the same to the read of a cold key', async () => {
    const { client, backend, clock } = await opened({ routing: { refreshMs: 100, leaseMs: 300 } })
    const posts = client.records('post', rules)
    backend.holds.read = true
    backend.holds.directory = true
    const reading = watch(posts.read('k'))
    await clock.advance(500)
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reading.state).toBe('open')
    backend.holds.read = false
    backend.holds.directory = false
    for (const held of backend.heldDirectory) held.pass()
    await clock.advance(400)
    expect(reading.state).toBe('resolved')
    expect(backend.reads).toHaveLength(2)
  })
})

test.each(['strong', 'eventual'] as const)('every read is %s where the client is', async (consistency) => {
  const { client, backend } = await opened({ consistency })
  await client.records('post', rules).read('k')
  expect(backend.reads.map((read) => read.consistency)).toEqual([consistency])
})

import { channel } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type ClientEvents, createClient, type EventName, memory, sum } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { hotAtOnce, opened, refused, throttled, watch } from '../../doubles/opened.js'
import { refusalsOf } from '../../doubles/refusal.js'

const names = [
  'key-hot',
  'key-cooled',
  'route-changed',
  'directory-full',
  'directory-failed',
  'flush',
  'gather',
  'throttle',
  'write-lost',
] as const satisfies readonly EventName[]

/** A clock that counts how often it is asked. */
class CountingClock extends FakeClock {
  readonly asked = { nowMs: 0, monotonicMs: 0, wallMs: 0 }

  override nowMs(): number {
    this.asked.nowMs += 1
    return super.nowMs()
  }

  override monotonicMs(): number {
    this.asked.monotonicMs += 1
    return super.monotonicMs()
  }

  override wallMs(): number {
    this.asked.wallMs += 1
    return super.wallMs()
  }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('events', () => {
  test('of a flush tell what was written, where, in how many attempts and how long it took', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() }, { prefix: 'p/' })
    const flushes: ClientEvents['flush'][] = []
    client.on('flush', (event) => flushes.push(event))
    backend.holds.write = true
    const writings = [watch(posts.write('k', { views: 1 })), watch(posts.write('k', { views: 1 }))]
    writings.push(watch(posts.write('k', { views: 1 })))
    await clock.advance(30)
    backend.heldWrites[0]?.pass()
    await clock.advance(0)
    backend.heldWrites[1]?.fail(refused)
    await clock.advance(0)
    const common = { record: 'post', key: 'p/k', shardIndex: 0, attempts: 1 }
    expect(flushes).toEqual([
      { ...common, changeCount: 1, durationMs: 30, outcome: 'written' },
      { ...common, changeCount: 2, durationMs: 0, outcome: 'rejected' },
    ])
    expect(writings.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'rejected'])
  })

  test('of a gather tell how many shards there are, which are missing and how long it took', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const gathers: ClientEvents['gather'][] = []
    client.on('gather', (event) => gathers.push(event))
    backend.holds.read = true
    const reading = posts.read('k')
    await clock.advance(20)
    backend.heldReads[0]?.pass()
    await reading
    expect(gathers).toEqual([{ record: 'post', key: 'k', shardCount: 1, missingShards: [], durationMs: 20 }])
  })

  test('of a throttle tell the side and the reason that the store gave', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const throttles: ClientEvents['throttle'][] = []
    client.on('throttle', (event) => throttles.push(event))
    backend.holds.write = true
    backend.holds.read = true
    const done = [watch(posts.write('k', { views: 1 })), watch(posts.read('l'))]
    backend.heldWrites[0]?.fail(throttled)
    backend.heldReads[0]?.fail(throttled)
    backend.holds.write = false
    backend.holds.read = false
    await clock.advance(200)
    expect(done.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    const reason = 'TableWriteKeyRangeThroughputExceeded'
    expect(throttles).toEqual([
      { key: 'k', shardIndex: 0, side: 'write', reason },
      { key: 'l', shardIndex: 0, side: 'read', reason },
    ])
  })

  test('of heat come once a change', async () => {
    const { client, clock } = await opened({ detection: { ...hotAtOnce, hotWritesPerSecond: 5, coolMs: 100 } })
    const posts = client.records('post', { views: sum() })
    const heats: [string, string, string][] = []
    client.on('key-hot', ({ key, side }) => heats.push(['hot', key, side]))
    client.on('key-cooled', ({ key, side }) => heats.push(['cooled', key, side]))
    for (let i = 0; i < 50; i++) {
      await posts.write('k', { views: 1 }, { ack: 'buffered' })
      await clock.advance(20)
    }
    expect(client.hotKeys()).toMatchObject([{ key: 'k', isWriteHot: true }])
    await clock.advance(10_000)
    expect(heats).toEqual([
      ['hot', 'k', 'write'],
      ['cooled', 'k', 'write'],
    ])
    expect(client.hotKeys()).toEqual([])
  })

  test('end when the listener is taken away', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    const seen: string[] = []
    const end = client.on('flush', ({ key }) => seen.push(`first ${key}`))
    client.on('flush', ({ key }) => seen.push(`second ${key}`))
    await posts.write('a', { views: 1 })
    end()
    end()
    await posts.write('b', { views: 1 })
    expect(seen).toEqual(['first a', 'second a', 'second b'])
  })

  test('go to those who listened when they began: one who comes or goes meanwhile does so for the next', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    const seen: string[] = []
    function again(): void {
      const end = client.on('flush', ({ key }) => {
        end()
        seen.push(key)
        if (seen.length < 100) again()
      })
    }
    again()
    const endLast: (() => void)[] = []
    client.on('flush', () => endLast[0]?.())
    endLast.push(client.on('flush', ({ key }) => seen.push(`last ${key}`)))
    await posts.write('a', { views: 1 })
    expect(seen).toEqual(['a', 'last a'])
    await posts.write('b', { views: 1 })
    expect(seen).toEqual(['a', 'last a', 'b'])
  })

  test('reach a function as often as it was given, and each of its subscriptions ends by itself', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    let count = 0
    const listener = () => void (count += 1)
    const [endFirst, endSecond] = [client.on('flush', listener), client.on('flush', listener)]
    await posts.write('k', { views: 1 })
    expect(count).toBe(2)
    endFirst()
    endFirst()
    await posts.write('k', { views: 1 })
    expect(count).toBe(3)
    endSecond()
    await posts.write('k', { views: 1 })
    expect(count).toBe(3)
  })

  test('that there are not cannot be listened to, nor by what is no function', async () => {
    const { client } = await opened()
    const on = client.on.bind(client) as (name: unknown, listener: unknown) => unknown
    const cases: Record<string, readonly [unknown, unknown]> = {
      'a misspelt name': ['flsh', () => undefined],
      'a name that objects have': ['constructor', () => undefined],
      'no listener': ['flush', undefined],
      'an object': ['flush', { handleEvent: () => undefined }],
    }
    expect(await refusalsOf(cases, ([name, listener]) => on(name, listener))).toMatchInlineSnapshot(`
      {
        "a misspelt name": "INVALID_ARGUMENT: name must be one of key-hot, key-cooled, route-changed, directory-full, directory-failed, route-stalled, remains-left, fleet-failed, flush, gather, throttle, index-throttle, spool-kept, write-lost, but was "flsh".",
        "a name that objects have": "INVALID_ARGUMENT: name must be one of key-hot, key-cooled, route-changed, directory-full, directory-failed, route-stalled, remains-left, fleet-failed, flush, gather, throttle, index-throttle, spool-kept, write-lost, but was "constructor".",
        "an object": "INVALID_ARGUMENT: listener must be a function, but was an object.",
        "no listener": "INVALID_ARGUMENT: listener must be a function, but was undefined.",
      }
    `)
  })

  test('are on node:diagnostics_channel, too, as the same objects', async () => {
    const { client } = await opened()
    const posts = client.records('post', { views: sum() })
    const seen: unknown[] = []
    const subscriber = (message: unknown) => seen.push(message)
    channel('spillway:flush').subscribe(subscriber)
    client.on('flush', (event) => seen.push(event))
    await posts.write('k', { views: 1 })
    channel('spillway:flush').unsubscribe(subscriber)
    await posts.write('k', { views: 1 })
    expect(seen).toHaveLength(3)
    expect(seen[0]).toBe(seen[1])
    expect(seen[0]).toMatchObject({ key: 'k', outcome: 'written' })
  })
})

describe('a listener that throws', () => {
  test('harms neither the operation nor the other listeners, and is not silenced', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    const thrown: unknown[] = []
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((task) => {
      try {
        task()
      } catch (error) {
        thrown.push(error)
      }
    })
    const mistake = new Error('a mistake of the listener')
    const seen: string[] = []
    client.on('flush', () => {
      throw mistake
    })
    client.on('flush', ({ outcome }) => seen.push(outcome))
    client.on('gather', () => {
      throw mistake
    })
    await posts.write('k', { views: 1 })
    backend.holds.write = true
    const failing = watch(posts.write('k', { views: 1 }))
    backend.heldWrites[0]?.fail(refused)
    expect(await posts.read('k')).toEqual({ views: 1 })
    expect(failing.state).toBe('rejected')
    expect(seen).toEqual(['written', 'rejected'])
    expect(thrown).toEqual([mistake, mistake, mistake])
    expect(await client.close()).toEqual({ failures: [], failureCount: 0 })
  })
})

/** How often the clock is asked during one cold write and one cold read. */
async function askedBy(prepare: (client: Awaited<ReturnType<typeof createClient>>) => void) {
  const clock = new CountingClock()
  const client = await createClient({ backend: memory(), clock, random: seededRandom(1) })
  const posts = client.records('post', { views: sum() })
  await posts.write('k', { views: 1 })
  prepare(client)
  const before = { ...clock.asked }
  await posts.write('k', { views: 1 })
  const afterWrite = { ...clock.asked }
  await posts.read('k')
  const afterRead = { ...clock.asked }
  await client.close()
  return {
    write: afterWrite.nowMs - before.nowMs,
    writeWall: afterWrite.wallMs - before.wallMs,
    read: afterRead.nowMs - afterWrite.nowMs,
    readWall: afterRead.wallMs - afterWrite.wallMs,
    monotonic: afterRead.monotonicMs - before.monotonicMs,
  }
}

describe('where nobody listens', () => {
  test('nothing is measured: the clock is asked for the lease, the number and the retry horizon alone', async () => {
    const silent = await askedBy(() => undefined)
    expect(silent).toEqual({ write: 2, writeWall: 1, read: 2, readWall: 0, monotonic: 0 })
    const heard = await askedBy((client) => {
      for (const name of names) client.on(name, () => undefined)
    })
    expect(heard.write).toBeGreaterThan(silent.write)
    expect(heard.read).toBeGreaterThan(silent.read)
    const ended = await askedBy((client) => {
      for (const name of names) client.on(name, () => undefined)()
    })
    expect(ended).toEqual(silent)
  })
})

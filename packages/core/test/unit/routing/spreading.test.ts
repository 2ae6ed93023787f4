import { describe, expect, test } from 'vitest'
import type { Client, ClientEvents } from '../../../src/index.js'
import { sum } from '../../../src/index.js'
import { fanoutFor } from '../../../src/routing/fanout.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import type { FakeClock } from '../../../src/testing.js'
import { opened } from '../../doubles/opened.js'
import { openedSpread, shortLease } from '../../doubles/spread.js'
import { call } from '../backend/requests.js'

type RouteEvent = ClientEvents['route-changed'] & { readonly atMs: number }

function routesOf(client: Client, clock: FakeClock): RouteEvent[] {
  const events: RouteEvent[] = []
  client.on('route-changed', (event) => events.push({ ...event, atMs: clock.nowMs() }))
  return events
}

describe('a key that is declared hot', () => {
  test('is announced at once, read everywhere from then on, and written everywhere 1.1 leases later', async () => {
    const rules = [{ match: 'hot', fanout: 4 }]
    const { client, backend, clock } = await opened({ routing: shortLease, sharding: { rules } })
    const posts = client.records('post', { views: sum() })
    const events = routesOf(client, clock)
    for (let i = 0; i < 100; i++) {
      await clock.advance(10)
      await posts.write('hot', { views: 1 })
      const index = backend.writes.at(-1)?.shard.index ?? 0
      expect(events.length < 2 ? index === 0 : index < 4).toBe(true)
      await posts.read('hot')
      expect(backend.reads.at(-1)?.shards).toHaveLength(events.length === 0 ? 1 : 4)
    }
    expect(events.map(({ phase, read, write }) => [phase, read, write])).toEqual([
      ['announced', 4, 1],
      ['active', 4, 4],
    ])
    const [announced, active] = events
    expect(active!.atMs - announced!.atMs).toBeGreaterThanOrEqual(330)
    expect(active!.atMs - announced!.atMs).toBeLessThanOrEqual(330 + 100)
    expect(active!.revision).toBeGreaterThan(announced!.revision)
    expect(await posts.read('hot')).toEqual({ views: 100 })
  })

  test('by a pattern is found when it is written, behind its prefix', async () => {
    const rules = [{ match: /^p\/hot-/, fanout: 2 }]
    const { client, clock } = await opened({ routing: shortLease, sharding: { rules } })
    const posts = client.records('post', { views: sum() }, { prefix: 'p/' })
    const events = routesOf(client, clock)
    await posts.read('hot-1')
    await clock.advance(200)
    expect(events).toEqual([])
    await Promise.all(['hot-1', 'hot-2', 'cold-1'].map((key) => posts.write(key, { views: 1 })))
    await clock.advance(1_000)
    const active = events.filter(({ phase }) => phase === 'active').map(({ key }) => key)
    expect(active.toSorted()).toEqual(['p/hot-1', 'p/hot-2'])
  })

  test('by several rules gets the fanout of the first', async () => {
    const rules = [
      { match: 'a', fanout: 2 },
      { match: 'a', fanout: 8 },
      { match: /^b/, fanout: 2 },
      { match: 'b', fanout: 8 },
    ]
    const { client, clock } = await opened({ routing: shortLease, sharding: { rules } })
    const posts = client.records('post', { views: sum() })
    const events = routesOf(client, clock)
    for (let i = 0; i < 50; i++) {
      await Promise.all([posts.write('a', { views: 1 }), posts.write('b', { views: 1 })])
      await clock.advance(50)
    }
    expect(events.map(({ key, read }) => `${key} ${read}`).toSorted()).toEqual(['a 2', 'a 2', 'b 2', 'b 2'])
  })

  test('gets what is declared in one growth, also when its heat calls for less', async () => {
    const { client, backend, clock } = await opened({
      routing: { refreshMs: 20, leaseMs: 900 },
      memory: { writeUnitsPerSecond: 10 },
      detection: { hotWritesPerSecond: 5 },
      sharding: { rules: [{ match: 'hot', fanout: 32 }] },
    })
    const posts = client.records('post', { views: sum() })
    const events = routesOf(client, clock)
    backend.holds.directory = true
    for (let i = 0; i < 60; i++) {
      await posts.write('hot', { views: 1 }, { ack: 'buffered' })
      await clock.advance(10)
    }
    expect(client.hotKeys()).toMatchObject([{ key: 'hot', isWriteHot: true, phase: 'cold' }])
    backend.holds.directory = false
    for (const held of backend.heldDirectory) held.pass()
    await clock.advance(2_000)
    expect(events.map(({ phase, read }) => [phase, read])).toEqual([
      ['announced', 32],
      ['active', 32],
    ])
  })

  test('is written by one client to one shard, and is counted once by all', async () => {
    const { backend, client, clock } = await openedSpread(8)
    const posts = client.records('post', { views: sum() })
    backend.writes.length = 0
    for (let i = 0; i < 20; i++) await posts.write('hot', { views: 1 })
    expect(new Set(backend.writes.map(({ shard }) => shard.index)).size).toBe(1)
    const shards = new Set<number>()
    for (let seed = 2; seed < 26; seed++) {
      const other = await opened({ store: backend, clock, seed, routing: shortLease })
      await other.client.records('post', { views: sum() }).write('hot', { views: 1 })
      shards.add(other.backend.writes[0]?.shard.index ?? -1)
    }
    expect(shards.size).toBeGreaterThan(4)
    expect(await posts.read('hot')).toEqual({ views: 44 })
  })
})

describe('a key that is found hot', () => {
  test('is spread so that each shard stays below its planned share, and says so in hotKeys()', async () => {
    const { client, clock } = await opened({
      routing: shortLease,
      memory: { writeUnitsPerSecond: 10 },
      collapse: { windowMs: 20 },
      detection: { hotWritesPerSecond: 5 },
    })
    const posts = client.records('post', { views: sum() })
    const writings: Promise<void>[] = []
    for (let i = 0; i < 300; i++) {
      writings.push(posts.write('hot', { views: 1 }))
      await clock.advance(10)
    }
    await client.flush()
    await Promise.all(writings)
    const [hot] = client.hotKeys()
    expect(hot).toMatchObject({ key: 'hot', phase: 'active', fanout: 8 })
    expect(hot?.headroom).toBeGreaterThan(0.2)
    expect(await posts.read('hot')).toEqual({ views: 300 })
  })

  test.each([
    [{ writeUnitsPerSecond: 0, isThrottled: false, writeFanout: 1 }, 1],
    [{ writeUnitsPerSecond: 700, isThrottled: false, writeFanout: 1 }, 1],
    [{ writeUnitsPerSecond: 701, isThrottled: false, writeFanout: 1 }, 2],
    [{ writeUnitsPerSecond: 2_101, isThrottled: false, writeFanout: 1 }, 4],
    [{ writeUnitsPerSecond: 1e9, isThrottled: false, writeFanout: 1 }, 64],
    [{ writeUnitsPerSecond: 300, isThrottled: true, writeFanout: 1 }, 2],
    [{ writeUnitsPerSecond: 300, isThrottled: true, writeFanout: 8 }, 16],
    [{ writeUnitsPerSecond: 300, isThrottled: true, writeFanout: 64 }, 64],
    [{ writeUnitsPerSecond: 3, isThrottled: true, writeFanout: 1 }, 1],
  ])('wants for %j a fanout of %i', (need, fanout) => {
    expect(fanoutFor(need, { unitsPerShard: 700, fanoutMax: 64 })).toBe(fanout)
  })
})

describe('a directory that is full', () => {
  test('stays within directoryBytesMax, and an event names who found no room', async () => {
    const rules = Array.from({ length: 20 }, (_, i) => ({ match: `hot-${i}-${'x'.repeat(40)}`, fanout: 2 }))
    const { client, backend, clock } = await opened({
      routing: { ...shortLease, directoryBytesMax: 1_024 },
      sharding: { rules },
    })
    const full: ClientEvents['directory-full'][] = []
    client.on('directory-full', (event) => full.push(event))
    await clock.advance(1_000)
    const { text } = await backend.directory.read(call)
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(1_024)
    const routes = [...decodeDirectory(text ?? '').routes.keys()]
    expect(routes.length).toBeGreaterThan(3)
    expect(routes).toEqual(rules.slice(0, routes.length).map(({ match }) => match))
    const refused = new Set(full.map(({ key }) => key))
    expect([...refused]).toEqual(rules.slice(routes.length).map(({ match }) => match))
    expect(full[0]?.bytesMax).toBe(1_024)
  })
})

describe('several clients', () => {
  test('that want the same at the same time make one growth of it and converge', async () => {
    const sharding = { rules: [{ match: 'hot', fanout: 4 }] }
    const first = await opened({ routing: shortLease, sharding })
    const { clock } = first
    const rest = await Promise.all(
      [2, 3, 4].map((seed) => opened({ store: first.backend, clock, seed, routing: shortLease, sharding })),
    )
    const worlds = [first, ...rest]
    const events = worlds.map(({ client }) => routesOf(client, clock))
    const posts = worlds.map(({ client }) => client.records('post', { views: sum() }))
    for (let i = 0; i < 40; i++) {
      await Promise.all(posts.map((record) => record.write('hot', { views: 1 })))
      await clock.advance(25)
      const reads = await Promise.all(posts.map((record) => record.read('hot')))
      expect(reads).toEqual(posts.map(() => ({ views: (i + 1) * 4 })))
    }
    for (const seen of events) {
      expect(seen.map(({ phase, read, write }) => [phase, read, write])).toEqual([
        ['announced', 4, 1],
        ['active', 4, 4],
      ])
      expect(seen.map(({ revision }) => revision)).toEqual(events[0]?.map(({ revision }) => revision))
    }
    const activeMs = events.map((seen) => seen[1]?.atMs ?? 0)
    const announcedMs = events.map((seen) => seen[0]?.atMs ?? 0)
    expect(Math.min(...activeMs) - Math.max(...announcedMs)).toBeGreaterThan(0)
  })

  test('of which one does nothing lose nothing while another grows a key', async () => {
    const grower = await opened({ routing: shortLease, sharding: { rules: [{ match: 'hot', fanout: 8 }] } })
    const { clock } = grower
    const other = await opened({ store: grower.backend, clock, seed: 2, routing: shortLease })
    const posts = [grower, other].map(({ client }) => client.records('post', { views: sum() }))
    const writings = []
    for (let i = 0; i < 200; i++) {
      writings.push(posts[i % 2]!.write('hot', { views: 1 }))
      await clock.advance(5)
    }
    await clock.advance(1_000)
    await Promise.all(writings)
    expect(await Promise.all(posts.map((record) => record.read('hot')))).toEqual([{ views: 200 }, { views: 200 }])
    expect(
      other.backend.writes.some(({ shard }) => shard.index > 0) ||
        grower.backend.writes.some(({ shard }) => shard.index > 0),
    ).toBe(true)
  })
})

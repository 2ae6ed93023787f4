import { describe, expect, test } from 'vitest'

import {
  type Backend,
  type ClientEvents,
  max,
  memory,
  mergeRule,
  type ShardWrite,
  sum,
  union,
} from '../../../src/index.js'
import { directoryIn, drainRoute } from '../../doubles/drain-route.js'
import { type Opened, opened, type OpenOptions } from '../../doubles/opened.js'
import { openedSpread, shortLease } from '../../doubles/spread.js'
import { allOf } from '../../doubles/spread-collection.js'

const call = { signal: new AbortController().signal }
const rules = { n: sum(), ids: union(), top: max() }

/** A store on which `hot` has `fanout` shards that were all written to, by clients that are gone. */
async function spreadStore(fanout: number, options: OpenOptions = {}) {
  const store = options.store ?? memory()
  const first = await openedSpread(fanout, { ...options, store })
  const { clock } = first
  const sorts: string[] = []
  const items = first.client.collection<{ n: number }>('items')
  for (let writer = 0; writer < 8; writer++) {
    const { client } = await opened({ ...options, routing: shortLease, store, clock, seed: 10 + writer })
    const posts = client.records('post', rules)
    await clock.run(posts.write('hot', { n: 1, ids: [`w${writer}`], top: writer }))
    await clock.run(client.close())
  }
  for (let i = 0; i < 40; i++) {
    sorts.push(`sort-${String(i).padStart(2, '0')}`)
    await clock.run(items.put('hot', sorts[i] as string, { n: i }))
  }
  await clock.run(items.delete('hot', sorts[7] as string))
  await clock.run(first.client.close())
  return { store, clock, sorts: sorts.filter((_, i) => i !== 7) }
}

async function member(store: Backend, options: OpenOptions) {
  const world = await opened({ store, routing: shortLease, ...options })
  return {
    ...world,
    posts: world.client.records('post', rules),
    items: world.client.collection<{ n: number }>('items'),
  }
}

async function phaseIn(store: Backend): Promise<string | undefined> {
  return (await directoryIn(store)).routes.get('hot')?.phase
}

describe('a key that has cooled', () => {
  test.each([1, 2, 4])(
    'is merged back from 8 shards to %d, and every record and item is there all the while',
    async (fanout) => {
      const { store, clock, sorts } = await spreadStore(8)
      const { posts, items, client } = await member(store, { clock })
      const phases: string[] = []
      client.on('route-changed', ({ phase }) => phases.push(phase))
      await drainRoute(store, 'hot', fanout)
      for (let step = 0; step < 40; step++) {
        expect((await clock.run(posts.read('hot'))).n).toBe(8)
        expect((await clock.run(allOf(items.iterate('hot')))).map(({ sort }) => sort)).toEqual(sorts)
        await clock.advance(50)
      }
      expect(phases).toEqual(['draining', 'settled', fanout === 1 ? 'cold' : 'active'])
      expect(await clock.run(posts.read('hot'))).toMatchObject({ n: 8, top: 7 })
      const { generations, read, write } = (await directoryIn(store)).routes.get('hot') ?? {}
      expect([read, write, generations?.length]).toEqual([fanout, fanout, Math.log2(fanout)])
    },
  )

  test('costs one request a read and a get again', async () => {
    const { store, clock, sorts } = await spreadStore(8)
    const { posts, items, backend } = await member(store, { clock })
    await drainRoute(store, 'hot', 1)
    await clock.advance(3_000)
    expect(await phaseIn(store)).toBe('cold')
    backend.reads.splice(0)
    await clock.run(posts.read('hot'))
    expect(backend.reads.map(({ shards }) => shards.map(({ index }) => index))).toEqual([[0]])
    expect(await clock.run(items.get('hot', sorts[3] as string))).toEqual({ n: 3 })
  })

  test('has its route dropped once nobody can remember another', async () => {
    const { store, clock } = await spreadStore(4)
    const { posts } = await member(store, { clock })
    await drainRoute(store, 'hot', 1)
    await clock.advance(290_000)
    expect(await phaseIn(store)).toBe('cold')
    await clock.advance(60_000)
    expect(await phaseIn(store)).toBeUndefined()
    expect((await clock.run(posts.read('hot'))).n).toBe(8)
    expect(await phaseIn(store)).toBeUndefined() // the stamp in shard 0 brings nothing back
  })

  test('is merged back by another client when the first has crashed', async () => {
    const { store, clock } = await spreadStore(8)
    await drainRoute(store, 'hot', 1)
    const first = await member(store, { clock })
    for (let ms = 0; ms < 5_000 && (await phaseIn(store)) !== 'settled'; ms += 10) await clock.advance(10)
    await clock.run(first.client.close())
    expect(await phaseIn(store)).toBe('settled')
    const { posts } = await member(store, { clock, seed: 2 })
    await clock.advance(3_000)
    expect(await phaseIn(store)).toBe('cold')
    expect((await clock.run(posts.read('hot'))).n).toBe(8)
  })
})

test('a wait begins anew when the store had lost the drain and somebody wrote it back', async () => {
  const { store, clock } = await spreadStore(2)
  const { client } = await member(store, { clock })
  const before = await store.directory.read(call)
  await drainRoute(store, 'hot', 1)
  await clock.advance(300)
  const { version } = await store.directory.read(call)
  await store.directory.swap(version, before.text ?? '', call) // others may fetch this, and put into shard 1 for a lease
  await clock.advance(100)
  expect(await phaseIn(store)).toBe('draining')
  const phases: string[] = []
  client.on('route-changed', ({ phase }) => phases.push(phase))
  await clock.advance(290)
  expect(phases).not.toContain('settled')
  await clock.advance(10_000)
  expect(phases.slice(-2)).toEqual(['settled', 'cold'])
})

test('a wait counts by the monotonic clock: a wall clock that is set forward ends none', async () => {
  const { store, clock } = await spreadStore(2)
  const { client } = await member(store, { clock })
  await drainRoute(store, 'hot', 1)
  const phases: string[] = []
  client.on('route-changed', ({ phase }) => phases.push(phase))
  await clock.advance(100)
  expect(phases).toEqual(['draining'])
  clock.jumpWall(10_000)
  await clock.advance(200)
  expect(phases).toEqual(['draining'])
  await clock.advance(10_000)
  expect(phases).toEqual(['draining', 'settled', 'cold'])
})

describe('a client', () => {
  test('leaves a key alone of which it has declared nothing', async () => {
    const { store, clock } = await spreadStore(4)
    const { client } = await opened({ store, clock, routing: shortLease })
    client.records('other', { n: sum() }, { prefix: 'other/' })
    await drainRoute(store, 'hot', 1)
    await clock.advance(5_000)
    expect(await phaseIn(store)).toBe('draining')
  })

  test.each<[string, (store: Backend, world: Awaited<ReturnType<typeof opened>>) => void]>([
    ['a field', (_, { client }) => client.records('post', { n: sum(), ids: union() })],
    ['the items', (_, { client }) => client.records('post', rules)],
    ['the fields', (_, { client }) => client.collection('items')],
  ])('that does not know %s of a key leaves it to one that does, and says so', async (_, declare) => {
    const { store, clock, sorts } = await spreadStore(4)
    const world = await opened({ store, clock, routing: shortLease })
    declare(store, world)
    const stalled: ClientEvents['route-stalled'][] = []
    world.client.on('route-stalled', (event) => stalled.push(event))
    await drainRoute(store, 'hot', 1)
    await clock.advance(5_000)
    expect(await phaseIn(store)).toBe('draining')
    expect(stalled[0]).toMatchObject({ key: 'hot', phase: 'draining', error: { kind: 'rejected' } })
    const { posts, items } = await member(store, { clock, seed: 2 })
    await clock.advance(10_000)
    expect(await phaseIn(store)).toBe('cold')
    expect(await clock.run(posts.read('hot'))).toMatchObject({ n: 8, top: 7 })
    expect(await clock.run(allOf(items.iterate('hot')))).toHaveLength(sorts.length)
  })

  test('that writes to a sealed shard writes to one that stays', async () => {
    const { store, clock } = await spreadStore(4)
    const { posts, backend } = await member(store, { clock })
    await drainRoute(store, 'hot', 1)
    for (let ms = 0; ms < 2_000; ms += 50) {
      await clock.advance(50)
      void posts.write('hot', { n: 1 })
    }
    await clock.advance(2_000)
    expect((await clock.run(posts.read('hot'))).n).toBe(8 + 40)
    const last = backend.writes.at(-1) as ShardWrite
    expect(last.shard.index).toBe(0)
  })

  test('tells of remains that it cannot clear, and lets the key go', async () => {
    const { store, clock } = await spreadStore(2)
    const refusing: Backend = { ...store, records: { ...bound(store), clear: () => Promise.reject(new Error('down')) } }
    const { client } = await member(refusing, { clock })
    const left: ClientEvents['remains-left'][] = []
    client.on('remains-left', (event) => left.push(event))
    await drainRoute(store, 'hot', 1)
    await clock.advance(60_000)
    expect(await phaseIn(store)).toBe('cold')
    expect(left).toMatchObject([{ key: 'hot', shardCount: 1 }])
  })
})

test("a rule of the user's own merges back, too", async () => {
  const asText = { encode: (state: string) => state, decode: (text: string) => text }
  const words = { longest: mergeRule<string>({ ...asText, empty: '', merge: (a, b) => (b.length > a.length ? b : a) }) }
  const store = memory()
  const { client, clock } = await openedSpread(2, { store })
  const longer = await opened({ store, clock, seed: 4, routing: shortLease })
  await clock.run(client.records('words', words).write('hot', { longest: 'short' }))
  await clock.run(longer.client.records('words', words).write('hot', { longest: 'longest of all' }))
  await clock.run(client.close())
  await drainRoute(store, 'hot', 1)
  await clock.advance(3_000)
  expect(await phaseIn(store)).toBe('cold')
  expect(await clock.run(longer.client.records('words', words).read('hot'))).toEqual({ longest: 'longest of all' })
})

function stalledOf({ client }: Opened): readonly ClientEvents['route-stalled'][] {
  const stalled: ClientEvents['route-stalled'][] = []
  client.on('route-stalled', (event) => stalled.push(event))
  return stalled
}

describe('a drain of a key that a client has declared nothing of', () => {
  test('is told once a revision when nobody has finished it, and goes on once somebody comes who knows the key', async () => {
    const { store, clock } = await spreadStore(4)
    const strangers = await Promise.all([1, 2, 3].map((seed) => opened({ store, clock, seed, routing: shortLease })))
    const stalled = strangers.map(stalledOf)
    await drainRoute(store, 'hot', 1)
    await clock.advance(14 * shortLease.leaseMs)
    expect(stalled.flat()).toEqual([])
    await clock.advance(60_000)
    const told = { key: 'hot', phase: 'draining', error: { kind: 'rejected', message: /declared no record/ } }
    expect(stalled).toMatchObject([[told], [told], [told]])
    await member(store, { clock, seed: 4 })
    await clock.advance(10_000)
    expect(await phaseIn(store)).toBe('cold')
    expect(stalled.flat()).toHaveLength(3)
  })

  test('is not told where others finish it, however late they begin', async () => {
    const { store, clock } = await spreadStore(4)
    const strangers = await Promise.all([1, 2, 3].map((seed) => opened({ store, clock, seed, routing: shortLease })))
    const stalled = strangers.map(stalledOf)
    await member(store, { clock, seed: 4 })
    await clock.advance(1_000)
    await drainRoute(store, 'hot', 1)
    await clock.advance(20_000)
    expect(await phaseIn(store)).toBe('cold')
    expect(stalled.flat()).toEqual([])
  })
})

function bound({ records }: Backend): Backend['records'] {
  return {
    write: (write, c) => records.write(write, c),
    read: (read, c) => records.read(read, c),
    seal: (shard, fields, c) => records.seal(shard, fields, c),
    absorb: (absorb, c) => records.absorb(absorb, c),
    clear: (shard, ms, c) => records.clear(shard, ms, c),
    stampRoute: (shard, stamp, c) => records.stampRoute?.(shard, stamp, c) ?? Promise.resolve(),
  }
}

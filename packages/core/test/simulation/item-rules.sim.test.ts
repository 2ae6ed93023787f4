// Each rule for collections, with a schedule that breaks a promise where the code leaves the rule out. The command that takes each
// out and shows that its test fails: `npm run break-rules`.

import { afterEach, describe, expect, it } from 'vitest'

import {
  type Backend,
  type Client,
  type Collection,
  createClient,
  memory,
  type ShardingOptions,
} from '../../src/index.js'
import { decodeDirectory, encodeDirectory } from '../../src/routing/directory.js'
import { loadItemHash } from '../../src/routing/item-hash.js'
import { activate, announce, drain, finish, foresee, settle } from '../../src/routing/phases.js'
import type { Route } from '../../src/routing/route.js'
import { FakeClock, seededRandom } from '../../src/testing.js'
import type { HeldItems } from '../doubles/held-items.js'
import { watch } from '../doubles/opened.js'
import { ScriptedBackend } from '../doubles/scripted-backend.js'
import { allOf } from '../doubles/spread-collection.js'
import { copyItems } from './copy-items.js'

interface Item {
  readonly n: number
}

const call = { signal: new AbortController().signal }
const waitMs = 3_500
const clients: Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) void client.close() // some of them are cut off
})

/** A store with one key whose route is moved behind the clients' backs, as other processes would. */
class World {
  readonly clock = new FakeClock()
  readonly store = memory({ clock: this.clock })
  #generation = 1

  async join(
    backend: Backend,
    seed: number,
    sharding: ShardingOptions = { fanoutMax: 1 },
    clock = this.clock,
  ): Promise<Collection<Item>> {
    const client = await createClient({
      backend,
      clock,
      random: seededRandom(seed),
      limits: { requestTimeoutMs: 20_000, writeTimeoutMs: 60_000, clockSkewMaxMs: 0 },
      gather: { shardTimeoutMs: 60_000 },
      sharding, // without more than one shard, or keys without traffic would be merged back
    })
    clients.push(client)
    return client.collection<Item>('items')
  }

  /** A sort value whose item stands in shard 1 of two, or in the last of more. */
  async sortInOne(fanout = 2): Promise<string> {
    const hash = await loadItemHash()
    const seed = await this.#seed()
    for (let i = 0; ; i++) if ((hash(`item-${i}`, seed) & (fanout - 1)) === fanout - 1) return `item-${i}`
  }

  async grow(fanout = 2): Promise<void> {
    const generation = { number: (this.#generation += 1), nonce: 7 }
    await this.#route((route, revision) => announce(route, fanout, generation, revision))
    await this.clock.advance(waitMs)
    await this.#route((route, revision) => activate(route as Route, revision))
  }

  async isForeseen(fanout: number): Promise<boolean> {
    return (await this.#read()).route?.writeHistory.includes(fanout) === true
  }

  async foresee(fanout: number): Promise<void> {
    await this.#route((route, revision) => foresee(route as Route, fanout, revision))
  }

  async mergeBack(): Promise<void> {
    await this.drain()
    await this.clock.advance(waitMs)
    await this.finish()
  }

  async drain(): Promise<void> {
    await this.#route((route, revision) => drain(route as Route, 1, revision))
  }

  async finish(): Promise<void> {
    const { route, hashSeed } = await this.#read()
    await copyItems(this.store, 'k', route as Route, hashSeed)
    await this.#route((before, revision) => settle(before as Route, revision))
    await this.clock.advance(waitMs)
    await this.#deleteSource(route as Route)
    await this.#route((before, revision) => finish(before as Route, revision))
  }

  /** So long that every tombstone may go, and they do, in passing. */
  async forgetTombstones(): Promise<void> {
    await this.clock.advance(700_000)
    const stamp = { timeMs: 1, order: 0, writer: 'sweeper' }
    const { route } = await this.#read()
    const places = [0, 1].slice(0, route?.read).map((index) => ({
      key: 'k',
      index,
      generation: index === 0 ? { number: 0, nonce: 0 } : (route?.generations[0] ?? { number: 0, nonce: 0 }),
    }))
    for (const shard of places)
      await this.store.collections?.delete({ shard, sort: 'none', stamp, mode: 'remove', retentionMs: 0 }, call)
  }

  async #deleteSource({ generations: [generation] }: Route): Promise<void> {
    const { collections } = this.store
    const shard = { key: 'k', index: 1, generation: generation as NonNullable<typeof generation> }
    const page = { shard, sortType: 'string', lower: undefined, upper: undefined, order: 'ascending' } as const
    const { items } = (await collections?.page({ ...page, limit: 100, consistency: 'strong' }, call)) ?? { items: [] }
    const stamp = { timeMs: Number.MAX_SAFE_INTEGER, order: 0, writer: 'x' }
    for (const { sort } of items)
      await collections?.delete({ shard, sort, stamp, mode: 'remove', retentionMs: 0 }, call)
  }

  async #seed(): Promise<number> {
    return (await this.#read()).hashSeed
  }

  async #read() {
    const { text, version } = await this.store.directory.read(call)
    const directory = decodeDirectory(text ?? '')
    return { ...directory, version, route: directory.routes.get('k') }
  }

  async #route(change: (route: Route | undefined, revision: number) => Route): Promise<void> {
    const { version, route, ...directory } = await this.#read()
    const counter = directory.counter + 1
    const routes = new Map(directory.routes).set('k', change(route, counter))
    await this.store.directory.swap(version, encodeDirectory({ ...directory, counter, routes }), call)
  }
}

/** A process that can be cut off from the directory, and whose requests can be held. */
function heldBackend(store: Backend): { readonly backend: ScriptedBackend; readonly items: HeldItems } {
  const backend = new ScriptedBackend(store)
  return { backend, items: backend.collections as HeldItems }
}

/** A store that never answers when a route is to be stamped. */
function withoutStamping(store: Backend): Backend {
  const { records } = store
  return {
    ...store,
    records: {
      write: (write, c) => records.write(write, c),
      read: (read, c) => records.read(read, c),
      seal: (shard, fields, c) => records.seal(shard, fields, c),
      absorb: (absorb, c) => records.absorb(absorb, c),
      clear: (shard, retentionMs, c) => records.clear(shard, retentionMs, c),
      stampRoute: () => new Promise(() => {}),
    },
  }
}

async function reconnect(backend: ScriptedBackend, clock: FakeClock): Promise<void> {
  backend.holds.directory = false
  for (const request of backend.heldDirectory.splice(0)) request.pass()
  await clock.advance(2_000)
}

describe('rules for collections', () => {
  it('late-ack: a put that is answered after its lease goes where the item is looked for by then', async () => {
    const world = new World()
    const other = await world.join(world.store, 1)
    await world.grow()
    const { backend, items } = heldBackend(world.store)
    const late = await world.join(backend, 2)
    const sort = await world.sortInOne()
    items.holds = ({ operation }) => operation === 'put'
    backend.holds.directory = true
    const put = watch(late.put('k', sort, { n: 1 }))
    await world.clock.advance(0)
    expect(items.held[0]?.shards[0]?.index).toBe(1)
    await world.mergeBack()
    items.holds = () => false
    await items.held[0]?.pass() // into a place that nobody looks at any more
    await world.clock.advance(0)
    await reconnect(backend, world.clock)
    expect(put.state).toBe('resolved')
    expect(await other.get('k', sort)).toEqual({ n: 1 })
  })

  it('copy under a lease: a copy that was read before the key was merged back brings no item back that was deleted since', async () => {
    const world = new World()
    const other = await world.join(world.store, 1)
    await world.grow()
    await world.clock.advance(2_000)
    const sort = await world.sortInOne()
    await other.put('k', sort, { n: 1 })
    const { backend, items } = heldBackend(world.store)
    const own = new FakeClock({ wallMs: world.clock.wallMs() })
    await world.join(backend, 2, {}, own)
    items.holds = ({ operation }) => operation === 'page'
    await world.drain()
    for (let second = 0; second < 60 && items.held.length === 0; second++)
      await Promise.all([own.advance(1_000), world.clock.advance(1_000)])
    expect(items.held[0]?.shards[0]?.index).toBe(1)
    const suspendedMs = world.clock.wallMs()
    await items.held[0]?.deliver() // its answer finds the machine suspended
    await world.finish()
    await world.clock.advance(2_000)
    await other.delete('k', sort)
    await world.forgetTombstones()
    items.holds = () => false
    own.jumpWall(world.clock.wallMs() - suspendedMs)
    items.held[0]?.answer()
    await own.advance(100)
    expect(await other.get('k', sort)).toBeUndefined()
  })

  it('take-back: a put that was routed again gives way for good to a delete that was acknowledged meanwhile', async () => {
    const world = new World()
    const other = await world.join(world.store, 1)
    await world.grow()
    const { backend, items } = heldBackend(world.store)
    const late = await world.join(backend, 2)
    const sort = await world.sortInOne()
    items.holds = ({ operation }) => operation === 'put'
    backend.holds.directory = true
    const put = watch(late.put('k', sort, { n: 1 }))
    await world.clock.advance(1)
    await world.mergeBack()
    await other.delete('k', sort)
    await world.grow()
    items.holds = () => false
    await items.held[0]?.pass()
    await reconnect(backend, world.clock)
    expect(put.state).toBe('resolved')
    expect(await other.get('k', sort)).toBeUndefined()
    await world.forgetTombstones()
    expect(await other.get('k', sort)).toBeUndefined()
  })

  it('tombstone: a copy of a put that the network delivers after a delete brings nothing back', async () => {
    const world = new World()
    const other = await world.join(world.store, 1)
    const { backend, items } = heldBackend(world.store)
    const writer = await world.join(backend, 2)
    const sort = await world.sortInOne()
    items.holds = ({ operation }) => operation === 'put'
    const put = writer.put('k', sort, { n: 1 })
    await world.clock.advance(0)
    const copy = items.held[0]
    await copy?.pass()
    await put
    await world.grow()
    await world.clock.advance(2_000)
    await other.delete('k', sort)
    await copy?.deliver()
    expect(await other.get('k', sort)).toBeUndefined()
    expect(await allOf(other.iterate('k'))).toEqual([])
  })

  it('every-candidate: a delete reaches the item where an earlier fanout had put it', async () => {
    const world = new World()
    const items = await world.join(world.store, 1)
    const sort = await world.sortInOne()
    await items.put('k', sort, { n: 1 })
    await world.grow()
    await world.clock.advance(2_000)
    expect(await items.get('k', sort)).toEqual({ n: 1 })
    await items.delete('k', sort)
    await world.forgetTombstones()
    expect(await items.get('k', sort)).toBeUndefined()
    expect(await allOf(items.iterate('k'))).toEqual([])
  })

  it('foresee: an item is found by who still holds the route before, wherever a drain to a new fanout has it put', async () => {
    const world = new World()
    await world.join(world.store, 1)
    await world.grow(4)
    const { backend } = heldBackend(world.store)
    const reader = await world.join(backend, 2)
    const sort = await world.sortInOne(4)
    backend.holds.directory = true
    await world.foresee(2)
    const writer = await world.join(world.store, 3)
    await writer.put('k', sort, { n: 1 })
    expect(await reader.get('k', sort)).toEqual({ n: 1 })
    await reconnect(backend, world.clock)
  })

  it('foresee-stamp: an item that was put under a new fanout is found although the drain was forgotten with all who knew it', async () => {
    const world = new World()
    await world.join(world.store, 1)
    await world.grow(4)
    const { text } = await world.store.directory.read(call)
    await clients.pop()?.close()
    const { backend } = heldBackend(withoutStamping(world.store))
    const leader = await world.join(backend, 2, { fanoutMax: 4, coolMs: 0, rules: [{ match: 'k', fanout: 2 }] })
    for (let ms = 0; ms < 120_000 && !(await world.isForeseen(2)); ms += 50) await world.clock.advance(50)
    expect(await world.isForeseen(2)).toBe(true)
    await world.clock.advance(waitMs) // so long that it would be drained by now
    const sort = await world.sortInOne(4)
    await leader.put('k', sort, { n: 1 })
    backend.holds.directory = true
    const { version } = await world.store.directory.read(call)
    await world.store.directory.swap(version, text ?? '', call)
    const reader = await world.join(world.store, 3)
    expect(await reader.get('k', sort)).toEqual({ n: 1 })
    await reconnect(backend, world.clock)
  })

  it('newest-wins: of two versions in two places every read gives the newer, once', async () => {
    const world = new World()
    const items = await world.join(world.store, 1)
    const sort = await world.sortInOne()
    await items.put('k', sort, { n: 1 })
    await world.grow()
    await world.clock.advance(2_000)
    await items.put('k', sort, { n: 2 })
    expect(await items.get('k', sort)).toEqual({ n: 2 })
    expect(await allOf(items.iterate('k'))).toEqual([{ sort, item: { n: 2 } }])
  })

  it.each(['a get', 'a page', 'an iterate'] as const)(
    'lease-at-end: %s during which the key was merged back is done again',
    async (how) => {
      const world = new World()
      const other = await world.join(world.store, 1)
      await world.grow()
      await world.clock.advance(2_000)
      const sort = await world.sortInOne()
      await other.put('k', sort, { n: 1 })
      const { backend, items } = heldBackend(world.store)
      const reader = await world.join(backend, 2)
      backend.holds.directory = true
      items.holds = () => true
      const reads = {
        'a get': async () => [await reader.get('k', sort)],
        'a page': async () => (await reader.page('k')).items.map(({ item }) => item),
        'an iterate': async () => (await allOf(reader.iterate('k'))).map(({ item }) => item),
      }
      const read = watch(reads[how]())
      await world.clock.advance(0)
      for (const request of items.held.slice())
        if (request.shards[0]?.index === 0 && how !== 'a get') await request.pass()
      await world.mergeBack()
      for (const request of items.held.slice()) await request.pass() // the item has gone from there
      items.holds = () => false
      await reconnect(backend, world.clock)
      expect(read).toMatchObject({ state: 'resolved', value: [{ n: 1 }] })
    },
  )
})

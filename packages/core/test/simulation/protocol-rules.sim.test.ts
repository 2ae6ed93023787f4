// One history a rule of the protocol, which goes wrong as soon as the rule is taken out of the code. The command that takes
// each out and shows that its test fails: `npm run break-rules`.

import { afterEach, describe, expect, it } from 'vitest'

import { type Backend, type Client, createClient, memory, sum } from '../../src/index.js'
import { decodeDirectory, encodeDirectory } from '../../src/routing/directory.js'
import { activate, announce, drain, settle } from '../../src/routing/phases.js'
import type { Route } from '../../src/routing/route.js'
import { FakeClock, seededRandom } from '../../src/testing.js'
import { HeldBackend } from './held-backend.js'

const call = { signal: new AbortController().signal }
const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`)
const generation = { number: 1_000, nonce: 7 }
const later = { number: 2_000, nonce: 8 }

const clients: Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

function world() {
  const clock = new FakeClock()
  const store = memory()
  async function join(backend: Backend, seed: number, options: Partial<Parameters<typeof createClient>[0]> = {}) {
    const client = await createClient({ backend, clock, random: seededRandom(seed), ...options })
    clients.push(client)
    return { client, records: client.records('counter', { n: sum() }) }
  }
  /** Changes the key's route behind the clients' backs, as another process would. */
  async function route(change: (route: Route | undefined, revision: number) => Route, ofKeys: readonly string[]) {
    const { text, version } = await store.directory.read(call)
    const directory = decodeDirectory(text ?? '')
    const routes = new Map(directory.routes)
    let { counter } = directory
    for (const key of ofKeys) routes.set(key, change(routes.get(key), (counter += 1)))
    await store.directory.swap(version, encodeDirectory({ ...directory, counter, routes }), call)
  }
  /** The directory loses all of its routes, as in a failover or when an operator restores it. */
  async function forget() {
    const { text, version } = await store.directory.read(call)
    await store.directory.swap(version, encodeDirectory({ ...decodeDirectory(text ?? ''), routes: new Map() }), call)
  }
  return { clock, store, join, route, forget }
}

describe('rules of the protocol', () => {
  it('announce-wait: writes reach a new shard only when no process can still read without it', async () => {
    const { clock, store, join } = world()
    const readersView = new HeldBackend(store)
    const reader = await join(readersView, 1)
    readersView.holds = (operation) => operation === 'directory.read' // the reader's snapshot grows old
    const rules = keys.map((match) => ({ match, fanout: 2 }))
    const writer = await join(store, 2, { sharding: { rules } })
    await clock.advance(2_900)
    await Promise.all(keys.map((key) => writer.records.write(key, { n: 1 })))
    const seen = await Promise.all(keys.map((key) => reader.records.read(key)))
    expect(seen.map(({ n }) => n)).toEqual(keys.map(() => 1))
    await clock.advance(2_000)
    expect(writer.client.hotKeys()).toEqual([])
    const shards = new Set<number>()
    writer.client.on('flush', ({ shardIndex }) => shards.add(shardIndex))
    await Promise.all(keys.map((key) => writer.records.write(key, { n: 1 })))
    expect(shards).toEqual(new Set([0, 1])) // and then they do
    for (const request of readersView.heldOf('directory.read')) await request.pass()
    readersView.holds = () => false
  })

  it('dedupe: a write that is sent again after its answer was lost counts once', async () => {
    const { clock, store, join } = world()
    const backend = new HeldBackend(store)
    const { records } = await join(backend, 1)
    backend.holds = (operation) => operation === 'write'
    const written = records.write('k', { n: 1 })
    await backend.heldOf('write')[0]?.deliver() // and no answer
    await clock.advance(1_200)
    await backend.heldOf('write')[1]?.pass()
    await written
    await backend.heldOf('write')[0]?.deliver() // the network delivers the first copy again
    expect(await records.read('k')).toEqual({ n: 1 })
    expect(new Set(backend.writes.map(({ stamp }) => stamp?.sequence)).size).toBe(1)
    backend.holds = () => false
  })

  it('sticky-retry: a write whose outcome is unknown goes to the same shard again, wherever the route points by now', async () => {
    const { clock, store, join, route } = world()
    const backend = new HeldBackend(store)
    const { records } = await join(backend, 1)
    backend.holds = (operation) => operation === 'write'
    const written = keys.map((key) => records.write(key, { n: 1 }))
    await route((before, revision) => announce(before, 2, generation, revision), keys)
    await route((before, revision) => activate(before as Route, revision), keys) // no other process is there to wait for
    await clock.advance(1_500) // time-outs, and a refresh that shows the route
    const copies = [...backend.heldOf('write')]
    expect(copies.length).toBeGreaterThan(keys.length)
    for (const copy of copies.toReversed()) await copy.pass()
    await Promise.all(written)
    const totals = await Promise.all(keys.map((key) => records.read(key)))
    expect(totals.map(({ n }) => n)).toEqual(keys.map(() => 1))
    expect(backend.writes.every(({ shard }) => shard.index === 0)).toBe(true)
    backend.holds = () => false
  })

  it('horizon: an answer after the retry horizon is no «done», for the place may have been merged back and be gone', async () => {
    const { clock, store, join } = world()
    const held = new HeldBackend(store)
    const { records } = await join(held, 1)
    held.holds = (operation) => operation === 'write'
    const writing = records.write('key', { n: 1 }).then(
      () => 'written',
      (error: unknown) => (error as { readonly code?: string }).code,
    )
    clock.jumpWall(300_000) // the machine is suspended, and its monotonic clock stands still: no timer is due
    await held.held[0]?.pass()
    expect(await writing).toBe('WRITE_UNKNOWN')
  })

  it('own-answer: a late «sealed» of an earlier attempt says nothing about the one that is under way', async () => {
    const { clock, store, join, route } = world()
    const fields = [{ name: 'n', rule: sum() }]
    await (await join(store, 9)).client.close()
    await route((before, revision) => announce(before, 2, generation, revision), keys)
    await route((before, revision) => activate(before as Route, revision), keys)
    const backend = new HeldBackend(store)
    const { records } = await join(backend, 1, { routing: { refreshMs: 400 } })
    backend.holds = (operation) => operation === 'write'
    const written = keys.map((key) => records.write(key, { n: 1 }))
    for (const key of keys) await store.records.seal({ key, index: 1, generation }, fields, call)
    const first = backend.heldOf('write').filter(({ shardIndexes }) => shardIndexes[0] === 1)
    expect(first.length).toBeGreaterThan(0)
    await route((before, revision) => drain(before as Route, 1, revision), keys)
    for (const key of keys) {
      const contents = await store.records.seal({ key, index: 1, generation }, fields, call)
      const target = { key, index: 0, generation: { number: 0, nonce: 0 } }
      await store.records.absorb({ target, source: { key, index: 1, generation }, contents, fields }, call)
    }
    await clock.advance(1_200) // time-outs: second attempts at the same place
    for (const request of first) await request.deliver() // «sealed», and the answer dawdles
    const second = backend
      .heldOf('write')
      .filter((request) => request.shardIndexes[0] === 1 && !first.includes(request))
    for (const request of second) await request.pass() // «sealed»: it may go elsewhere
    await clock.advance(900)
    const third = backend.heldOf('write').slice(-first.length)
    expect(third.every(({ shardIndexes }) => shardIndexes[0] === 0)).toBe(true)
    for (const request of third) await request.deliver() // it is in, and the answer dawdles
    await route((before, revision) => settle(before as Route, revision), keys)
    await route((before, revision) => announce({ ...(before as Route), phase: 'cold' }, 2, later, revision), keys)
    await route((before, revision) => activate(before as Route, revision), keys)
    await clock.advance(500)
    for (const request of first) request.answer() // the late «sealed»
    await clock.advance(300)
    for (const request of backend.held.slice()) await request.pass()
    await clock.advance(2_000)
    for (const request of backend.held.slice()) await request.pass()
    await Promise.all(written)
    const totals = await Promise.all(keys.map((key) => records.read(key)))
    expect(totals.map(({ n }) => n)).toEqual(keys.map(() => 1))
    backend.holds = () => false
  })

  // Found by the simulation (seed 833661646, path 170): the late «done» was taken for a rejection.
  it('own-answer: a late «done» after a throttled attempt is a success, however late', async () => {
    const { clock, store, join } = world()
    const backend = new HeldBackend(store)
    const { records } = await join(backend, 1, { limits: { requestTimeoutMs: 700, writeTimeoutMs: 700 } })
    backend.throttleNext = 1
    backend.holds = (operation) => operation === 'write'
    const written = records.write('k', { n: 1 })
    await clock.advance(650)
    clock.pause(800)
    await backend.heldOf('write')[0]?.pass()
    await written
    expect(await records.read('k')).toEqual({ n: 1 })
    expect(backend.writes.length).toBe(2)
    backend.holds = () => false
  })

  it('lease-at-end: a read that outlived its lease is thrown away and done again', async () => {
    const { clock, store, join, route } = world()
    const fields = [{ name: 'n', rule: sum() }]
    const [key = ''] = keys
    const place = { key, index: 1, generation }
    await (await join(store, 9)).client.close()
    await route((before, revision) => announce(before, 2, generation, revision), [key])
    await route((before, revision) => activate(before as Route, revision), [key])
    const state = sum().prepare(5, {
      field: 'n',
      integerMax: 2n ** 64n,
      stamps: { writer: 'w', next: () => ({ timeMs: 0, order: 0, writer: 'w' }) },
    })
    await store.records.write({ shard: place, changes: [{ name: 'n', rule: sum(), state }], stamp: undefined }, call)
    const backend = new HeldBackend(expiring(store, place), { shardsPerReadMax: 1 })
    const { records } = await join(backend, 1, {
      limits: { requestTimeoutMs: 60_000, writeTimeoutMs: 60_000 },
      gather: { shardTimeoutMs: 60_000 },
    })
    backend.holds = (operation) => operation === 'read' || operation === 'directory.read'
    const read = records.read(key)
    await clock.advance(1)
    const [zero, one] = backend.heldOf('read')
    await zero?.pass() // shard 0 before the merging back
    await route((before, revision) => drain(before as Route, 1, revision), [key])
    const contents = await store.records.seal(place, fields, call)
    await store.records.absorb(
      { target: { ...place, index: 0, generation: { number: 0, nonce: 0 } }, source: place, contents, fields },
      call,
    )
    await route((before, revision) => settle(before as Route, revision), [key])
    await clock.advance(4_000)
    await one?.pass() // shard 1 when its place has expired
    backend.holds = () => false
    for (const request of backend.held.slice()) await request.pass()
    await clock.advance(1_000)
    expect(await read).toEqual({ n: 5 })
  })

  it('heal: a route that the store has forgotten is written back by whoever remembers it, before it acts', async () => {
    const { clock, join, store, route, forget } = world()
    const { records } = await join(withoutStamps(store), 1)
    await route((before, revision) => announce(before, 2, generation, revision), keys)
    await route((before, revision) => activate(before as Route, revision), keys)
    await clock.advance(1_500)
    await Promise.all(keys.map((key) => records.write(key, { n: 1 })))
    await forget()
    await clock.advance(1_500)
    const totals = await Promise.all(keys.map((key) => records.read(key)))
    expect(totals.map(({ n }) => n)).toEqual(keys.map(() => 1))
  })

  it('wait-anew: when a lost change was written back, its wait begins anew', async () => {
    const { clock, join, store, forget } = world()
    const quiet = withoutStamps(store)
    const rules = keys.map((match) => ({ match, fanout: 2 }))
    const writer = await join(quiet, 1, { sharding: { rules } })
    await clock.advance(2_500) // most of the wait is over
    await forget()
    const readersView = new HeldBackend(quiet)
    const reader = await join(readersView, 2) // is shown no routes, and may go by that for a lease
    readersView.holds = (operation) => operation === 'directory.read'
    await clock.advance(1_500)
    await Promise.all(keys.map((key) => writer.records.write(key, { n: 1 })))
    const seen = await Promise.all(keys.map((key) => reader.records.read(key)))
    expect(seen.map(({ n }) => n)).toEqual(keys.map(() => 1))
    readersView.holds = () => false
    for (const request of readersView.held.slice()) await request.pass()
  })
})

/** A store that keeps no stamps of routes: what its directory lost comes back from the processes alone. */
function withoutStamps(store: Backend): Backend {
  const { records } = store
  return {
    ...store,
    records: {
      write: (write, c) => records.write(write, c),
      read: (read, c) => records.read(read, c),
      seal: (shard, fields, c) => records.seal(shard, fields, c),
      absorb: (absorb, c) => records.absorb(absorb, c),
      clear: (shard, retentionMs, c) => records.clear(shard, retentionMs, c),
    },
  }
}

/** A store whose own expiry has taken one place away. */
function expiring(store: Backend, place: { readonly index: number }): Backend {
  return {
    ...store,
    records: {
      ...store.records,
      write: (write, c) => store.records.write(write, c),
      seal: (shard, fields, c) => store.records.seal(shard, fields, c),
      absorb: (absorb, c) => store.records.absorb(absorb, c),
      clear: (shard, retentionMs, c) => store.records.clear(shard, retentionMs, c),
      read: (read, c) =>
        read.shards[0]?.index === place.index
          ? Promise.resolve([{ status: 'read', states: read.fields.map(() => undefined) }])
          : store.records.read(read, c),
    },
  }
}

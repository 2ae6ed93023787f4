import { describe, expect, test } from 'vitest'
import { type Backend, BackendError, memory, ownGeneration, type RouteStamp, sum } from '../../../src/index.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import { type Opened, opened, refused } from '../../doubles/opened.js'
import { openedSpread, shortLease } from '../../doubles/spread.js'
import { call } from '../backend/requests.js'

const shard0 = { key: 'hot', index: 0, generation: ownGeneration }

/** A store that can forget its directory, and whose stamping can be made to fail. */
function forgetfulStore() {
  const inner = memory()
  const state = {
    directory: inner.directory,
    stamps: [] as RouteStamp[],
    isStampable: true as boolean | ((key: string) => boolean),
    isUnconfirmed: false,
  }
  const store: Backend = {
    ...inner,
    directory: {
      read: (c) => state.directory.read(c),
      swap: (expected, text, c) => state.directory.swap(expected, text, c),
    },
    records: {
      write: (write, c) => inner.records.write(write, c),
      read: (read, c) => inner.records.read(read, c),
      seal: (shard, fields, c) => inner.records.seal(shard, fields, c),
      absorb: (absorb, c) => inner.records.absorb(absorb, c),
      clear: (shard, retentionMs, c) => inner.records.clear(shard, retentionMs, c),
      async stampRoute(shard, stamp, c) {
        const { isStampable } = state
        if (typeof isStampable === 'function' ? !isStampable(shard.key) : !isStampable) throw refused
        state.stamps.push(stamp)
        await inner.records.stampRoute?.(shard, stamp, c)
        if (state.isUnconfirmed) throw new BackendError('unknown', 'No replica has it.')
      },
    },
  }
  return { store, state }
}

async function routesIn(store: Backend) {
  return decodeDirectory((await store.directory.read(call)).text ?? '').routes
}

/** A key whose writes stand in both of two shards, written by clients that are gone. */
async function spreadAndForgotten() {
  const { store, state } = forgetfulStore()
  const first = await openedSpread(2, { store })
  const { clock } = first
  const before = await routesIn(store)
  const worlds: Opened[] = [first]
  for (let seed = 2; seed <= 6; seed++) worlds.push(await opened({ store, clock, seed, routing: shortLease }))
  for (const { client } of worlds) await clock.run(client.records('post', { views: sum() }).write('hot', { views: 1 }))
  expect(new Set(worlds.map(({ backend }) => backend.writes.at(-1)?.shard.index)).size).toBe(2)
  for (const { client } of worlds) await clock.run(client.close())
  state.directory = memory().directory
  return { store, state, clock, before }
}

describe('before a route becomes active', () => {
  test('shard 0 is stamped with it, by a revision between those of the announced and the active route', async () => {
    const { store, state } = forgetfulStore()
    const world = await openedSpread(4, { store })
    const route = (await routesIn(store)).get('hot')
    expect(state.stamps).toHaveLength(1)
    const [stamp] = state.stamps as [RouteStamp]
    expect(stamp.revision).toBeLessThanOrEqual(route!.revision)
    expect(JSON.parse(stamp.text)).toEqual([
      'active',
      4,
      4,
      route!.generations.map(({ number, nonce }) => [number, nonce]),
      route!.writeHistory,
    ])
    await world.clock.run(world.client.close())
  })

  test('it stays announced while the stamp cannot be made, and the reason is told', async () => {
    const { store, state } = forgetfulStore()
    state.isStampable = false
    const clockAndClient = await opened({
      store,
      routing: shortLease,
      sharding: { rules: [{ match: 'hot', fanout: 2 }] },
    })
    const { client, clock } = clockAndClient
    const failures: unknown[] = []
    client.on('route-stalled', (event) => failures.push(event))
    await clock.advance(5_000)
    expect((await routesIn(store)).get('hot')?.phase).toBe('announced')
    expect(failures[0]).toEqual({ key: 'hot', phase: 'announced', error: refused })
    expect(failures.length).toBeLessThan(30)
    state.isStampable = true
    await clock.advance(5_000)
    expect((await routesIn(store)).get('hot')?.phase).toBe('active')
    expect(state.stamps).toHaveLength(1)
  })
})

describe('while a stamp is not acknowledged', () => {
  test('no reader makes the route active: what is acknowledged under it could be lost with the stamp', async () => {
    const { store, state } = forgetfulStore()
    state.isUnconfirmed = true
    const rules = [{ match: 'hot', fanout: 2 }]
    const { client, clock } = await opened({ store, routing: shortLease, sharding: { rules } })
    const posts = client.records('post', { views: sum() })
    for (let i = 0; i < 50; i++) {
      await clock.advance(100)
      await clock.run(posts.read('hot'))
    }
    expect(state.stamps.length).toBeGreaterThan(1)
    expect((await routesIn(store)).get('hot')?.phase).toBe('announced')
    state.isUnconfirmed = false
    await clock.advance(3_000)
    expect((await routesIn(store)).get('hot')?.phase).toBe('active')
    await clock.run(client.close())
  })

  test('keys that cannot be stamped keep no other key from growing', async () => {
    const { store, state } = forgetfulStore()
    state.isStampable = (key) => key === 'good'
    const bad = Array.from({ length: 40 }, (_, i) => `bad${i}`)
    const rules = [...bad, 'good'].map((match) => ({ match, fanout: 2 }))
    const { client, clock } = await opened({ store, routing: shortLease, sharding: { rules } })
    await clock.advance(3_000)
    const routes = await routesIn(store)
    expect(routes.get('good')?.phase).toBe('active')
    expect(bad.map((key) => routes.get(key)?.phase)).toEqual(bad.map(() => 'announced'))
    await clock.run(client.close())
  })

  test('and the store is slow to answer, no second copy is sent, and its late answer counts', async () => {
    const { store, state } = forgetfulStore()
    let answer: (() => void) | undefined
    const stamp = store.records.stampRoute!.bind(store.records)
    const slow: Backend = {
      ...store,
      records: {
        ...store.records,
        stampRoute: async (...args) => {
          await stamp(...args)
          await new Promise<void>((resolve) => {
            answer = resolve
          })
        },
      },
    }
    const rules = [{ match: 'hot', fanout: 2 }]
    const { client, clock } = await opened({ store: slow, routing: shortLease, sharding: { rules } })
    await clock.advance(20_000)
    expect(state.stamps).toHaveLength(1)
    expect((await routesIn(store)).get('hot')?.phase).toBe('announced')
    answer?.()
    await clock.advance(500)
    expect(state.stamps).toHaveLength(1)
    expect((await routesIn(store)).get('hot')?.phase).toBe('active')
    await clock.run(client.close())
  })
})

/** What a client has made of all routes, swap by swap. */
function routesOf({ backend }: Opened) {
  return backend.directoryRequests.flatMap(({ text }) =>
    text === undefined ? [] : [JSON.parse(text) as { routes: unknown }],
  )
}

test('readers of a key that grows change nothing in the directory', async () => {
  const { store } = forgetfulStore()
  const rules = [{ match: 'hot', fanout: 4 }]
  const first = await opened({ store, routing: shortLease, sharding: { rules } })
  const { clock } = first
  const readers: Opened[] = []
  for (let seed = 2; seed <= 9; seed++) readers.push(await opened({ store, clock, seed, routing: shortLease }))
  for (let ms = 0; ms < 3_000; ms += 20) {
    await clock.advance(20)
    await clock.run(Promise.all(readers.map(({ client }) => client.records('p', { n: sum() }).read('hot'))))
  }
  expect((await routesIn(store)).get('hot')?.phase).toBe('active')
  const own = routesOf(first).map(({ routes }) => routes)
  for (const reader of readers) for (const { routes } of routesOf(reader)) expect(own).toContainEqual(routes) // at most a leader's term
})

test('many routes that were forgotten are written back in few swaps, and no read fails', async () => {
  const { store, state } = forgetfulStore()
  const keys = Array.from({ length: 100 }, (_, i) => `hot${i}`)
  const rules = keys.map((match) => ({ match, fanout: 2 }))
  const first = await opened({ store, routing: shortLease, sharding: { rules } })
  const { clock } = first
  await clock.advance(3_000)
  expect([...(await routesIn(store)).values()].filter(({ phase }) => phase === 'active')).toHaveLength(100)
  await clock.run(first.client.close())
  const { directory } = memory()
  state.directory = directory
  const worlds: Opened[] = []
  for (let seed = 2; seed <= 9; seed++) worlds.push(await opened({ store, clock, seed, routing: shortLease }))
  const reads = worlds.flatMap(({ client }) => {
    const posts = client.records('post', { views: sum() })
    return keys.map((key) => posts.read(key))
  })
  expect(await clock.run(Promise.all(reads))).toEqual(reads.map(() => ({ views: 0 })))
  expect((await routesIn(store)).size).toBe(100)
  const swapCount = Number((await state.directory.read(call)).version)
  expect(swapCount).toBeLessThan(30)
})

describe('a directory that forgot a route which no client remembers', () => {
  test('gets it back from the stamp before the first read is answered: nothing acknowledged is missing', async () => {
    const { store, clock, before } = await spreadAndForgotten()
    const { client, backend } = await opened({ store, clock, seed: 9, routing: shortLease })
    const posts = client.records('post', { views: sum() })
    expect(await clock.run(posts.read('hot'))).toEqual({ views: 6 })
    const { generations, read, write, phase } = before.get('hot')!
    expect((await routesIn(store)).get('hot')).toMatchObject({ generations, read, write, phase })
    const directoryRequestsBefore = backend.directoryRequests.length
    expect(await clock.run(posts.read('hot'))).toEqual({ views: 6 })
    expect(backend.directoryRequests.length).toBe(directoryRequestsBefore)
  })

  test('gets it back once, however many read at the same time', async () => {
    const { store, state, clock } = await spreadAndForgotten()
    const worlds = [await opened({ store, clock, seed: 9, routing: shortLease })]
    worlds.push(await opened({ store, clock, seed: 10, routing: shortLease }))
    const { version } = await state.directory.read(call)
    const reads = worlds.map(({ client }) => client.records('post', { views: sum() }).read('hot'))
    expect(await clock.run(Promise.all(reads))).toEqual([{ views: 6 }, { views: 6 }])
    expect(Number((await state.directory.read(call)).version)).toBe(Number(version) + 1)
  })

  test('fails the read as unreadable while the directory cannot be written', async () => {
    const { store, state, clock } = await spreadAndForgotten()
    const { client } = await opened({ store, clock, seed: 9, routing: shortLease })
    const { directory } = state
    state.directory = { read: (c) => directory.read(c), swap: () => Promise.reject(refused) }
    const posts = client.records('post', { views: sum() })
    await expect(clock.run(posts.read('hot'))).rejects.toMatchObject({ code: 'READ_FAILED', cause: refused })
  })
})

test('a stamp that holds no route fails the read: acting on half a route would miss writes', async () => {
  const store = memory()
  const { client, clock } = await opened({ store, routing: shortLease })
  await store.records.stampRoute?.(shard0, { revision: 9, text: '["active",3]' }, call)
  const reading = clock.run(client.records('post', { views: sum() }).read('hot'))
  await expect(reading).rejects.toMatchObject({ code: 'READ_FAILED' })
  const { cause } = (await reading.catch((error: unknown) => error)) as { cause: unknown }
  expect(cause).toBeInstanceOf(BackendError)
  expect(cause).toMatchObject({ kind: 'invalid' })
})

import { describe, expect, test } from 'vitest'

import { type Backend, createClient, type DirectoryStore, memory, sum } from '../../../src/index.js'
import { decodeDirectory, encodeDirectory } from '../../../src/routing/directory.js'
import { announce } from '../../../src/routing/phases.js'
import { Routing } from '../../../src/routing/routing.js'
import { Events } from '../../../src/telemetry/events.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'

const call = { signal: new AbortController().signal }
const routing = { refreshMs: 100, leaseMs: 300, directoryCopies: 4 } as const

/** A store whose places of the directory can be counted and held up, by index; 0 is the first. */
function countedPlaces(inner: Backend = memory()) {
  const reads = new Map<number, number>()
  const refusing = new Set<number>()
  const place = (store: DirectoryStore, index: number): DirectoryStore => ({
    read: (c) => {
      reads.set(index, (reads.get(index) ?? 0) + 1)
      return store.read(c)
    },
    swap: (expected, text, c) =>
      refusing.has(index) ? Promise.reject(new Error('down')) : store.swap(expected, text, c),
    copy: (i) => place(store.copy?.(i) ?? store, i),
  })
  const store: Backend = { ...inner, directory: place(inner.directory, 0) }
  const phaseAt = async (index: number) => {
    const at = index === 0 ? inner.directory : inner.directory.copy?.(index)
    const { text } = (await at?.read(call)) ?? {}
    return text === undefined ? undefined : decodeDirectory(text).routes.get('hot')?.phase
  }
  const leaderAt = async (index: number) => {
    const at = index === 0 ? inner.directory : inner.directory.copy?.(index)
    return decodeDirectory((await at?.read(call))?.text ?? '').leader?.id
  }
  return { store, reads, refusing, phaseAt, leaderAt }
}

async function joined(store: Backend, clock: FakeClock, seed: number, fanout?: number) {
  const rules = fanout === undefined ? [] : [{ match: 'hot', fanout }]
  const client = await createClient({ backend: store, clock, random: seededRandom(seed), routing, sharding: { rules } })
  return { client, posts: client.records('post', { n: sum() }) }
}

describe('a directory in four places', () => {
  test('is read in all of them by a fleet, and in one of them by each client', async () => {
    const { store, reads } = countedPlaces()
    const clock = new FakeClock()
    for (let seed = 1; seed <= 24; seed++) await joined(store, clock, seed)
    await clock.advance(500)
    reads.clear()
    await clock.advance(1_000)
    const counts = [0, 1, 2, 3].map((index) => reads.get(index) ?? 0)
    expect(counts.reduce((a, b) => a + b)).toBe(240)
    expect(Math.max(...counts)).toBeLessThan(120)
    expect(Math.min(...counts)).toBeGreaterThan(20)
  })

  test('shows every change in all of them', async () => {
    const { store, phaseAt } = countedPlaces()
    const clock = new FakeClock()
    await joined(store, clock, 1, 2)
    await clock.advance(1_000)
    expect(await Promise.all([0, 1, 2, 3].map(phaseAt))).toEqual(['active', 'active', 'active', 'active'])
  })

  test('lets no wait of a lease begin before the last of them has the change', async () => {
    const { store, refusing, phaseAt } = countedPlaces()
    const clock = new FakeClock()
    const writer = await joined(store, clock, 1, 4)
    const others = await Promise.all([2, 3, 4, 5, 6, 7].map((seed) => joined(store, clock, seed)))
    await clock.advance(0)
    refusing.add(3)
    await clock.advance(5_000)
    expect(await phaseAt(0)).toBe('announced')
    expect(await phaseAt(3)).toBeUndefined()
    refusing.clear()
    let written = 0
    for (let ms = 0; ms < 2_000; ms += 20) {
      await clock.run(writer.posts.write('hot', { n: 1 }))
      written += 1
      for (const { posts } of others) expect((await clock.run(posts.read('hot'))).n).toBe(written)
      await clock.advance(20)
    }
    expect(await phaseAt(0)).toBe('active')
  })

  test('has its steps finished by another client when the first died before it wrote the copies', async () => {
    const { store, refusing, phaseAt } = countedPlaces()
    const clock = new FakeClock()
    const { client } = await joined(store, clock, 1, 2)
    for (const index of [1, 2, 3]) refusing.add(index)
    await clock.advance(200)
    await client.close()
    refusing.clear()
    expect(await phaseAt(0)).toBe('announced')
    await Promise.all([2, 3, 4, 5, 6].map((seed) => joined(store, clock, seed)))
    await clock.advance(3_000)
    expect(await Promise.all([0, 1, 2, 3].map(phaseAt))).toEqual(['active', 'active', 'active', 'active'])
  })

  test('tells in all of them who leads, so that a cooled key is merged back wherever the leader reads', async () => {
    const { store, phaseAt, leaderAt } = countedPlaces()
    const clock = new FakeClock()
    const { client } = await joined(store, clock, 1, 4)
    await clock.advance(1_500)
    expect(await phaseAt(0)).toBe('active')
    await client.close()
    const sharding = { coolMs: 2_000 }
    for (const seed of [2, 3, 4, 5]) {
      const other = await createClient({ backend: store, clock, random: seededRandom(seed), routing, sharding })
      other.records('post', { n: sum() })
    }
    await clock.advance(20_000)
    expect(await Promise.all([0, 1, 2, 3].map(phaseAt))).toEqual(['cold', 'cold', 'cold', 'cold'])
    const leaders = await Promise.all([0, 1, 2, 3].map(leaderAt))
    expect(new Set(leaders).size).toBe(1)
  })

  test('refuses a client that would keep it in another number of places', async () => {
    const { store } = countedPlaces()
    await joined(store, new FakeClock(), 1)
    const two = createClient({ backend: store, routing: { ...routing, directoryCopies: 2 } })
    await expect(two).rejects.toMatchObject({ code: 'DIRECTORY_MISMATCH' })
  })
})

test('a store with one place refuses copies before anything is sent', async () => {
  const { directory, ...inner } = memory()
  const store: Backend = {
    ...inner,
    directory: { read: (c) => directory.read(c), swap: (v, text, c) => directory.swap(v, text, c) },
  }
  await expect(createClient({ backend: store, routing })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    argument: 'routing.directoryCopies',
  })
})

test('a route that was lost and has come back while older copies were written is not taken to be in them', async () => {
  const clock = new FakeClock()
  const inner = memory()
  const copy = inner.directory.copy!(1)
  const held: (() => void)[] = []
  const directory: DirectoryStore = {
    read: (c) => inner.directory.read(c),
    swap: (expected, text, c) => inner.directory.swap(expected, text, c),
    copy: () => ({
      read: (c) => copy.read(c),
      swap: (expected, text, c) =>
        new Promise((resolve) => {
          held.push(() => resolve(copy.swap(expected, text, c)))
        }),
    }),
  }
  const options = {
    refreshMs: 100,
    leaseMs: 300,
    retryHorizonMs: 60_000,
    sealRetentionMs: 600_000,
    directoryBytesMax: 32_768,
    directoryCopies: 2,
  }
  const random = { next: () => 0 } // so that it reads the first place
  const parts = { clock, random, events: new Events(), options, requestTimeoutMs: 10_000 }
  const routing = new Routing({ backend: { ...inner, directory }, ...parts })
  const generation = { number: 7, nonce: 7 }
  await clock.run(routing.refresh())
  const [early, late] = [announce(undefined, 2, generation, 5), announce(undefined, 2, generation, 10)]
  await clock.run(
    routing.swap((before) => ({ ...before, counter: 10, routes: new Map(before.routes).set('other', late) })),
  )
  expect(held).toHaveLength(1)

  const { text, version } = await inner.directory.read(call)
  const known = decodeDirectory(text ?? '')
  const routes = new Map(known.routes).set('hot', early)
  await inner.directory.swap(version, encodeDirectory({ ...known, healCount: 1, counter: 1_000, routes }), call)
  await clock.run(routing.swap(() => undefined)) // sees it
  held.shift()?.()
  await clock.advance(50)
  expect(decodeDirectory((await copy.read(call)).text ?? '').routes.has('hot')).toBe(false)
  expect(['hot', 'other'].map((key) => routing.seenForMs(key, key === 'hot' ? 5 : 10))).toEqual([0, 0])

  await clock.advance(100)
  routing.spreadOut()
  await clock.advance(0)
  held.shift()?.()
  await clock.advance(50)
  expect(decodeDirectory((await copy.read(call)).text ?? '').routes.has('hot')).toBe(true)
  expect(['hot', 'other'].map((key) => routing.seenForMs(key, key === 'hot' ? 5 : 10))).toEqual([50, 50])
  await clock.run(routing.close())
})

import { describe, expect, test } from 'vitest'
import { type Backend, BackendError, type ClientEvents, memory, sum } from '../../../src/index.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import { type Opened, opened, type OpenOptions, watch } from '../../doubles/opened.js'
import { call } from '../backend/requests.js'

const options: OpenOptions = { sharding: { rules: [{ match: 'hot', fanout: 8 }] } }

/** A store whose directory a test can exchange for another, as a failover or an operator does. */
function exchangeableStore() {
  const inner = memory()
  const state = { directory: inner.directory, isReadOnly: false }
  const store: Backend = {
    ...inner,
    directory: {
      read: (c) => state.directory.read(c),
      swap: (expected, text, c) =>
        state.isReadOnly
          ? Promise.reject(new BackendError('unavailable', 'The directory is read-only.'))
          : state.directory.swap(expected, text, c),
    },
  }
  return { store, state }
}

/** A directory as it was restored, or a new one. */
async function directoryWith(text?: string) {
  const { directory } = memory()
  if (text !== undefined) await directory.swap(undefined, text, call)
  return directory
}

/** Six clients, each of which has written once to a key that is spread over eight shards. */
async function fleet() {
  const { store, state } = exchangeableStore()
  const first = await opened({ store, ...options })
  const { clock } = first
  const early = (await store.directory.read(call)).text ?? ''
  const worlds = [first]
  for (let seed = 2; seed <= 6; seed++) worlds.push(await opened({ store, clock, seed, ...options }))
  await clock.advance(10_000)
  const posts = worlds.map(({ client }) => client.records('post', { views: sum() }))
  await Promise.all(posts.map((record) => record.write('hot', { views: 1 })))
  expect(new Set(worlds.map(({ backend }) => backend.writes.at(-1)?.shard.index)).size).toBeGreaterThan(2)
  const { text = '' } = await store.directory.read(call)
  return { store, state, clock, worlds, posts, early, text }
}

/** How often a client has changed routes; who leads is another matter. */
function swapsOf({ backend }: Opened): number {
  const texts = backend.directoryRequests.flatMap(({ text }) => (text === undefined ? [] : [text]))
  return new Set(texts.map((text) => JSON.stringify((JSON.parse(text) as { routes: unknown }).routes))).size
}

async function storedRoutes(store: Backend) {
  const { hashSeed, counter, routes } = decodeDirectory((await store.directory.read(call)).text ?? '')
  return { hashSeed, counter, routes }
}

/** Every client's view, asked again and again while the clock moves on. */
async function expectToSee(views: number, { clock, posts }: Awaited<ReturnType<typeof fleet>>, forMs: number) {
  for (let ms = 0; ms < forMs; ms += 50) {
    expect(await Promise.all(posts.map((record) => record.read('hot')))).toEqual(posts.map(() => ({ views })))
    await clock.advance(50)
  }
}

describe('a directory that vanishes', () => {
  test('is written back by those who remember it, and no read misses an acknowledged write', async () => {
    const world = await fleet()
    const before = decodeDirectory(world.text)
    world.state.directory = await directoryWith()
    await expectToSee(6, world, 8_000)
    const { hashSeed, counter, routes } = await storedRoutes(world.store)
    expect({ hashSeed, routes }).toEqual({ hashSeed: before.hashSeed, routes: before.routes })
    expect(counter).toBeGreaterThan(before.counter)
    await Promise.all(world.posts.map((record) => record.write('hot', { views: 1 })))
    await expectToSee(12, world, 1_000)
  })

  test('is written back once, however many remember it', async () => {
    const { state, clock, worlds } = await fleet()
    state.directory = await directoryWith()
    const before = worlds.map(swapsOf)
    await clock.advance(1_000)
    const { routes } = decodeDirectory((await state.directory.read(call)).text ?? '')
    await clock.advance(20_000)
    expect(decodeDirectory((await state.directory.read(call)).text ?? '').routes).toEqual(routes)
    for (const [i, world] of worlds.entries()) expect(swapsOf(world) - before[i]!).toBeLessThanOrEqual(1)
  })

  test('and is made anew by a newcomer, under a version that was seen before, is healed all the same', async () => {
    const world = await fleet()
    const { store, state, clock, posts } = world
    const before = await store.directory.read(call)
    const fresh = await directoryWith()
    state.directory = fresh
    const newcomer = await opened({ store, clock, seed: 7 })
    for (;;) {
      const { text = '', version } = await fresh.read(call)
      if (version === before.version) break
      await fresh.swap(version, text, call)
    }
    expect((await fresh.read(call)).text).not.toBe(before.text)
    await expectToSee(6, world, 4_000)
    const { hashSeed, routes } = await storedRoutes(store)
    expect(hashSeed).toBe(decodeDirectory(world.text).hashSeed)
    expect(routes).toEqual(decodeDirectory(world.text).routes)
    const views = newcomer.client.records('post', { views: sum() })
    await views.write('hot', { views: 1 })
    expect(await views.read('hot')).toEqual({ views: 7 })
    expect(await posts[0]!.read('hot')).toEqual({ views: 7 })
  })

  test('and is grown by a newcomer before anybody else looked goes back to the places that hold the writes', async () => {
    const world = await fleet()
    world.state.directory = await directoryWith()
    const newcomer = await opened({ store: world.store, clock: world.clock, seed: 7, ...options })
    await world.clock.advance(60)
    expect((await storedRoutes(world.store)).routes.get('hot')?.phase).toBe('announced')
    await expectToSee(6, world, 8_000)
    expect((await storedRoutes(world.store)).routes).toEqual(decodeDirectory(world.text).routes)
    expect(await newcomer.client.records('post', { views: sum() }).read('hot')).toEqual({ views: 6 })
  })

  test('is not acted upon before it is healed: the old lease runs out, and a refusal is told', async () => {
    const { state, clock, worlds, posts, text } = await fleet()
    const failures: ClientEvents['directory-failed'][] = []
    worlds[0]!.client.on('directory-failed', (event) => failures.push(event))
    state.isReadOnly = true
    state.directory = await directoryWith()
    await clock.advance(1_500)
    expect(await posts[0]!.read('hot')).toEqual({ views: 6 })
    expect(failures).toMatchObject([{ error: { kind: 'unavailable' } }])
    await clock.advance(1_500)
    const reading = watch(posts[0]!.read('hot'))
    await clock.advance(1_000)
    expect(reading.state).toBe('open')
    state.isReadOnly = false
    await clock.advance(1_000)
    expect(reading.value).toEqual({ views: 6 })
    expect(decodeDirectory((await state.directory.read(call)).text ?? '').routes).toEqual(decodeDirectory(text).routes)
  })
})

describe('a directory that goes back', () => {
  test('to what it was before the key was spread is brought forward again, and no read misses an acknowledged write', async () => {
    const world = await fleet()
    world.state.directory = await directoryWith(world.early)
    await expectToSee(6, world, 8_000)
    expect((await storedRoutes(world.store)).routes).toEqual(decodeDirectory(world.text).routes)
  })

  test('while a client wakes up that is behind the others ends at the latest that anybody remembers', async () => {
    const { store, state } = exchangeableStore()
    const grower = await opened({ store, ...options })
    const { clock } = grower
    const sleeper = await opened({ store, clock, seed: 2 })
    sleeper.backend.holds.directory = true
    await clock.advance(10_500)
    const latest = await storedRoutes(store)
    expect(latest.routes.get('hot')?.phase).toBe('active')
    grower.backend.holds.directory = true
    state.directory = await directoryWith()
    letThrough(sleeper)
    await clock.advance(1_000)
    expect(await storedRoutes(store)).toMatchObject({ hashSeed: latest.hashSeed, routes: new Map() })
    letThrough(grower)
    await clock.advance(1_000)
    expect(await storedRoutes(store)).toMatchObject({ hashSeed: latest.hashSeed, routes: latest.routes })
    await clock.advance(1_000)
    const posts = sleeper.client.records('post', { views: sum() })
    await posts.read('hot')
    expect(sleeper.backend.reads.at(-1)?.shards).toHaveLength(8)
  })
})

function letThrough({ backend }: Opened): void {
  backend.holds.directory = false
  for (const held of backend.heldDirectory.splice(0)) held.pass()
}

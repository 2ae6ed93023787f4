import { describe, expect, test } from 'vitest'
import { BackendError, type ClientEvents, sum } from '../../../src/index.js'
import { opened, watch, watchAll } from '../../doubles/opened.js'
import { call } from '../backend/requests.js'

const down = new BackendError('unavailable', 'The directory is down.')

/** A client whose lease is over, and whose refreshes are held. */
async function expired(options: Parameters<typeof opened>[0] = {}) {
  const world = await opened({ routing: { refreshMs: 1_000, leaseMs: 3_000 }, ...options })
  const posts = world.client.records('post', { views: sum() })
  await posts.write('k', { views: 1 })
  world.backend.holds.directory = true
  world.clock.pause(3_000)
  return { ...world, posts }
}

function letThrough({ backend }: { backend: Awaited<ReturnType<typeof opened>>['backend'] }): void {
  backend.holds.directory = false
  for (const held of backend.heldDirectory.splice(0)) held.pass()
}

describe('past its lease a client', () => {
  test('sends nothing until a refresh has come, and then all of it', async () => {
    const world = await expired()
    const { posts, backend, clock } = world
    const [writes, reads] = [backend.writes.length, backend.reads.length]
    const operations = watchAll([posts.write('k', { views: 2 }), posts.write('k', { views: 4 }), posts.read('k')])
    await clock.advance(0)
    expect(operations.map(({ state }) => state)).toEqual(['open', 'open', 'open'])
    expect([backend.writes.length, backend.reads.length]).toEqual([writes, reads])
    letThrough(world)
    await clock.advance(0)
    expect(operations.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved'])
    expect(await posts.read('k')).toEqual({ views: 7 })
  })

  test('fails when none comes in time, for want of a route, and nothing was sent', async () => {
    const { posts, backend, clock } = await expired()
    const [writes, reads] = [backend.writes.length, backend.reads.length]
    const operations = [watch(posts.write('k', { views: 2 })), watch(posts.read('k'))]
    for (let ms = 0; ms < 20_000; ms += 100) {
      for (const held of backend.heldDirectory.splice(0)) held.fail(down)
      await clock.advance(100)
    }
    expect(operations.map(({ error }) => error?.code)).toEqual(['WRITE_REJECTED', 'ROUTE_UNAVAILABLE'])
    expect(operations[0]?.error).toMatchObject({ retryable: true, cause: { code: 'ROUTE_UNAVAILABLE', cause: down } })
    expect(operations[1]?.error).toMatchObject({ retryable: true, cause: down })
    expect([backend.writes.length, backend.reads.length]).toEqual([writes, reads])
  })

  test('also when only the wall clock says so, as after a suspend', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.directory = true
    clock.jumpWall(3_000)
    const writing = watch(posts.write('k', { views: 1 }))
    await clock.advance(0)
    expect([writing.state, backend.writes.length]).toEqual(['open', 0])
    letThrough({ backend })
    await clock.advance(0)
    expect(writing.state).toBe('resolved')
  })
})

describe('the lease', () => {
  test.each([
    ['new', true],
    ['the same', false],
  ])('on what is %s lasts leaseMs from the moment its fetch began, and not a millisecond longer', async (_, isNew) => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const { text, version } = await backend.directory.read(call)
    if (isNew) await backend.directory.swap(version, text ?? '', call)
    backend.holds.directory = true
    await clock.advance(1_000)
    const beganMs = clock.nowMs()
    await clock.advance(500)
    letThrough({ backend })
    await clock.advance(0)
    backend.holds.directory = true
    clock.pause(beganMs + 2_999 - clock.nowMs())
    const early = posts.write('k', { views: 1 })
    expect(backend.writes).toHaveLength(1)
    await early
    clock.pause(1)
    const late = posts.write('k', { views: 1 })
    expect(backend.writes).toHaveLength(1)
    letThrough({ backend })
    await late
  })

  test('outlives refreshes that fail, each of which is told', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const failures: ClientEvents['directory-failed'][] = []
    client.on('directory-failed', (event) => failures.push(event))
    backend.holds.directory = true
    await clock.advance(1_000)
    backend.heldDirectory.at(-1)?.fail(down)
    await clock.advance(1_000)
    backend.heldDirectory.at(-1)?.fail(down)
    await clock.advance(0)
    expect(failures).toEqual([{ error: down }, { error: down }])
    await posts.write('k', { views: 1 })
    expect(await posts.read('k')).toEqual({ views: 1 })
  })
})

describe('a cold key', () => {
  test('makes no request beyond its own: one a write, one a read, and one directory fetch a refresh', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const atStart = backend.directoryRequests.length
    for (let i = 0; i < 100; i++) {
      await posts.write(`k${i % 7}`, { views: 1 })
      await posts.read(`k${i % 7}`)
      await clock.advance(100)
    }
    expect([backend.writes.length, backend.reads.length]).toEqual([100, 100])
    expect(backend.directoryRequests.length - atStart).toBe(10)
    expect(backend.directoryRequests.slice(atStart).every(({ operation }) => operation === 'read')).toBe(true)
    for (const { shard } of backend.writes) expect(shard).toMatchObject({ index: 0, generation: { number: 0 } })
    expect(client.hotKeys()).toEqual([])
  })
})

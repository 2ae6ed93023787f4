import { describe, expect, test } from 'vitest'
import { type Backend, BackendError, type ClientEvents, memory, sum } from '../../../src/index.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import { opened, type OpenOptions } from '../../doubles/opened.js'
import { call } from '../backend/requests.js'

const routing = { refreshMs: 100, leaseMs: 300, retryHorizonMs: 6_000 } as const
const limits = { writeTimeoutMs: 5_000 } as const
/** The verdict of a store that does not answer until nobody waits any more. */
const silence = Symbol('silence')
const expires = new BackendError('invalid', 'The key expires. Give it no expiry.')

/** A store that says of each key what `verdict` does, and notes when it was asked. */
function askedStore() {
  const inner = memory()
  const state = {
    verdict: (_key: string): unknown => undefined,
    asked: [] as string[],
    underWay: 0,
    underWayMost: 0,
  }
  const store: Backend = {
    ...inner,
    records: {
      write: (write, c) => inner.records.write(write, c),
      read: (read, c) => inner.records.read(read, c),
      seal: (shard, fields, c) => inner.records.seal(shard, fields, c),
      absorb: (absorb, c) => inner.records.absorb(absorb, c),
      clear: (shard, retentionMs, c) => inner.records.clear(shard, retentionMs, c),
      stampRoute: async (shard, stamp, c) => inner.records.stampRoute?.(shard, stamp, c),
      async checkSpread({ key, index }, { signal }) {
        expect(index).toBe(0)
        state.asked.push(key)
        state.underWayMost = Math.max(state.underWayMost, ++state.underWay)
        try {
          const given = state.verdict(key)
          await (given === silence ? new Promise((resolve) => signal.addEventListener('abort', resolve)) : given)
        } finally {
          state.underWay -= 1
        }
      },
    },
  }
  return { store, state }
}

async function phasesIn(store: Backend): Promise<Record<string, string>> {
  const { routes } = decodeDirectory((await store.directory.read(call)).text ?? '')
  return Object.fromEntries([...routes].map(([key, { phase }]) => [key, phase]))
}

/** A client for which these keys are declared to be hot. */
async function declaring(keys: readonly (string | RegExp)[], store: Backend, options: OpenOptions = {}) {
  const rules = keys.map((match) => ({ match, fanout: 2 }))
  const world = await opened({ store, limits, routing: { ...routing, ...options.routing }, sharding: { rules } })
  const stalled: ClientEvents['route-stalled'][] = []
  world.client.on('route-stalled', (event) => stalled.push(event))
  return { ...world, stalled }
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

describe('a key that the store does not let be spread', () => {
  test('stays cold and is told, and another one grows', async () => {
    const { store, state } = askedStore()
    state.verdict = (key) => (key === 'hot' ? undefined : Promise.reject(expires))
    const { client, clock, stalled } = await declaring(['expiring', 'hot'], store)
    await clock.advance(3_000)
    expect(await phasesIn(store)).toEqual({ hot: 'active' })
    expect(stalled[0]).toEqual({ key: 'expiring', phase: 'cold', error: expires })
    expect(state.asked.filter((key) => key === 'hot')).toHaveLength(1)
    await clock.run(client.close())
  })

  test('is asked about again after a lease at the soonest, and then more and more rarely', async () => {
    const { store, state } = askedStore()
    state.verdict = () => Promise.reject(expires)
    const { client, clock, stalled } = await declaring(['expiring'], store)
    const atMs: number[] = []
    for (let ms = 0; ms < 60_000; ms += 10) {
      while (atMs.length < state.asked.length) atMs.push(ms)
      await clock.advance(10)
    }
    const pausesMs = atMs.slice(1).map((ms, i) => ms - atMs[i]!)
    expect(Math.min(...pausesMs)).toBeGreaterThanOrEqual(routing.leaseMs)
    expect(Math.max(...pausesMs)).toBeGreaterThan(routing.retryHorizonMs * 0.9)
    expect(Math.max(...pausesMs)).toBeLessThan(routing.retryHorizonMs + 1_200) // and until the next look at the wishes
    expect(atMs.length).toBeGreaterThan(8)
    expect(atMs.length).toBeLessThan(20)
    expect(stalled).toHaveLength(atMs.length)
    await clock.run(client.close())
  })

  test('is spread once the store lets it', async () => {
    const { store, state } = askedStore()
    state.verdict = () => Promise.reject(expires)
    const { client, clock } = await declaring(['hot'], store)
    await clock.advance(10_000)
    expect(await phasesIn(store)).toEqual({})
    state.verdict = () => undefined
    await clock.advance(10_000)
    expect(await phasesIn(store)).toEqual({ hot: 'active' })
    await clock.run(client.close())
  })

  test('takes no room in the directory from others', async () => {
    const { store, state } = askedStore()
    state.verdict = (key) => (key === 'hot' ? undefined : Promise.reject(expires))
    const { client, clock } = await declaring([...names('expiring', 50), 'hot'], store, {
      routing: { directoryBytesMax: 1_024 },
    })
    const full: unknown[] = []
    client.on('directory-full', (event) => full.push(event))
    await clock.advance(3_000)
    expect(await phasesIn(store)).toEqual({ hot: 'active' })
    expect(full).toEqual([])
    await clock.run(client.close())
  })

  test('and that a pattern matches, is asked about no more often for being written much', async () => {
    const { store, state } = askedStore()
    state.verdict = (key) => (key === 'p/hot' ? undefined : Promise.reject(expires))
    const { client, clock } = await declaring([/^p\//], store)
    const posts = client.records('post', { views: sum() })
    for (let ms = 0; ms < 3_000; ms += 50) {
      await clock.run(Promise.all(['p/a', 'p/b', 'p/hot'].map((key) => posts.write(key, { views: 1 }))))
      await clock.advance(50)
    }
    expect(await phasesIn(store)).toEqual({ 'p/hot': 'active' })
    expect(state.asked.filter((key) => key === 'p/a').length).toBeLessThan(6)
    await clock.run(client.close())
  })
})

describe('while the store does not answer', () => {
  test('the key stays cold, and others grow', async () => {
    const { store, state } = askedStore()
    state.verdict = (key) => (key === 'hot' ? undefined : silence)
    const { client, clock, stalled } = await declaring(['slow', 'hot'], store)
    await clock.advance(900)
    expect(await phasesIn(store)).toHaveProperty('hot')
    await clock.advance(20_000)
    expect(await phasesIn(store)).toEqual({ hot: 'active' })
    expect(stalled[0]).toMatchObject({ key: 'slow', phase: 'cold', error: { kind: 'unknown' } })
    await clock.run(client.close())
  })

  test('at most 16 questions are under way, and all are asked at last', async () => {
    const { store, state } = askedStore()
    const keys = names('k', 100)
    let isSlow = true
    state.verdict = () => (isSlow ? silence : undefined)
    const { client, clock } = await declaring(keys, store)
    await clock.advance(60_000)
    expect(state.underWayMost).toBe(16)
    isSlow = false
    await clock.advance(20_000)
    expect(await phasesIn(store)).toEqual(Object.fromEntries(keys.map((key) => [key, 'active'])))
    await clock.run(client.close())
  })

  test('a failure is told, and the question is asked again soon', async () => {
    const { store, state } = askedStore()
    const down = new BackendError('unavailable', 'Down.')
    state.verdict = () => (state.asked.length < 4 ? Promise.reject(down) : undefined)
    const { client, clock, stalled } = await declaring(['hot'], store)
    await clock.advance(10_000)
    expect(stalled).toEqual([1, 2, 3].map(() => ({ key: 'hot', phase: 'cold', error: down })))
    expect(await phasesIn(store)).toEqual({ hot: 'active' })
    await clock.run(client.close())
  })
})

test('no key is asked about that is not about to be spread, nor one that is spread', async () => {
  const { store, state } = askedStore()
  const { client, clock } = await declaring(['hot'], store)
  const posts = client.records('post', { views: sum() })
  for (let i = 0; i < 100; i++) {
    await clock.run(Promise.all([posts.write(`cold${i}`, { views: 1 }), posts.write('hot', { views: 1 })]))
    await clock.advance(100)
  }
  expect(state.asked).toEqual(['hot'])
  const other = await opened({
    store,
    clock,
    seed: 2,
    limits,
    routing,
    sharding: { rules: [{ match: 'hot', fanout: 8 }] },
  })
  await clock.advance(5_000)
  expect(state.asked).toEqual(['hot'])
  expect(await phasesIn(store)).toEqual({ hot: 'active' })
  await clock.run(Promise.all([client.close(), other.client.close()]))
})

test('a client that closes asks nothing more', async () => {
  const { store, state } = askedStore()
  state.verdict = () => silence
  const { client, clock } = await declaring(names('k', 40), store)
  await clock.advance(400)
  const before = state.asked.length
  await clock.run(client.close())
  await clock.advance(60_000)
  expect(state.asked.length).toBe(before)
  expect(await phasesIn(store)).toEqual({})
})

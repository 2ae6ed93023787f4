import { describe, expect, it } from 'vitest'

import { BackendError, memory } from '../../../src/index.js'
import type { HeldItems } from '../../doubles/held-items.js'
import { opened, watch } from '../../doubles/opened.js'
import { withCollections } from '../../doubles/with-collections.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

const filter = ({ n }: Item) => n === 350
const sorts = Array.from({ length: 400 }, (_, i) => `s${String(i).padStart(3, '0')}`)

async function filled(
  fanout: number,
  options: Parameters<typeof spreadCollection>[2] = {},
  hedge?: { afterMs: number },
) {
  const world = await spreadCollection<Item>(fanout, hedge === undefined ? {} : { hedge }, options)
  for (const [n, sort] of sorts.entries()) await world.items.put('hot', sort, { n })
  world.store.requests.length = 0
  return world
}

describe('a page', () => {
  it('of a cold key is one request for as many items as it has', async () => {
    const { client, backend } = await opened()
    const items = client.collection<Item>('items')
    for (const sort of sorts.slice(0, 60)) await items.put('k', sort, { n: 1 })
    const { requests } = backend.collections as HeldItems
    requests.length = 0
    const page = await items.page('k', { limit: 50 })
    expect(page.items.map(({ sort }) => sort)).toEqual(sorts.slice(0, 50))
    expect(requests.map(({ operation, limit }) => [operation, limit])).toEqual([['page', 50]])
    const rest = await items.page('k', { limit: 50, cursor: page.cursor as string })
    expect(rest.items.map(({ sort }) => sort)).toEqual(sorts.slice(50, 60))
    expect(rest.cursor).toBeUndefined()
  })

  it('of sixteen shards reads at most three items for each of the first fifty', async () => {
    const { items, store } = await filled(16)
    const page = await items.page('hot', { limit: 50 })
    expect(page.items.map(({ sort }) => sort)).toEqual(sorts.slice(0, 50))
    const asked = store.requests.reduce((sum, { limit }) => sum + (limit ?? 0), 0)
    expect(asked).toBeLessThanOrEqual(150)
  })

  it('asks no more shards at a time than gather.concurrencyMax', async () => {
    const { items, store, clock } = await filled(16, { gather: { concurrencyMax: 3 } })
    store.holds = () => true
    let most = 0
    const page = watch(items.page('hot', { limit: 10 }))
    for (let i = 0; i < 60 && page.state === 'open'; i++) {
      await clock.advance(0)
      most = Math.max(most, store.held.length)
      await store.held[0]?.pass()
    }
    expect(page.state).toBe('resolved')
    expect(most).toBe(3)
  })

  it('looks at a bounded number of items for a filter, and then ends with a cursor, perhaps empty', async () => {
    const { items } = await filled(4)
    const first = await items.page('hot', { filter, examinedMax: 100 })
    expect(first.items).toEqual([])
    expect(first.cursor).toBeDefined()
    let page = first
    let pages = 1
    while (page.items.length === 0 && page.cursor !== undefined) {
      page = await items.page('hot', { filter, examinedMax: 100, cursor: page.cursor })
      pages += 1
    }
    expect(page.items).toEqual([{ sort: 's350', item: { n: 350 } }])
    expect(pages).toBe(4)
    const several = await items.page('hot', { filter: ({ n }) => n % 10 === 0, limit: 5, order: 'descending' })
    expect(several.items.map(({ item }) => item.n)).toEqual([390, 380, 370, 360, 350])
  })

  it('goes on behind pages of the store that are empty and not the last', async () => {
    let calls = 0
    const store = withCollections(memory(), (inner) => ({
      page: async (page, call) => {
        const answer = await inner.page({ ...page, limit: 1 }, call)
        calls += 1
        return calls % 3 === 0 ? answer : { ...answer, items: [], next: answer.next ?? answer.items[0]?.sort }
      },
    }))
    const { client } = await opened({ store })
    const items = client.collection<Item>('items')
    for (const sort of sorts.slice(0, 30)) await items.put('k', sort, { n: 1 })
    const seen = (await allOf(items.iterate('k'))).map(({ sort }) => sort)
    expect(seen).toEqual(sorts.slice(0, 30).filter((_, i) => i % 3 === 2))
  })

  it('is not given in part: a shard that cannot be read fails it, and says which', async () => {
    const { items, store, clock } = await filled(4)
    store.holds = ({ shards }) => shards[0]?.index === 2
    const page = watch(items.page('hot'))
    await clock.advance(0)
    store.held[0]?.fail(new BackendError('invalid', 'It holds something else.'))
    await clock.advance(0)
    expect(page.error).toMatchObject({
      code: 'READ_FAILED',
      message: 'The read of key "hot" failed. Shard 2 could not be read: It holds something else.',
    })
  })

  it('reads a shard again that was throttled', async () => {
    const { client, items, store, clock } = await filled(4)
    store.holds = ({ shards }) => shards[0]?.index === 2
    const page = watch(items.page('hot', { limit: 3 }))
    await clock.advance(0)
    store.holds = () => false
    store.held[0]?.fail(new BackendError('throttled', 'later', { throttle: { reason: 'r', scope: 'key-range' } }))
    await clock.advance(100)
    expect(page.state).toBe('resolved')
    expect(client.counters().reads).toEqual({ throttledAttempts: 1, failedCalls: 0 })
  })
})

describe('an iteration', () => {
  it('reads every item about once, over sixteen shards', async () => {
    const { items, store } = await filled(16)
    expect((await allOf(items.iterate('hot'))).map(({ sort }) => sort)).toEqual(sorts)
    const asked = store.requests.reduce((sum, { limit }) => sum + (limit ?? 0), 0)
    expect(asked).toBeLessThan(sorts.length * 3) // asked for; what is there is read once
  })

  it('makes no request that nobody has asked for', async () => {
    const { items, store, clock } = await filled(8)
    const iteration = items.iterate('hot')
    expect(store.requests.length).toBe(0)
    await iteration.next()
    const after = store.requests.length
    for (let i = 0; i < 20; i++) await iteration.next()
    await clock.advance(100)
    expect(store.requests.length).toBe(after)
    for await (const { sort } of items.iterate('hot')) if (sort === 's010') break
    const stopped = store.requests.length
    await clock.advance(5_000)
    expect(store.requests.length).toBe(stopped)
  })

  it('ends with its signal, and so do the requests that are under way', async () => {
    const { items, store, clock } = await filled(4)
    const controller = new AbortController()
    const iteration = items.iterate('hot', { signal: controller.signal })
    store.holds = () => true
    const next = watch(iteration.next())
    await clock.advance(0)
    expect(store.held.length).toBe(4)
    controller.abort(new Error('enough'))
    await clock.advance(0)
    expect(next.error?.message).toBe('enough')
    expect(store.held.map(({ signal }) => signal.aborted)).toEqual([true, true, true, true])
    await clock.advance(5_000)
    expect(store.requests.length).toBe(4)
  })

  it('goes on across growth, and after a caller who took his time', async () => {
    const { items, clock, client } = await spreadCollection<Item>(2, {}, {})
    for (const [n, sort] of sorts.entries()) await items.put('hot', sort, { n })
    const seen: string[] = []
    for await (const { sort } of items.iterate('hot')) {
      seen.push(sort)
      if (seen.length % 100 === 1) await clock.advance(4_000)
    }
    expect(seen).toEqual(sorts)
    await client.close()
    expect(() => items.iterate('hot')).toThrow('closed')
  })
})

describe('hedging', () => {
  it('is off by default: a slow shard is waited for', async () => {
    const { items, store, clock } = await filled(4)
    store.holds = ({ shards }) => shards[0]?.index === 1
    const page = watch(items.page('hot', { limit: 1 }))
    await clock.advance(900)
    expect(store.held.length).toBe(1)
    expect(page.state).toBe('open')
  })

  it('sends a slow read once more and takes the first answer, never a write', async () => {
    const { items, store, clock } = await filled(4, {}, { afterMs: 50 })
    for (let i = 0; i < 20; i++) await items.page('hot', { limit: 1 }) // saves up
    store.holds = ({ shards, operation }) => shards[0]?.index === 1 || operation === 'put'
    const page = watch(items.page('hot', { limit: 1 }))
    const put = watch(items.put('hot', 'x', { n: 1 }))
    await clock.advance(60)
    expect(store.held.filter(({ operation }) => operation === 'page').length).toBe(2)
    expect(store.held.filter(({ operation }) => operation === 'put').length).toBe(1)
    await store.held.findLast(({ operation }) => operation === 'page')?.pass()
    await clock.advance(0)
    expect(page.state).toBe('resolved')
    expect(put.state).toBe('open')
  })

  it('stays within its share of the requests', async () => {
    const { items, store, clock } = await filled(4, {}, { afterMs: 50 })
    store.requests.length = 0
    store.holds = () => true
    const pages = Array.from({ length: 30 }, () => watch(items.page('hot', { limit: 1 })))
    await clock.advance(60)
    expect(store.requests.length).toBeLessThanOrEqual(120 + 10)
    expect(store.requests.length).toBeGreaterThan(120)
    for (const request of store.held.slice()) await request.pass()
    await clock.advance(0)
    expect(pages.every(({ state }) => state === 'resolved')).toBe(true)
  })
})

describe('a get', () => {
  it('asks all places of the item at once, and the newest counts', async () => {
    const { items, store } = await filled(8)
    for (const sort of sorts.slice(0, 40)) await items.get('hot', sort)
    expect(store.requests.length).toBe(40)
    expect(store.requests.every(({ shards }) => shards.length <= 2)).toBe(true)
  })

  it('asks again only for the places that could not be read', async () => {
    const asked: number[] = []
    const store = withCollections(memory(), (inner) => ({
      get: async (read, call) => {
        const answers = await inner.get(read, call)
        asked.push(read.shards.length)
        const error = new BackendError('throttled', 'left out')
        return asked.length === 1
          ? answers.map((answer, i) => (i === 0 ? { status: 'failed', error } : answer))
          : answers
      },
    }))
    const { items, clock } = await spreadCollection<Item>(8, {}, { store })
    await items.put('hot', 's002', { n: 5 })
    expect(await clock.run(items.get('hot', 's002'))).toEqual({ n: 5 })
    expect(asked).toEqual([2, 1])
  })
})

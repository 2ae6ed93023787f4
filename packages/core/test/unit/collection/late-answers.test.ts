import { describe, expect, it } from 'vitest'

import { BackendError, memory } from '../../../src/index.js'
import { lost, opened, refused, throttled, watch, watchAll } from '../../doubles/opened.js'
import { changeDirectory } from '../../doubles/change-directory.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

const elsewhere = Array.from({ length: 40 }, (_, i) => `s${i}`)

/** A sort value of an item that has more than one place. */
async function spreadSort(world: Awaited<ReturnType<typeof spreadCollection<Item>>>): Promise<string> {
  const { items, store } = world
  for (const sort of elsewhere) {
    store.requests.length = 0
    await items.put('hot', sort, { n: 1 })
    if (store.requests[0]?.shards[0]?.index !== 0) return sort
  }
  throw new RangeError('no item with two places')
}

describe('an answer that comes late', () => {
  it('to a get that was sent again does not make the next attempt ask for nothing', async () => {
    const world = await spreadCollection<Item>(4)
    const { items, store, clock } = world
    const sort = await spreadSort(world)
    store.holds = ({ operation }) => operation === 'get'
    const got = watch(items.get('hot', sort))
    await clock.advance(1_030) // the first attempt has timed out, and the second is under way
    expect(store.held.length).toBe(2)
    await store.held[0]?.pass()
    await clock.advance(0)
    store.holds = () => false
    store.held[0]?.fail(throttled)
    await clock.advance(100)
    expect(got).toMatchObject({ state: 'resolved', value: { n: 1 } })
  })
})

describe('an operation of several requests of which one fails', () => {
  it('ends only when the others have ended: a delete', async () => {
    const world = await spreadCollection<Item>(4)
    const { client, items, store, clock, backend } = world
    const sort = await spreadSort(world)
    store.holds = ({ operation }) => operation === 'delete'
    const deleted = watch(items.delete('hot', sort))
    await clock.advance(0)
    expect(store.held.length).toBe(2)
    store.held[0]?.fail(refused)
    const closed = watch(client.close())
    await clock.advance(0)
    expect([deleted.state, closed.state, backend.closeCount]).toEqual(['open', 'open', 0])
    const before = store.requests.length
    store.held[0]?.fail(lost)
    await clock.advance(20_000)
    expect(deleted).toMatchObject({ state: 'rejected', error: { code: 'WRITE_UNKNOWN' } })
    expect([closed.state, backend.closeCount]).toEqual(['resolved', 1])
    expect(store.requests.length).toBe(before) // nothing is sent for a change that is given up
  })

  it('ends the others, begun or not: a page', async () => {
    const { items, store, clock } = await spreadCollection<Item>(8, {}, { gather: { concurrencyMax: 4 } })
    store.holds = ({ operation }) => operation === 'page'
    const page = watch(items.page('hot'))
    await clock.advance(0)
    const others = store.held.slice(1)
    const before = [store.requests.length, others.length, clock.timerCount]
    store.held[0]?.fail(new BackendError('invalid', 'No such table.'))
    await clock.advance(0)
    expect(page).toMatchObject({ state: 'rejected', error: { code: 'READ_FAILED' } })
    expect(others.map(({ signal }) => signal.aborted)).toEqual([true, true, true])
    expect([store.requests.length, others.length, clock.timerCount + 4]).toEqual(before) // and no timer is left
    await clock.advance(10_000)
    expect(store.requests.length).toBe(before[0])
  })

  it('is rejected, and not unknown, where there is but one place and it was never in: a delete', async () => {
    const { client, clock, backend } = await opened({ limits: { writeTimeoutMs: 2_000 } })
    const items = client.collection<Item>('items')
    const store = backend.collections
    if (store === undefined) throw new RangeError('no collections')
    store.holds = ({ operation }) => operation === 'delete'
    const deleted = watch(items.delete('k', 'a'))
    for (let ms = 0; ms < 4_000; ms += 10) {
      for (const request of store.held.slice()) request.fail(throttled)
      await clock.advance(10)
    }
    expect(deleted).toMatchObject({ state: 'rejected', error: { code: 'WRITE_REJECTED' } })
    expect(store.requests.length).toBeGreaterThan(1)
  })
})

describe('a change that is always answered after the lease of its route', () => {
  it.each(['put', 'delete'] as const)('is given up in time: a %s', async (operation) => {
    const limits = { writeTimeoutMs: 4_000, requestTimeoutMs: 1_000 }
    const { items, store, clock, backend } = await spreadCollection<Item>(2, {}, { limits })
    store.holds = (request) => request.operation === operation
    const change = watch(operation === 'put' ? items.put('hot', 'a', { n: 1 }) : items.delete('hot', 'a'))
    for (let ms = 50; ms < 8_000; ms += 50) {
      await changeDirectory(backend)
      await clock.advance(50)
      if (ms % 500 === 0) for (const request of store.held.slice()) await request.pass() // leases last 300
    }
    expect(change).toMatchObject({ state: 'rejected', error: { code: 'WRITE_UNKNOWN' } })
    const before = store.requests.length
    await clock.advance(10_000)
    expect(store.requests.length).toBe(before)
  })
})

describe('a client that closes', () => {
  it('accepts no reads of items while it still writes', async () => {
    const { client, clock, backend } = await opened({ store: memory() })
    const store = backend.collections
    const items = client.collection<Item>('items')
    await items.put('k', 'a', { n: 1 })
    if (store === undefined) throw new RangeError('no collections')
    store.holds = ({ operation }) => operation === 'put'
    const put = watch(items.put('k', 'b', { n: 2 }))
    const closed = watch(client.close())
    await clock.advance(0)
    expect(closed.state).toBe('open')
    const reads = watchAll([items.get('k', 'a'), items.page('k')])
    await clock.advance(0)
    expect(reads.map(({ error }) => error?.code)).toEqual(['CLOSED', 'CLOSED'])
    await expect(async () => allOf(items.iterate('k'))).rejects.toMatchObject({ code: 'CLOSED' })
    await store.held[0]?.pass()
    await clock.advance(0)
    expect([put.state, closed.state]).toEqual(['resolved', 'resolved'])
  })
})

it('a put that is refused after the lease of its route goes where the route leads by then', async () => {
  const backing = memory()
  const world = await spreadCollection<Item>(4, {}, { store: backing })
  const { items, store, clock } = world
  const sort = await spreadSort(world)
  store.holds = ({ operation }) => operation === 'put'
  const put = watch(items.put('hot', sort, { n: 2 }))
  await clock.advance(100)
  await changeDirectory(backing)
  await clock.advance(500)
  store.holds = () => false
  store.held[0]?.fail(refused) // by a place that was sealed meanwhile, say
  await clock.advance(200)
  expect(put.state).toBe('resolved')
  expect(await clock.run(items.get('hot', sort))).toEqual({ n: 2 })
})

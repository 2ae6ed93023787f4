import { describe, expect, it } from 'vitest'

import { opened, watch, watchAll } from '../../doubles/opened.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

describe('the signal of a read of items', () => {
  it('ends it while it waits for a lease on the routes', async () => {
    const { items, store, clock, backend } = await spreadCollection<Item>(2)
    backend.holds.directory = true
    await clock.advance(400) // the lease is over
    const before = store.requests.length
    const controller = new AbortController()
    const { signal } = controller
    const reads = watchAll([
      items.get('hot', 'a', { signal }),
      items.page('hot', { signal }),
      allOf(items.iterate('hot', { signal })),
    ])
    await clock.advance(10)
    expect(reads.map(({ state }) => state)).toEqual(['open', 'open', 'open'])
    controller.abort(new Error('enough'))
    await clock.advance(0)
    expect(reads.map(({ error }) => error?.message)).toEqual(['enough', 'enough', 'enough'])
    backend.holds.directory = false
    for (const request of backend.heldDirectory) request.pass()
    await clock.advance(5_000)
    expect(store.requests.length).toBe(before)
  })
})

describe('a hedged read', () => {
  it('ends the request that has lost', async () => {
    const { client, clock, backend } = await opened()
    const store = backend.collections
    if (store === undefined) throw new RangeError('no collections')
    const items = client.collection<Item>('items', { hedge: { afterMs: 50, shareMax: 1 } })
    await items.put('k', 'a', { n: 1 })
    const timerCount = clock.timerCount
    store.holds = ({ operation }) => operation === 'page'
    const page = watch(items.page('k'))
    await clock.advance(60)
    const [slow, quick] = store.held
    await quick?.pass()
    await clock.advance(0)
    expect(page.state).toBe('resolved')
    expect([slow?.signal.aborted, clock.timerCount]).toEqual([true, timerCount])
  })
})

describe('a filter', () => {
  it('must answer true or false: what an async function answers is neither', async () => {
    const { client } = await opened()
    const items = client.collection<Item>('items')
    await items.put('k', 'a', { n: 1 })
    const filter = (() => Promise.resolve(false)) as never
    await expect(items.page('k', { filter })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('options.filter must be a function that answers true or false') as string,
    })
  })
})

import { describe, expect, it } from 'vitest'

import { memory } from '../../../src/index.js'
import { changeDirectory } from '../../doubles/change-directory.js'
import { opened, watch } from '../../doubles/opened.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'
import { withCollections } from '../../doubles/with-collections.js'

interface Item {
  readonly n: number
}

const sortOf = (n: number) => String(n).padStart(6, '0')

const smallPages = withCollections(memory(), ({ limits }) => ({ limits: { ...limits, itemsPerPageMax: 100 } }))

describe('a range of which most is not wanted', () => {
  it('is looked through in parts that grow, for a page with a filter', async () => {
    const { client, backend } = await opened()
    const items = client.collection<Item>('items')
    for (let n = 0; n < 3_000; n++) await items.put('k', sortOf(n), { n })
    const store = backend.collections
    if (store !== undefined) store.requests.length = 0
    const page = await items.page('k', { limit: 2, filter: ({ n }) => n === 2_000 || n === 2_001 })
    expect(page.items.map(({ item }) => item.n)).toEqual([2_000, 2_001])
    expect(page.cursor).toBeDefined()
    expect(store?.requests.length).toBeLessThanOrEqual(14)
    expect(store?.requests.reduce((sum, { limit = 0 }) => sum + limit, 0)).toBeLessThanOrEqual(2 * 2_001 + 2)
    const next = await items.page('k', { limit: 2, cursor: page.cursor ?? '' })
    expect(next.items.map(({ item }) => item.n)).toEqual([2_002, 2_003])
  })

  it('is looked through in parts that grow, behind deleted items', async () => {
    const { items, store } = await spreadCollection<Item>(4)
    for (let n = 0; n < 2_000; n++) await items.put('hot', sortOf(n), { n })
    for (let n = 0; n < 1_990; n++) await items.delete('hot', sortOf(n))
    store.requests.length = 0
    const page = await items.page('hot', { limit: 3 })
    expect(page.items.map(({ item }) => item.n)).toEqual([1_990, 1_991, 1_992])
    expect(store.requests.length).toBeLessThanOrEqual(4 * 20)
  })

  it('is gone through by an iteration however long a lease lasts, in parts that it keeps', async () => {
    const { items, store, clock, backend } = await spreadCollection<Item>(2, {}, { store: smallPages })
    for (let n = 0; n < 6_000; n++) await items.put('hot', sortOf(n), { n })
    for (let n = 0; n < 5_990; n++) await items.delete('hot', sortOf(n))
    store.holds = ({ operation }) => operation === 'page'
    const all = allOf(items.iterate('hot'))
    const watched = watch(all)
    // 10 ms a round, and no lease is prolonged: the directory changes all the time.
    for (let round = 0; round < 600 && watched.state === 'open'; round++) {
      await changeDirectory(backend)
      await clock.advance(10)
      for (const request of store.held.slice()) await request.pass()
      await clock.advance(0)
    }
    expect((await all).map(({ item }) => item.n)).toEqual([
      5_990, 5_991, 5_992, 5_993, 5_994, 5_995, 5_996, 5_997, 5_998, 5_999,
    ])
  })
})

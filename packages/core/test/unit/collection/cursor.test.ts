import { describe, expect, it } from 'vitest'

import { type CollectionOptions, memory, type SortType } from '../../../src/index.js'
import { opened } from '../../doubles/opened.js'
import { shortLease } from '../../doubles/spread.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

async function filled<Sort extends SortType = 'string'>(options: CollectionOptions<Item, Sort> = {}, store = memory()) {
  const { client, clock } = await opened({ store, routing: shortLease })
  const items = client.collection<Item, Sort>('items', { ...options, sort: options.sort ?? ('string' as Sort) })
  return { items, clock, client }
}

const secret = 'a secret of sixteen bytes or more'
const sorts = ['a', 'b', 'c', 'd', '\u{1f600}/?&=']

async function cursorOf(options: CollectionOptions<Item, 'string'> = {}, store = memory(), limit = 2) {
  const { items } = await filled(options, store)
  for (const [n, sort] of sorts.entries()) await items.put('k', sort, { n })
  const { cursor } = await items.page('k', { limit })
  return { items, cursor: cursor as string }
}

const expected =
  'options.cursor must be a cursor that this collection gave for the same key, range and order, unchanged'

describe('a cursor', () => {
  it('is safe in URLs and no longer than sort values make it', async () => {
    const { cursor } = await cursorOf({ cursorKey: secret }, memory(), 4)
    expect(cursor).toMatch(/^[\w-]+$/)
    const { items } = await filled({ cursorKey: secret })
    await items.put('k', 'x'.repeat(1_024), { n: 1 })
    await items.put('k', 'y', { n: 1 })
    const page = await items.page('k', { limit: 1 })
    expect(page.cursor?.length).toBeLessThanOrEqual(1_400)
    expect((await items.page('k', { limit: 1, cursor: page.cursor as string })).items[0]?.sort).toBe('y')
  })

  it('goes on at the same place when the item that it points to has gone, and others have come', async () => {
    const { items, cursor } = await cursorOf()
    await items.delete('k', 'b')
    await items.put('k', 'aa', { n: 9 })
    await items.put('k', 'bb', { n: 10 })
    expect((await items.page('k', { cursor })).items.map(({ sort }) => sort)).toEqual(['bb', ...sorts.slice(2)])
  })

  it('is good after the route has changed, for another client', async () => {
    const store = memory()
    const { cursor } = await cursorOf({}, store)
    await (await filled({}, store)).client.close()
    const spread = await spreadCollection<Item>(
      4,
      {},
      {
        store,
        sharding: {
          rules: [
            { match: 'k', fanout: 4 },
            { match: 'hot', fanout: 4 },
          ],
        },
      },
    )
    for (const [n, sort] of sorts.entries()) await spread.items.put('k', `${sort}+`, { n })
    const read = await spread.items.page('k', { cursor })
    expect(read.items.map(({ sort }) => sort)).toEqual(['b+', 'c', 'c+', 'd', 'd+', '\u{1f600}/?&=', '\u{1f600}/?&=+'])
  })

  it.each([
    ['another key', 'other', {}],
    ['another order', 'k', { order: 'descending' }],
    ['another range', 'k', { from: 'a' }],
    ['another prefix', 'k', { prefix: 'a' }],
  ] as const)('is refused for %s', async (_, key, options) => {
    const { items, cursor } = await cursorOf()
    await expect(items.page(key, { ...options, cursor })).rejects.toThrow(expected)
  })

  it('is refused by another collection, and by one with other sort values', async () => {
    const { cursor } = await cursorOf()
    const { client } = await filled()
    await expect(client.collection('others', { prefix: 'o' }).page('k', { cursor })).rejects.toThrow(expected)
    const numbers = client.collection<Item, 'number'>('numbers', { prefix: 'n', sort: 'number' })
    await expect(numbers.page('k', { cursor })).rejects.toThrow(expected)
  })

  it('is refused when any of its characters was changed, where there is a key', async () => {
    const { items, cursor } = await cursorOf({ cursorKey: secret })
    expect((await items.page('k', { cursor })).items.length).toBe(3)
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`
      await expect(items.page('k', { cursor: changed })).rejects.toThrow(expected)
    }
  })

  it('is proved by any of several keys, and made with the first, so that keys can be changed', async () => {
    const store = memory()
    const { cursor: old } = await cursorOf({ cursorKey: secret }, store)
    const { items } = await filled({ cursorKey: ['another secret of some length', secret] }, store)
    expect((await items.page('k', { cursor: old })).items.length).toBe(3)
    const { cursor } = await items.page('k', { limit: 1 })
    await expect((await filled({ cursorKey: secret }, store)).items.page('k', { cursor })).rejects.toThrow(expected)
  })

  it('is refused where it was made with another key, or with none', async () => {
    const store = memory()
    const { cursor } = await cursorOf({ cursorKey: secret }, store)
    const { cursor: plain } = await cursorOf({}, store)
    const { items } = await filled({ cursorKey: new Uint8Array(16) }, store)
    await expect(items.page('k', { cursor })).rejects.toThrow(expected)
    await expect(items.page('k', { cursor: plain })).rejects.toThrow(expected)
    await expect((await filled({}, store)).items.page('k', { cursor })).rejects.toThrow(expected)
  })

  it.each(['', 'x', '====', 'AQ', 'A'.repeat(2_000), 'AQAAAAAA/w', 42, null])(
    'is refused when it is %j',
    async (cursor) => {
      const { items } = await cursorOf()
      await expect(items.page('k', { cursor: cursor as string })).rejects.toThrow(expected)
    },
  )

  it.each(['number', 'bytes'] as const)('works with sort values of type %s, in both directions', async (sort) => {
    const { items } = await filled<typeof sort>({ sort })
    const values =
      sort === 'number'
        ? [-5, -0.5, 0, 1e-9, 7]
        : [[0], [0, 0], [1], [255], [255, 0]].map((bytes) => Uint8Array.from(bytes))
    for (const [n, value] of values.entries()) await items.put('k', value, { n })
    for (const order of ['ascending', 'descending'] as const) {
      const seen: number[] = []
      let cursor: string | undefined
      do {
        const page = await items.page('k', { order, limit: 2, ...(cursor !== undefined && { cursor }) })
        seen.push(...page.items.map(({ item }) => item.n))
        cursor = page.cursor
      } while (cursor !== undefined)
      expect(seen).toEqual(order === 'ascending' ? [0, 1, 2, 3, 4] : [4, 3, 2, 1, 0])
    }
    expect((await allOf(items.iterate('k'))).map(({ sort: value }) => value)).toEqual(values)
  })
})

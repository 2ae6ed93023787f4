import { describe, expect, it } from 'vitest'

import { opened } from '../../doubles/opened.js'

interface Item {
  readonly n: number
}

const expected =
  'options.cursor must be a cursor that this collection gave for the same key, range and order, unchanged'

/** A cursor of the same range that was bent to another sort value, as whoever holds one may do where no key is given. */
function bent(cursor: string, sort: string): string {
  return Buffer.concat([Buffer.from(cursor, 'base64url').subarray(0, 6), Buffer.from(sort)]).toString('base64url')
}

describe('a cursor without a key', () => {
  it.each(['ascending', 'descending'] as const)('does not lead out of its range, %s', async (order) => {
    const { client } = await opened()
    const items = client.collection<Item>('items')
    for (const sort of ['a/1', 'b/1', 'b/2', 'b/3', 'c/1']) await items.put('k', sort, { n: 1 })
    const { cursor = '' } = await items.page('k', { prefix: 'b/', order, limit: 1 })
    for (const sort of ['a', 'a/1', 'c/1', 'b', 'b0'])
      await expect(items.page('k', { prefix: 'b/', order, cursor: bent(cursor, sort) })).rejects.toThrow(expected)
    expect((await items.page('k', { prefix: 'b/', order, cursor: bent(cursor, 'b/2') })).items.length).toBe(1)
  })

  it('is refused where its number is none that a collection takes', async () => {
    const { client } = await opened()
    const items = client.collection<Item, 'number'>('items', { sort: 'number' })
    for (const n of [1, 2, 3]) await items.put('k', n, { n })
    const { cursor = '' } = await items.page('k', { limit: 1 })
    const head = Buffer.from(cursor, 'base64url').subarray(0, 6)
    for (const bytes of ['fff8000000000001', 'fff0000000000000', '000fffffffffffff']) {
      const changed = Buffer.concat([head, Buffer.from(bytes, 'hex')]).toString('base64url')
      await expect(items.page('k', { cursor: changed })).rejects.toThrow(expected)
    }
  })
})

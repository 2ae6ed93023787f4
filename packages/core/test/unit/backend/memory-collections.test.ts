import { describe, expect, test } from 'vitest'
import { memory } from '../../../src/backend/memory-backend.js'
import { append, collectionsOf, deletionOf, get, itemStamp, page, put, putOf } from './items.js'
import { call, ownShard, shardOf } from './requests.js'

const key = ownShard('k')

/** Of an item under a key and a sort value of one byte each: `{"text":""}` takes 11 more. */
function sized(bytes: number): { readonly text: string } {
  return { text: 'x'.repeat(bytes - 13) }
}

describe('the units that are told', () => {
  test('of a put, also one that comes late, and of each item of an append are one for each started KB', async () => {
    const backend = memory()
    const units = async (bytes: number) => (await put(backend, key, 'a', sized(bytes), itemStamp(5))).units
    expect([await units(13), await units(1_024), await units(1_025), await units(4_000)]).toEqual([1, 1, 2, 4])
    const late = await put(backend, key, 'a', sized(2_500), itemStamp(4))
    expect(late).toEqual({ status: 'newer', stamp: itemStamp(5), units: 3 })
    const answers = await append(backend, [putOf(key, 'b', sized(100)), putOf(key, 'c', sized(2_000))])
    expect(answers).toEqual([
      { status: 'done', units: 1 },
      { status: 'done', units: 2 },
    ])
  })

  test('count the UTF-8 of the item, its sort value and the place', async () => {
    const backend = memory()
    expect((await put(backend, key, 'a', { text: 'é'.repeat(600) })).units).toBe(2)
    expect((await put(backend, key, 'é'.repeat(512), { n: 1 })).units).toBe(2)
    expect((await put(backend, ownShard('k'.repeat(1_024)), 'a', { n: 1 })).units).toBe(2)
  })

  test('of a delete are one, whatever goes', async () => {
    const backend = memory()
    await put(backend, key, 'a', sized(9_000))
    for (const mode of ['tombstone', 'remove'] as const)
      expect(await collectionsOf(backend).delete(deletionOf(key, 'a', mode), call)).toEqual({
        status: 'done',
        units: 1,
      })
  })

  test('of a page are one for each started 4 KB of all that it gives, and half of that when it may be eventual', async () => {
    const backend = memory()
    for (const sort of ['a', 'b', 'c']) await put(backend, key, sort, sized(3_000))
    expect((await page(backend, key)).units).toBe(3)
    expect((await page(backend, key, { limit: 1 })).units).toBe(1)
    expect((await page(backend, key, { consistency: 'eventual' })).units).toBe(1.5)
  })

  test('of a get are those of each shard by itself', async () => {
    const backend = memory()
    await put(backend, key, 'a', sized(4_097))
    await collectionsOf(backend).delete(deletionOf(shardOf('k', 1), 'a'), call)
    const shards = [key, shardOf('k', 1), shardOf('k', 2)]
    expect(await get(backend, shards, 'a')).toMatchObject([{ units: 2 }, { units: 1 }, { units: 1 }])
    expect(await get(backend, shards, 'a', 'eventual')).toMatchObject([{ units: 1 }, { units: 0.5 }, { units: 0.5 }])
  })

  test('of an empty page are one, or half of one', async () => {
    const backend = memory()
    expect((await page(backend, key)).units).toBe(1)
    expect((await page(backend, key, { consistency: 'eventual' })).units).toBe(0.5)
  })
})

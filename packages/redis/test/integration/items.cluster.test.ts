import { startRedisCluster, type RedisCluster } from '@spillway/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { placeOf } from '../../src/physical-key.js'
import { slotOf } from '../../src/slot.js'
import { clusterClients } from '../clients.js'
import { collectionsOf, itemIn, pageOf, put, stampAt, take } from '../items.js'
import { call, shardOf } from '../requests.js'

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeoutMs: 15_000 })
}, 60_000)
afterAll(() => cluster.close())
beforeEach(() => Promise.all(cluster.nodes.slice(0, 3).map((node) => node.call('FLUSHALL'))))

/** All keys of the cluster. */
async function keys(): Promise<readonly string[]> {
  const found = await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.call('KEYS', '*')))
  return (found as string[][]).flat()
}

describe.each(clusterClients)('items in a cluster, with %s', (_, open) => {
  test('stand in one key a shard, whatever the braces', async () => {
    const opened = await open(cluster)
    const backend = redis({ client: opened.client })
    const odd = ['user', '{a}b', 'x{tag}y', 'a{}b', 'é{ü}', 'a{b', 'a}b{c}', '{{a}}', '\0\n']
    const shards = odd.flatMap((key) => [shardOf(key), shardOf(key, 1), shardOf(key, 5)])
    for (const [i, shard] of shards.entries())
      await collectionsOf(backend).put({ shard, sort: i, stamp: stampAt(1), value: { i } }, call)
    expect((await keys()).toSorted()).toEqual(shards.map(placeOf).toSorted())
    for (const [i, shard] of shards.entries())
      expect(await pageOf(backend, { shard, sortType: 'number' })).toMatchObject({ items: [{ sort: i, value: { i } }] })
    await opened.close()
  })

  test('are put, taken and read while their slot moves, and so are those of a key that is new', async () => {
    const opened = await open(cluster)
    const backend = redis({ client: opened.client })
    await backend.open?.(call)
    const slot = slotOf('k')
    for (let i = 0; i < 10; i++) await put(backend, `s${i}`)
    const source = await cluster.primaryOf(slot)
    const target = cluster.nodes.slice(0, 3).find((node) => node !== source)!
    let round = 1
    await cluster.moveSlot(slot, target, async () => {
      round += 1
      expect(await put(backend, 's0', round)).toEqual({ status: 'done' })
      expect(await put(backend, 'new', round, { round }, `other{k}${round}`)).toEqual({ status: 'done' })
      expect(await take(backend, 's1', 'tombstone', round)).toEqual({ status: 'done' })
      expect(await itemIn(backend, 's0')).toMatchObject({ value: { at: round } })
      expect((await pageOf(backend)).items).toHaveLength(10)
    })
    expect(round).toBeGreaterThan(2)
    expect((await pageOf(backend)).items).toHaveLength(10)
    expect(await itemIn(backend, 'new', 'other{k}2')).toMatchObject({ value: { round: 2 } })
    await opened.close()
  })
})

import { isBackendError, sum, type FieldChange } from '@spillway/core'
import { startRedis, startRedisCluster, waitUntil } from '@spillway/testkit'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { slotOf } from '../../src/slot.js'
import { opened } from '../clients.js'
import { openMember, Stream, totalOf } from '../fleet.js'

describe('a primary that is killed while it is written', () => {
  test.each([
    // With WAIT no write is acknowledged meanwhile, so that they stand still.
    { name: 'without WAIT', writeReplicas: 0, mayStandStill: false, least: 1, most: Infinity },
    { name: 'with WAIT for one replica', writeReplicas: 1, mayStandStill: true, least: 0, most: 0 },
  ])('loses no more than it had acknowledged alone, and writes go on: $name', async (variant) => {
    const { name, writeReplicas, mayStandStill } = variant
    const cluster = await startRedisCluster()
    try {
      const members = await Promise.all(
        [0, 1, 2].map(async () =>
          openMember(await opened(new Cluster([...cluster.addresses], { slotsRefreshInterval: 500 })), {
            redis: { writeReplicas },
          }),
        ),
      )
      const stream = new Stream(members, 'hot')
      const { tallies } = stream
      await waitUntil('writes run', () => tallies.length > 20)
      const primary = await cluster.primaryOf(slotOf('hot'))
      const witness = cluster.nodes.find((node) => node !== primary)!
      // What the replica does not hear of any more is lost with the primary.
      const replica = cluster.nodes[cluster.nodes.indexOf(primary) + 3]!
      replica.freeze()
      await primary.call('CLIENT', 'KILL', 'TYPE', 'replica') // else it would find them in its socket
      let [seen, changes] = [0, 0]
      await waitUntil('writes reach the primary alone', async () => {
        const total = Number(await primary.call('HGET', 'hot', 'total'))
        changes += total === seen ? 0 : 1
        const isStill = total === seen
        seen = total
        return mayStandStill ? isStill : changes > 2
      })
      primary.crash()
      replica.thaw()
      await waitUntil(
        'a replica has taken over',
        async () => (await cluster.primaryOf(slotOf('hot'), witness)) !== primary,
      )
      // The new primary has no replica left to wait for; it is given another shard's.
      const successor = await cluster.primaryOf(slotOf('hot'), witness)
      const spare = cluster.nodes.slice(3).find((node) => node !== successor)!
      const id = String(await successor.call('CLUSTER', 'MYID'))
      await waitUntil('the spare replica knows of the takeover', () =>
        spare.call('CLUSTER', 'REPLICATE', id).then(
          () => true,
          () => false,
        ),
      )
      const before = tallies.length
      await waitUntil('writes run again', () => tallies.length > before + 20)
      const tally = await stream.stop()
      const total = await totalOf(members[0]!, 'hot')
      await Promise.all(members.map((member) => member.close()))
      const lost = Math.max(0, tally.acknowledged - total)
      console.info(`${name}: ${JSON.stringify(tally)}, total ${total}, lost by Redis: ${lost}`)
      expect(total).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
      expect(lost).toBeGreaterThanOrEqual(variant.least)
      expect(lost).toBeLessThanOrEqual(variant.most)
    } finally {
      await cluster.close()
    }
  })
})

describe('a primary that hangs', () => {
  test('leaves writes unknown, and a second copy of one that was carried out counts once', async () => {
    const server = await startRedis()
    const client = new Redis({ port: server.port, host: '127.0.0.1', commandTimeout: 300, retryStrategy: () => 50 })
    client.on('error', () => undefined)
    const backend = redis({ client })
    const call = { signal: new AbortController().signal }
    await backend.open?.(call)
    const change: FieldChange = { name: 'total', rule: sum(), state: 1 }
    const shard = { key: 'hot', index: 0, generation: { number: 0, nonce: 0 } }
    const write = (sequence: number) =>
      backend.records.write({ shard, changes: [change], stamp: { writer: 'w', sequence, forgetUpTo: 0 } }, call)
    await write(1)
    server.freeze()
    const kinds = await Promise.all(
      [2, 3].map((sequence) =>
        write(sequence).then(
          () => 'done',
          (error: unknown) => (isBackendError(error) ? error.kind : 'not translated'),
        ),
      ),
    )
    const read = backend.records.read({ shards: [shard], fields: [change], consistency: 'strong' }, call)
    await expect(read).rejects.toMatchObject({ kind: 'unavailable' })
    server.thaw()
    expect(kinds).toEqual(['unknown', 'unknown'])
    await waitUntil('Redis answers again', async () => (await client.ping()) === 'PONG')
    expect(await client.hget('hot', 'total')).toBe('3') // both were carried out after all
    for (const sequence of [2, 3]) expect(await write(sequence)).toEqual({ status: 'done' })
    expect(await client.hget('hot', 'total')).toBe('3')
    client.disconnect()
    await server.close()
  })

  test('in a cluster is replaced, and writes go on', async () => {
    const cluster = await startRedisCluster()
    try {
      const open = () =>
        opened(
          new Cluster([...cluster.addresses], { slotsRefreshInterval: 500, redisOptions: { commandTimeout: 500 } }),
        )
      const members = await Promise.all([0, 1].map(async () => openMember(await open())))
      const primary = await cluster.primaryOf(slotOf('hot'))
      const witness = cluster.nodes.find((node) => node !== primary)!
      const stream = new Stream(members, 'hot')
      const { tallies } = stream
      await waitUntil('writes run', () => tallies.length > 10)
      primary.freeze()
      await waitUntil(
        'a replica has taken over',
        async () => (await cluster.primaryOf(slotOf('hot'), witness)) !== primary,
      )
      const before = tallies.length
      await waitUntil('writes run again', () => tallies.length > before + 10)
      primary.thaw()
      const tally = await stream.stop()
      const total = await totalOf(members[0]!, 'hot')
      await Promise.all(members.map((member) => member.close()))
      console.info(`frozen: ${JSON.stringify(tally)}, total ${total}, lost by Redis: ${tally.acknowledged - total}`)
      expect(total).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
    } finally {
      await cluster.close()
    }
  })
})

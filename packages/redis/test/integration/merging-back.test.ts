import { spreadAndCool, startRedis, startRedisCluster } from '@spillway/testkit'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'

/** A client of every kind of server, and how both are closed. */
const servers = {
  'one server': async () => {
    const server = await startRedis()
    const client = new Redis({ host: '127.0.0.1', port: server.port })
    return { client, close: () => (client.disconnect(), server.close()) }
  },
  'a cluster': async () => {
    const cluster = await startRedisCluster()
    const client = new Cluster([...cluster.addresses])
    return { client, close: () => (client.disconnect(), cluster.close()) }
  },
}

describe.each(Object.entries(servers))('a key that has cooled on %s', (_, start) => {
  test.each([
    ['a record', { records: true, items: false }],
    ['a collection', { records: false, items: true }],
  ])(
    'is one shard again, and nothing of %s is lost or doubled while it is written',
    async (__, kinds) => {
      const { client, close } = await start()
      const { expected, read, phases, shardCounts } = await spreadAndCool(() => redis({ client }), kinds)
      await close()
      expect(read).toEqual(expected)
      expect(phases.slice(-3)).toEqual(['draining', 'settled', 'cold'])
      expect(shardCounts).toEqual(kinds.records ? [4, 1] : [undefined, undefined])
    },
    200_000,
  )
})

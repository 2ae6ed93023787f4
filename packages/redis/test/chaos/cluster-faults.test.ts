import { startClusterProxies, startRedisCluster, type ClusterProxies, type RedisCluster } from '@spillway/testkit'
import { Cluster as ValkeyCluster } from 'iovalkey'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { createCluster } from 'redis'
import { createCluster as createCluster5 } from 'redis-5'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { connectedCluster, nodeRedisOptions, opened, type Opened } from '../clients.js'
import { addThrough, changeCount, cutBeforeAnswer, everything } from '../faulty-run.js'

let cluster: RedisCluster
let proxies: ClusterProxies

beforeAll(async () => {
  cluster = await startRedisCluster()
  proxies = await startClusterProxies(cluster, { seed: 11 })
}, 60_000)
afterAll(async () => {
  await proxies.close()
  await cluster.close()
})
beforeEach(() => Promise.all(cluster.nodes.slice(0, 3).map((node) => node.call('FLUSHALL'))))

const ioredisOptions = () => ({ natMap: { ...proxies.natMap }, clusterRetryStrategy: () => 20 })

const clients: readonly (readonly [string, () => Promise<Opened>])[] = [
  ['ioredis 6', () => opened(new Cluster([...proxies.addresses], ioredisOptions()))],
  ['ioredis 5', () => opened(new Cluster5([...proxies.addresses], ioredisOptions()))],
  ['iovalkey', () => opened(new ValkeyCluster([...proxies.addresses], ioredisOptions()))],
  ['node-redis 6', () => connectedCluster(createCluster(nodeRedisOptions(proxies)))],
  ['node-redis 5', () => connectedCluster(createCluster5(nodeRedisOptions(proxies)))],
]

describe.each(clients)('in front of every node of a cluster, with %s', (name, open) => {
  test.each([
    ['cut before the answer', cutBeforeAnswer],
    ['cut before the request or the answer, half-closed and delayed', everything],
  ])('totals are exact while connections are %s', async (_, faults) => {
    const { tally, stored, faultCount } = await addThrough(proxies, open, faults, { fanout: 4 })
    console.info(`${name}: ${faultCount} faults, ${JSON.stringify(tally)}, total ${stored}`)
    expect(faultCount).toBeGreaterThan(20)
    expect(stored).toBe(changeCount)
    expect(tally).toEqual({ acknowledged: changeCount, unknown: 0, rejected: 0 })
  })

  test('the same faults count double without dedupe', async () => {
    const { tally, stored, faultCount } = await addThrough(proxies, open, cutBeforeAnswer, { dedupe: false, fanout: 1 })
    console.info(`${name}, without dedupe: ${faultCount} faults, ${JSON.stringify(tally)}, total ${stored}`)
    expect(tally.acknowledged + tally.unknown).toBe(changeCount)
    expect(stored).toBeGreaterThan(tally.acknowledged + tally.unknown)
  })
})

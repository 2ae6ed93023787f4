import {
  startClusterProxies,
  startRedisCluster,
  waitUntil,
  type ClusterProxies,
  type ProxyFaults,
  type RedisCluster,
} from '@spillway/testkit'
import { Cluster as ValkeyCluster } from 'iovalkey'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { createCluster } from 'redis'
import { createCluster as createCluster5 } from 'redis-5'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { connectedCluster, nodeRedisOptions, opened, type Opened } from '../clients.js'
import { added, increment, openMember, totalOf } from '../fleet.js'

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

const cutBeforeAnswer: ProxyFaults = { cutBeforeAnswer: 0.06 }
const everything: ProxyFaults = {
  cutBeforeRequest: 0.03,
  cutBeforeAnswer: 0.03,
  halfClose: 0.005,
  delay: 0.02,
  delayMs: 20,
}

/** Adds to one key, from one caller a client so that no writes are merged, through faults in front of every node. */
async function run(open: () => Promise<Opened>, faults: ProxyFaults, options: { dedupe?: boolean; fanout: number }) {
  const { dedupe = true, fanout } = options
  const rules = fanout > 1 ? [{ match: 'hot', fanout }] : []
  const members = await Promise.all(
    [0, 1, 2].map(async () => openMember(await open(), { dedupe, sharding: { rules } })),
  )
  let fanoutNow = 1
  members[0]!.client.on('route-changed', ({ write }) => (fanoutNow = write))
  const first = await increment(members[0]!, 'hot', 1)
  await waitUntil('the key is spread', () => fanoutNow === fanout)
  const faultsBefore = proxies.faultCount
  proxies.strike(faults)
  const tally = added([first, ...(await Promise.all(members.map((member) => increment(member, 'hot', 300, 1))))])
  proxies.strike({})
  const stored = await totalOf(members[0]!, 'hot')
  await Promise.all(members.map((member) => member.close()))
  return { tally, stored, faultCount: proxies.faultCount - faultsBefore }
}

describe.each(clients)('in front of every node of a cluster, with %s', (name, open) => {
  test.each([
    ['cut before the answer', cutBeforeAnswer],
    ['cut before the request or the answer, half-closed and delayed', everything],
  ])('totals are exact while connections are %s', async (_, faults) => {
    const { tally, stored, faultCount } = await run(open, faults, { fanout: 4 })
    console.info(`${name}: ${faultCount} faults, ${JSON.stringify(tally)}, total ${stored}`)
    expect(faultCount).toBeGreaterThan(20)
    expect(stored).toBeGreaterThanOrEqual(tally.acknowledged)
    expect(stored).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
    expect(tally).toEqual({ acknowledged: 901, unknown: 0, rejected: 0 })
  })

  test('the same faults count double without dedupe', async () => {
    const { tally, stored, faultCount } = await run(open, cutBeforeAnswer, { dedupe: false, fanout: 1 })
    console.info(`${name}, without dedupe: ${faultCount} faults, ${JSON.stringify(tally)}, total ${stored}`)
    expect(tally.acknowledged + tally.unknown).toBe(901)
    expect(stored).toBeGreaterThan(tally.acknowledged + tally.unknown)
  })
})

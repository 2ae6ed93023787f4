import { startClusterProxies, startRedisCluster, type ClusterProxies, type RedisCluster } from '@spillway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { storedEdits } from '../edits.js'

let cluster: RedisCluster
let proxies: ClusterProxies

beforeAll(async () => {
  cluster = await startRedisCluster()
  proxies = await startClusterProxies(cluster, { seed: 31 })
}, 60_000)
afterAll(async () => {
  await proxies.close()
  await cluster.close()
})

test(
  'a day of edits that processes store by channel comes back as the log has it, though routes grow and connections are cut',
  { timeout: 600_000 },
  async () => {
    proxies.strike({ cutBeforeAnswer: 0.008, cutBeforeRequest: 0.004 })
    const stored = await storedEdits(cluster, proxies, 39_244, 2_000)
    console.info(`edits: ${JSON.stringify(stored)}, ${proxies.faultCount} connections cut`)
    expect(stored).toMatchObject({ differences: [], channelCount: 51, editCount: 39_244, pagedCount: 11_549 })
    expect(proxies.faultCount).toBeGreaterThan(200)
    expect(stored.failedCount).toBeLessThan(stored.putCount / 100)
    for (const puts of stored.putsByFanout) expect(Object.keys(puts)).toEqual(['1', '2', '4'])
    expect(stored.straddlingCount).toBeGreaterThan(0)
    const places = Object.values(stored.membersByPlace)
    expect(places).toHaveLength(4)
    expect(Math.min(...places)).toBeGreaterThan(stored.pagedCount / 10)
  },
)

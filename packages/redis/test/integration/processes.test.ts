import { startRedisCluster, type RedisCluster } from '@spillway/testkit'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { opened } from '../clients.js'
import { runProcess } from '../fleet-processes.js'
import { added, openMember, totalOf } from '../fleet.js'

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.close())

test('three processes count exactly while the route of their key grows', async () => {
  const reports = await Promise.all([1, 2, 3].map(() => runProcess(cluster.addresses, 'processes', 1_500)))
  const reader = await openMember(await opened(new Cluster([...cluster.addresses])))
  const stored = await totalOf(reader, 'processes')
  await reader.close()
  console.info(`processes: ${JSON.stringify(reports)}, total ${stored}`)
  expect(added(reports)).toEqual({ acknowledged: 4_500, unknown: 0, rejected: 0 })
  expect(stored).toBe(4_500)
  expect(Math.max(...reports.map(({ fanoutMost }) => fanoutMost))).toBeGreaterThanOrEqual(2)
})

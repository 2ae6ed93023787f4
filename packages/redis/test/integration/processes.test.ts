import { startRedisCluster, type RedisCluster } from '@spillway/testkit'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { opened } from '../clients.js'
import { runProcess } from '../fleet-processes.js'
import { added, openMember, totalOf } from '../fleet.js'

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeoutMs: 15_000 })
}, 60_000)
afterAll(() => cluster.close())

test('three processes count exactly while the route of their key grows', async () => {
  const orders = { key: 'processes', count: 750, awaited: 4 }
  const reports = await Promise.all([1, 2, 4].map((declared) => runProcess(cluster.addresses, { ...orders, declared })))
  const reader = await openMember(await opened(new Cluster([...cluster.addresses])))
  const stored = await totalOf(reader, 'processes')
  await reader.close()
  console.info(`processes: ${JSON.stringify(reports)}, total ${stored}`)
  expect(added(reports)).toMatchObject({ unknown: 0, rejected: 0 })
  expect(stored).toBe(added(reports).acknowledged)
  for (const { acknowledged, fanoutMost } of reports) {
    expect(acknowledged).toBeGreaterThanOrEqual(1_500)
    expect(fanoutMost).toBeGreaterThanOrEqual(4)
  }
})

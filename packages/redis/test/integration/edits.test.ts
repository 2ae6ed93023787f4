import { startRedisCluster, type RedisCluster } from '@spillway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { storedEdits } from '../edits.js'

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeoutMs: 15_000 })
}, 60_000)
afterAll(() => cluster.close())

test('edits that processes store by channel come back as the log has them, though the hottest channels are spread meanwhile', async () => {
  const stored = await storedEdits(cluster, cluster, 4_000, 500)
  console.info(`edits: ${JSON.stringify(stored)}`)
  expect(stored).toMatchObject({
    differences: [],
    channelCount: 40,
    editCount: 4_000,
    pagedCount: 1_872,
    failedCount: 0,
  })
  expect(stored.readCount).toBeGreaterThan(1)
  for (const puts of stored.putsByFanout) expect(Object.keys(puts)).toEqual(['1', '2', '4'])
  expect(stored.straddlingCount).toBeGreaterThan(0)
  expect(Object.keys(stored.flushesByShard)).toEqual(['0', '1', '2', '3'])
  const places = Object.values(stored.membersByPlace)
  expect(places).toHaveLength(4)
  expect(Math.min(...places)).toBeGreaterThan(stored.pagedCount / 10)
})

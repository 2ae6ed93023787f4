import type { Generation, ShardRef } from '@spillway/core'
import { startRedis, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { redis } from '../../src/index.js'

const call = { signal: new AbortController().signal }
const generation: Generation = { number: 7, nonce: 7 }
const shard: ShardRef = { key: 'feed', index: 1, generation }
const stamp = { timeMs: 5, order: 0, writer: 'w' }

let server: RedisProcess
let client: Redis

beforeAll(async () => {
  server = await startRedis()
  client = new Redis({ host: '127.0.0.1', port: server.port })
})
afterAll(async () => {
  client.disconnect()
  await server.close()
})

test('an empty shard that was given up before an item came to it has no items, takes deletes, and refuses puts', async () => {
  const { records, collections } = redis({ client })
  await records.seal(shard, [], call)
  const deletion = { shard, sort: 'a', stamp, retentionMs: 60_000 } as const
  expect(await collections?.delete({ ...deletion, mode: 'tombstone' }, call)).toMatchObject({ status: 'done' })
  expect(await collections?.delete({ ...deletion, mode: 'remove' }, call)).toMatchObject({ status: 'done' })
  const [answer] = (await collections?.get({ shards: [shard], sort: 'a', consistency: 'strong' }, call)) ?? []
  expect(answer).toMatchObject({ status: 'read', item: undefined })
  await expect(collections?.put({ shard, sort: 'a', value: { n: 1 }, stamp }, call)).rejects.toMatchObject({
    kind: 'invalid',
  })
  expect(await records.clear(shard, 60_000, call)).toBe('expires') // it is sealed as before
})

import { type ClientEvents, createClient, sum } from '@spillway/core'
import { startRedis, waitUntil, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { redis } from '../../src/index.js'

const expiring = Array.from({ length: 6 }, (_, i) => `session${i}`)

let server: RedisProcess
let connection: Redis

beforeAll(async () => {
  server = await startRedis()
  connection = new Redis({ port: server.port, host: '127.0.0.1' })
})
afterAll(async () => {
  connection.disconnect()
  await server.close()
})

async function readCount(): Promise<number> {
  return Number(/cmdstat_hmget:calls=(\d+)/.exec(await connection.info('commandstats'))?.[1])
}

test('hot keys with an expiry stay cold, are told, and keep no room from a key without one; PERSIST has them spread', async () => {
  for (const key of expiring) {
    await connection.hincrby(key, 'views', 1)
    await connection.expire(key, 86_400)
  }
  const client = await createClient({
    backend: redis({ client: connection }),
    routing: { refreshMs: 100, leaseMs: 300, directoryBytesMax: 1_024 }, // room for two or three routes
    sharding: { rules: [...expiring, 'hot'].map((match) => ({ match, fanout: 16 })) },
  })
  const posts = client.records('post', { views: sum() })
  const phases: Record<string, string> = {}
  const stalled: ClientEvents['route-stalled'][] = []
  const full: unknown[] = []
  client.on('route-changed', ({ key, phase }) => (phases[key] = phase))
  client.on('route-stalled', (event) => stalled.push(event))
  client.on('directory-full', (event) => full.push(event))
  await waitUntil('the key without an expiry is spread', () => Promise.resolve(phases['hot'] === 'active'))
  expect(phases).toEqual({ hot: 'active' })
  expect(full).toEqual([])
  expect(new Set(stalled.map(({ key }) => key))).toEqual(new Set(expiring))
  for (const { phase, error } of stalled)
    expect({ phase, error }).toMatchObject({ phase: 'cold', error: { kind: 'invalid', message: /PERSIST/ } })

  const before = await readCount()
  for (let i = 0; i < 20; i++) expect(await posts.read('session0')).toEqual({ views: 1 })
  expect((await readCount()) - before).toBe(20)

  await connection.persist('session0')
  await waitUntil('the key that does not expire any more is spread', () =>
    Promise.resolve(phases['session0'] === 'active'),
  )
  await client.close()
})

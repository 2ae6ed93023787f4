import { createClient, max, sum, type AnyRule } from '@spillway/core'
import { startFaultProxy, startRedis, waitUntil, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { createClient as createNodeRedis } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { fromNodeRedis, redis, type RedisOptions } from '../../src/index.js'
import { addOne, call, failureOf, shardOf } from '../requests.js'

const host = '127.0.0.1'
let server: RedisProcess

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())
beforeEach(() => server.call('FLUSHALL'))

interface OpenedClient {
  readonly client: RedisOptions['client']
  readonly isDown: () => boolean
  readonly close: () => void
}

/** Clients that keep what they are asked for while they have no connection. */
const clients: readonly (readonly [string, (port: number) => Promise<OpenedClient>])[] = [
  ['ioredis', (port) => patient(port, true)],
  ['ioredis that sends nothing again', (port) => patient(port, false)],
  [
    'node-redis',
    async (port) => {
      const client = createNodeRedis({ socket: { port, host, reconnectStrategy: 20 } })
      client.on('error', () => undefined)
      await client.connect()
      return { client: fromNodeRedis(client), isDown: () => !client.isReady, close: () => client.destroy() }
    },
  ],
]

async function patient(port: number, autoResendUnfulfilledCommands: boolean): Promise<OpenedClient> {
  const client = new Redis({ port, host, autoResendUnfulfilledCommands, retryStrategy: () => 20 })
  client.on('error', () => undefined)
  await client.ping()
  return { client, isDown: () => client.status !== 'ready', close: () => client.disconnect() }
}

describe.each(clients)('while Redis is away, with %s', (_, open) => {
  test('one write without a number counts once, however often it is tried', async () => {
    const proxy = await startFaultProxy({ port: server.port })
    const { client, isDown, close } = await open(proxy.port)
    const spillway = await createClient({ backend: redis({ client }), limits: { requestTimeoutMs: 100 } })
    const rough = spillway.records('rough', { total: sum() }, { dedupe: false })
    await rough.write('warm', { total: 1 })
    const end = await proxy.outage()
    await waitUntil('the connection is lost', () => Promise.resolve(isDown()))
    const writing = rough.write('k', { total: 1 })
    await new Promise((resolve) => setTimeout(resolve, 600)) // some attempts
    await end()
    await writing
    await rough.write('k', { total: 1 }) // behind whatever the client had kept
    expect(await server.call('HGET', 'k', 'total')).toBe('2')
    await spillway.close()
    close()
    await proxy.close()
  })

  test('only a write that may be repeated waits for the connection, and is then answered', async () => {
    const proxy = await startFaultProxy({ port: server.port })
    const { client, isDown, close } = await open(proxy.port)
    const backend = redis({ client })
    await backend.open?.(call)
    const end = await proxy.outage()
    await waitUntil('the connection is lost', () => Promise.resolve(isDown()))
    const rough = await failureOf(addOne(backend, 'k'))
    expect(rough).toMatchObject({ kind: 'unavailable', message: /has no connection.* Nothing was sent/ })
    const changes = [{ name: 'top', rule: max() as unknown as AnyRule, state: 1 }]
    const idempotent = backend.records.write({ shard: shardOf('k'), changes, stamp: undefined }, call)
    const numbered = addOne(backend, 'k', 1)
    await new Promise((resolve) => setTimeout(resolve, 100)) // some attempts to connect, each of which fails
    await end()
    expect(await Promise.all([idempotent, numbered])).toEqual([{ status: 'done' }, { status: 'done' }])
    expect(await server.call('HGET', 'k', 'total')).toBe('1')
    close()
    await proxy.close()
  })
})

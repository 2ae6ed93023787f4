import { createClient as createSpillway, isSpillwayError, sum } from '@spillway/core'
import { startRedis, startRedisCluster, type RedisCluster, type RedisProcess } from '@spillway/testkit'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { fromNodeRedis, redis, type RedisOptions } from '../../src/index.js'
import { slotOf } from '../../src/slot.js'
import { addOne, call, shardOf, total, totalIn } from '../requests.js'

const host = '127.0.0.1'

let server: RedisProcess
let cluster: RedisCluster

beforeAll(async () => {
  ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster({ nodeTimeoutMs: 15_000 })])
}, 60_000)
afterAll(() => Promise.all([server.close(), cluster.close()]))
beforeEach(async () => {
  await Promise.all([server, ...cluster.nodes.slice(0, 3)].map((node) => node.call('FLUSHALL')))
})

/** Fails to open, and says why. */
async function refusalOf(client: RedisOptions['client']): Promise<{ code: string; kind: unknown; message: string }> {
  const error: unknown = await createSpillway({ backend: redis({ client }) }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isSpillwayError(error)) throw new Error('It opened, or failed without a type.', { cause: error })
  return { code: error.code, kind: (error as { kind?: unknown }).kind, message: error.message }
}

describe('a client that cannot be used', () => {
  test.each([
    ['nothing', () => redis({ client: undefined as never }), /redis\(\{ client \}\) must be an ioredis client/],
    [
      'an object of another kind',
      () => redis({ client: { send() {} } as never }),
      /must be an ioredis client, or a port/,
    ],
    ['node-redis itself', () => redis({ client: createClient() as never }), /fromNodeRedis\(client\)/],
    [
      'node-redis itself, a cluster',
      () => redis({ client: createCluster({ rootNodes: [] }) as never }),
      /fromNodeRedis/,
    ],
    [
      'ioredis as node-redis',
      () => fromNodeRedis(new Redis({ lazyConnect: true }) as never),
      /ioredis is passed as it is/,
    ],
    ['a pool of node-redis', () => fromNodeRedis(createClientPool() as never), /no pool/],
    [
      'a sentinel client of node-redis',
      () => fromNodeRedis(createSentinel({ name: 'x', sentinelRootNodes: [{ host, port: 1 }] }) as never),
      /behind Sentinel use ioredis/,
    ],
    ['nothing as node-redis', () => fromNodeRedis(undefined as never), /made by createClient or createCluster/],
    ['node-redis with a prefix', () => fromNodeRedis(createClient({ keyPrefix: 'app:' })), /keyPrefix must be empty/],
  ])('is refused at once: %s', (_, make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test.each([
    ['ioredis', () => new Redis({ port: server.port, host })],
    ['ioredis, a cluster', () => new Cluster([...cluster.addresses])],
  ])('fails at once when it is closed: %s', async (_, open) => {
    const client = open() as Redis
    await client.ping()
    const backend = redis({ client })
    const spillway = await createSpillway({ backend })
    const counts = spillway.records('count', { total: sum() })
    await counts.write('k', { total: 1 })
    client.disconnect()
    await new Promise<void>((resolve) => (client.status === 'end' ? resolve() : client.once('end', () => resolve())))
    const message = expect.stringContaining('is closed or was never connected') as string
    await expect(counts.write('k', { total: 1 })).rejects.toMatchObject({ code: 'WRITE_REJECTED', message })
    await expect(counts.read('k')).rejects.toMatchObject({ code: 'READ_FAILED' })
    await expect(backend.directory.read(call)).rejects.toMatchObject({ kind: 'invalid', message })
    await spillway.close()
    expect(await refusalOf(client)).toMatchObject({ code: 'BACKEND', kind: 'invalid', message })
  })

  test('fails at once when it was never connected or is closed: node-redis', async () => {
    const single = createClient({ socket: { port: server.port, host } })
    const clustered = createCluster({ rootNodes: cluster.addresses.map((socket) => ({ socket })) })
    const message = expect.stringContaining('is closed or was never connected') as string
    for (const client of [single, clustered]) {
      expect(await refusalOf(fromNodeRedis(client))).toMatchObject({ code: 'BACKEND', kind: 'invalid', message })
      await client.connect()
      const backend = redis({ client: fromNodeRedis(client) })
      await backend.open?.(call)
      client.destroy()
      await expect(addOne(backend, 'k', 1)).rejects.toMatchObject({ kind: 'invalid', message })
      const read = { shards: [shardOf('k'), shardOf('k', 1)], fields: [total], consistency: 'strong' } as const
      await expect(backend.records.read(read, call)).rejects.toMatchObject({ kind: 'invalid', message })
    }
  })

  test('fails soon when nobody listens, whatever it waits for itself', async () => {
    const patient = new Redis({ port: 1, host, maxRetriesPerRequest: null })
    const hasty = new Redis({ port: 1, host, enableOfflineQueue: false })
    const nowhere = new Cluster([{ host, port: 1 }], { enableOfflineQueue: false })
    for (const client of [patient, hasty, nowhere]) client.on('error', () => undefined)
    expect(await refusalOf(patient)).toMatchObject({ code: 'BACKEND' })
    expect(await refusalOf(hasty)).toMatchObject({ kind: 'unavailable', message: /enableOfflineQueue/ })
    expect(await refusalOf(nowhere)).toMatchObject({ kind: 'unavailable', message: /enableOfflineQueue/ })
    for (const client of [patient, hasty, nowhere]) client.disconnect()
  })

  test('is invalid while it listens to channels', async () => {
    const client = new Redis({ port: server.port, host, protocol: 2 } as never)
    const backend = redis({ client })
    await backend.open?.(call)
    await client.subscribe('news')
    await expect(addOne(backend, 'k', 1)).rejects.toMatchObject({ kind: 'invalid', message: /another client/ })
    client.disconnect()
  })
})

describe('a client that is not ready', () => {
  test.each([
    ['ioredis', () => new Redis({ port: server.port, host })],
    ['ioredis, lazily', () => new Redis({ port: server.port, host, lazyConnect: true })],
    ['ioredis, a cluster', () => new Cluster([...cluster.addresses])],
    ['ioredis, a cluster, lazily', () => new Cluster([...cluster.addresses], { lazyConnect: true })],
  ])('is waited for, and is taught the scripts: %s', async (_, make) => {
    const nodes = [server, ...cluster.nodes.slice(0, 3)]
    for (const node of nodes) {
      await node.call('SCRIPT', 'FLUSH')
      await node.call('CONFIG', 'RESETSTAT')
    }
    const client = make() as Redis
    const backend = redis({ client })
    await backend.open?.(call)
    for (let i = 1; i <= 20; i++) expect(await addOne(backend, `k${i}`, i)).toEqual({ status: 'done' })
    const stats = await Promise.all(nodes.map(async (node) => String(await node.call('INFO', 'commandstats'))))
    expect(stats.join()).toContain('cmdstat_evalsha')
    expect(stats.join()).not.toContain('cmdstat_eval:')
    client.disconnect()
  })
})

describe('options of clients', () => {
  test('that change the form of answers do no harm', async () => {
    const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String }
    const nodeRedis = createClient({ socket: { port: server.port, host }, commandOptions: { typeMapping: bytes } })
    await nodeRedis.connect()
    const ioredis = new Redis({ port: server.port, host, stringNumbers: true })
    for (const client of [fromNodeRedis(nodeRedis), ioredis]) {
      await server.call('FLUSHALL')
      const backend = redis({ client })
      await backend.open?.(call)
      await addOne(backend, 'k', 1)
      expect(await totalIn(backend, 'k')).toBe(1)
      await addOne(backend, 'k', 1, 1)
      const contents = await backend.records.seal(shardOf('k', 1), [total], call)
      expect(contents.states).toEqual([1])
      expect(await addOne(backend, 'k', 2, 1)).toEqual({ status: 'sealed' })
      await backend.records.absorb({ target: shardOf('k'), source: shardOf('k', 1), contents, fields: [total] }, call)
      expect(await backend.records.clear(shardOf('k', 1), 60_000, call)).toBe('expires')
      expect(await totalIn(backend, 'k')).toBe(2)
      const version = await backend.directory.swap(undefined, 'a', call)
      expect(await backend.directory.read(call)).toEqual({ text: 'a', version })
    }
    nodeRedis.destroy()
    ioredis.disconnect()
  })

  test.each([{ enableAutoPipelining: true }, { enableAutoPipelining: false }])(
    'that put pipelines together do no harm, also when slots have moved: %o',
    async (options) => {
      const client = new Cluster([...cluster.addresses], options)
      const backend = redis({ client })
      await backend.open?.(call)
      const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
      await Promise.all(keys.map((key) => addOne(backend, key, 1)))
      // As after a resharding that the client has not heard of: every second key is sought at a primary that does not serve it.
      const groups = [...new Set(client.slots.map((nodes) => nodes.join()))].map((nodes) => nodes.split(','))
      for (const key of keys.filter((_, i) => i % 2 === 0)) {
        const slot = slotOf(key)
        client.slots[slot] = groups.find((group) => group[0] !== client.slots[slot]?.[0]) as string[]
      }
      await Promise.all(keys.map((key) => addOne(backend, key, 2)))
      expect(await Promise.all(keys.map((key) => totalIn(backend, key)))).toEqual(keys.map(() => 2))
      client.disconnect()
    },
  )
})

describe('an ioredis client', () => {
  test('that several backends share is listened to once', async () => {
    const client = new Redis({ port: server.port, host })
    await client.ping()
    redis({ client })
    const count = client.listenerCount('close')
    for (let i = 0; i < 20; i++) redis({ client })
    expect(client.listenerCount('close')).toBe(count)
    client.disconnect()
  })

  test('sends what comes in one turn of the event loop in few pieces', async () => {
    const client = new Redis({ port: server.port, host })
    const backend = redis({ client })
    await backend.open?.(call)
    const pieces: unknown[] = []
    const socket = client.stream as { _writev: ((...args: unknown[]) => void) | null; writableCorked: number }
    const writev = socket._writev?.bind(socket)
    socket._writev = (...args) => {
      pieces.push(args[0])
      writev?.(...args)
    }
    const writes = Array.from({ length: 40 }, (_, i) => addOne(backend, `k${i}`, 1))
    expect(socket.writableCorked).toBe(1)
    await Promise.all(writes)
    expect(socket.writableCorked).toBe(0)
    expect(pieces).toHaveLength(3)
    client.disconnect()
  })
})

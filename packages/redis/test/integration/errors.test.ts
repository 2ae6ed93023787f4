import { createClient, sum } from '@spillway/core'
import {
  startFaultProxy,
  startRedis,
  startRedisCluster,
  waitUntil,
  type RedisCluster,
  type RedisProcess,
} from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { slotOf } from '../../src/slot.js'
import { addOne, call, failureOf, totalIn } from '../requests.js'

const host = '127.0.0.1'
let server: RedisProcess
const clients: Redis[] = []

beforeAll(async () => {
  server = await startRedis({ args: ['--enable-debug-command', 'yes', '--enable-protected-configs', 'yes'] })
})
afterAll(() => server.close())
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

interface ClientOptions {
  readonly retryStrategy?: () => number | null
  readonly autoResendUnfulfilledCommands?: boolean
  readonly maxRetriesPerRequest?: number
}

/** A backend that was opened while all was well, on a client of its own. */
async function opened(options: ClientOptions = {}, port = server.port) {
  const client = new Redis({ port, host, ...options })
  client.on('error', () => undefined)
  clients.push(client)
  const backend = redis({ client })
  await backend.open?.(call)
  return backend
}

/** Sets options of the server until the returned function is called. */
async function configured(...options: readonly string[]): Promise<() => Promise<unknown>> {
  const before: string[] = []
  for (let i = 0; i < options.length; i += 2) {
    const [name, value] = (await server.call('CONFIG', 'GET', options[i] as string)) as [string, string]
    before.push(name, value)
  }
  await server.call('CONFIG', 'SET', ...options)
  return () => server.call('CONFIG', 'SET', ...before)
}

/** Waits until Redis refuses other clients. */
function refuses(): Promise<void> {
  return waitUntil('Redis refuses', async () =>
    server.call('GET', 'x').then(
      () => false,
      () => true,
    ),
  )
}

function clientOfMyOwn(): Redis {
  const client = new Redis({ port: server.port, host })
  clients.push(client)
  return client
}

interface Refusal {
  readonly name: string
  readonly kind: string
  readonly message: RegExp
  /** Makes Redis refuse; answers with what ends that. */
  readonly provoke: () => Promise<() => Promise<unknown>>
}

const refusals: readonly Refusal[] = [
  {
    name: 'READONLY: it is a replica now',
    kind: 'unavailable',
    message: /READONLY/,
    async provoke() {
      await server.call('REPLICAOF', '127.0.0.1', '1')
      return () => server.call('REPLICAOF', 'NO', 'ONE')
    },
  },
  {
    name: 'MASTERDOWN: it is a replica that has lost its primary and shows nothing old',
    kind: 'unavailable',
    message: /MASTERDOWN/,
    async provoke() {
      const end = await configured('replica-serve-stale-data', 'no')
      await server.call('REPLICAOF', '127.0.0.1', '1')
      return async () => {
        await server.call('REPLICAOF', 'NO', 'ONE')
        await end()
      }
    },
  },
  {
    name: 'OOM: it is full',
    kind: 'rejected',
    message: /OOM .* maxmemory/,
    provoke: () => configured('maxmemory', '1'),
  },
  {
    name: 'NOREPLICAS: too few replicas are attached',
    kind: 'unavailable',
    message: /NOREPLICAS/,
    provoke: () => configured('min-replicas-to-write', '1'),
  },
  {
    name: 'MISCONF: it cannot save',
    kind: 'rejected',
    message: /MISCONF/,
    async provoke() {
      const end = await configured('save', '3600 1', 'dir', '/proc')
      await server.call('BGSAVE')
      await waitUntil('a save has failed', async () =>
        /last_bgsave_status:err/.test(String(await server.call('INFO', 'persistence'))),
      )
      return end
    },
  },
  {
    name: 'BUSY: it runs the script of somebody else',
    kind: 'unavailable',
    message: /BUSY/,
    async provoke() {
      const end = await configured('busy-reply-threshold', '1')
      const script = clientOfMyOwn()
        .eval('while true do end', 0)
        .catch(() => undefined)
      await refuses()
      return async () => {
        await server.call('SCRIPT', 'KILL')
        await script
        await end()
      }
    },
  },
  {
    name: 'LOADING: it has just been started',
    kind: 'unavailable',
    message: /LOADING/,
    async provoke() {
      await server.call('DEBUG', 'POPULATE', 2_000, 'filler', 64)
      const end = await configured('key-load-delay', '500', 'loading-process-events-interval-bytes', '1024')
      const reload = clientOfMyOwn().call('debug', 'reload')
      await refuses()
      return async () => {
        await reload
        await end()
      }
    },
  },
]

describe('Redis refuses a write, and nothing was done', () => {
  test.each(refusals)('$name', async ({ name, kind, message, provoke }) => {
    const backend = await opened()
    await addOne(backend, name, 1)
    const end = await provoke()
    const swap = backend.directory.swap(undefined, 'a', call)
    const requests = [addOne(backend, name, 2), addOne(backend, name), swap]
    const failures = await Promise.all(requests.map((request) => failureOf(request)))
    await end()
    for (const failure of failures) expect(failure).toMatchObject({ kind, message })
    expect(await totalIn(backend, name)).toBe(1)
    expect(await addOne(backend, name, 2)).toEqual({ status: 'done' })
    expect(await totalIn(backend, name)).toBe(2)
  })

  test('NOAUTH: nobody has logged in', async () => {
    const end = await configured('requirepass', 'secret')
    const client = new Redis({ port: server.port, host, enableReadyCheck: false })
    client.on('error', () => undefined)
    clients.push(client)
    const failure = await failureOf(addOne(redis({ client }), 'noauth', 1))
    await server.call('CONFIG', 'SET', 'requirepass', '')
    await end()
    expect(failure).toMatchObject({ kind: 'rejected', message: /NOAUTH .*has not logged in/ })
  })
})

describe('a node of a cluster that does not serve a key', () => {
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 60_000)
  afterAll(() => cluster.close())

  test('says MOVED, ASK or CLUSTERDOWN, and has done nothing', async () => {
    const [key, slot] = ['moved', slotOf('moved')]
    const owner = await cluster.primaryOf(slot)
    const other = cluster.nodes.slice(0, 3).find((node) => node !== owner)!
    const [here, there] = [await opened({}, owner.port), await opened({}, other.port)]
    expect(await failureOf(addOne(there, key, 1))).toMatchObject({ kind: 'unavailable', message: /MOVED/ })

    await owner.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(await other.call('CLUSTER', 'MYID')))
    expect(await failureOf(addOne(here, key, 1))).toMatchObject({ kind: 'unavailable', message: /ASK/ })
    await owner.call('CLUSTER', 'SETSLOT', slot, 'STABLE')

    await owner.call('CLUSTER', 'DELSLOTS', slot)
    expect(await failureOf(addOne(here, key, 1))).toMatchObject({ kind: 'unavailable', message: /CLUSTERDOWN/ })
    await owner.call('CLUSTER', 'ADDSLOTS', slot)
    await waitUntil('the slot is served', async () => (await addOne(here, key, 1)).status === 'done')
    expect(await totalIn(here, key)).toBe(1)
  })
})

describe('a connection that is lost while a write is under way', () => {
  test('leaves it unknown, whether the client sends again, gives up or was never going to', async () => {
    const proxy = await startFaultProxy({ port: server.port })
    const soon = { retryStrategy: () => 10 }
    const variants = [
      { ...soon, autoResendUnfulfilledCommands: false },
      { ...soon, maxRetriesPerRequest: 0 },
      { retryStrategy: () => null },
    ]
    for (const [i, options] of variants.entries()) {
      const key = `lost-${i}`
      const backend = await opened(options, proxy.port)
      await addOne(backend, key, 1)
      proxy.faults = { cutBeforeAnswer: 1 }
      expect(await failureOf(addOne(backend, key, 2))).toMatchObject({ kind: 'unknown' })
      proxy.faults = {}
      const again = await opened()
      expect(await addOne(again, key, 2)).toEqual({ status: 'done' })
      expect(await totalIn(again, key)).toBe(2)
    }
    await proxy.close()
  })

  test('leaves no doubt when the client sends again and is answered', async () => {
    const proxy = await startFaultProxy({ port: server.port })
    const backend = await opened({ retryStrategy: () => 10 }, proxy.port)
    await addOne(backend, 'again', 1)
    proxy.faults = { cutBeforeAnswer: 1 }
    const writing = addOne(backend, 'again', 2)
    await waitUntil('the answer is lost', () => proxy.faultCount > 0)
    proxy.faults = {}
    expect(await writing).toEqual({ status: 'done' })
    expect(await totalIn(backend, 'again')).toBe(2)
    await proxy.close()
  })
})

describe('a Redis that hangs', () => {
  test('holds up nobody for ever, though ioredis would wait by itself', async () => {
    const hanging = await startRedis()
    const client = new Redis({ port: hanging.port, host })
    clients.push(client)
    const limits = { requestTimeoutMs: 100, writeTimeoutMs: 400 }
    const spillway = await createClient({ backend: redis({ client }), limits, gather: { shardTimeoutMs: 200 } })
    const counts = spillway.records('count', { total: sum() })
    await counts.write('k', { total: 1 })
    hanging.freeze()
    await expect(counts.write('k', { total: 1 })).rejects.toMatchObject({ code: 'WRITE_UNKNOWN' })
    await expect(counts.read('k')).rejects.toMatchObject({ code: 'READ_FAILED' })
    hanging.thaw()
    await waitUntil('Redis answers again', async () => (await counts.read('k')).total >= 1)
    // The copies that ioredis still held have arrived by now, all under one number.
    expect((await counts.read('k')).total).toBe(2)
    await spillway.close()
    await hanging.close()
  })
})

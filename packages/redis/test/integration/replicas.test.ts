import { startRedisSentinel, waitUntil, type RedisProcess, type RedisSentinel } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { fromNodeRedis, redis, type RedisOptions } from '../../src/index.js'
import { fromIoredis } from '../../src/from-ioredis.js'
import { changeItemScript } from '../../src/scripts/change-item.js'
import { itemIn, put, take } from '../items.js'
import { addOne, call, failureOf, shardOf, total, totalIn } from '../requests.js'

const host = '127.0.0.1'
let group: RedisSentinel
let primary: RedisProcess
let replica: RedisProcess

beforeAll(async () => {
  // Sentinels are not asked here: the replica is only frozen for moments.
  group = await startRedisSentinel()
  ;[primary, replica] = group.servers
  await Promise.all(group.sentinels.map((sentinel) => sentinel.call('SENTINEL', 'REMOVE', group.name)))
}, 60_000)
afterAll(() => group.close())
beforeEach(() => primary.call('FLUSHALL'))

interface OpenedClient {
  readonly client: RedisOptions['client']
  close(): void
}

const clients: readonly (readonly [string, () => Promise<OpenedClient>])[] = [
  [
    'ioredis 6',
    async () => {
      const client = new Redis({ port: primary.port, host })
      await client.ping()
      return { client, close: () => client.disconnect() }
    },
  ],
  [
    'node-redis 6',
    async () => {
      const client = createClient({ socket: { port: primary.port, host } })
      await client.connect()
      return { client: fromNodeRedis(client), close: () => client.destroy() }
    },
  ],
  [
    'node-redis 5',
    async () => {
      const client = createClient5({ socket: { port: primary.port, host } })
      await client.connect()
      return { client: fromNodeRedis(client), close: () => client.destroy() }
    },
  ],
]

/** Runs `body` while the replica is attached but hears nothing. */
async function withFrozenReplica(body: () => Promise<void>): Promise<void> {
  await waitUntil('the replica is attached', async () =>
    /state=online/.test(String(await primary.call('INFO', 'replication'))),
  )
  replica.freeze()
  try {
    await body()
  } finally {
    replica.thaw()
  }
}

describe.each(clients)('where a replica is attached, with %s', (_, open) => {
  test('what routes build upon counts only once the replica has it; doing it again is harmless', async () => {
    const { client, ...opened } = await open()
    const backend = redis({ client, replicaWaitMs: 100 })
    await backend.open?.(call)
    await addOne(backend, 'k', 1, 1)
    const [target, source] = [shardOf('k'), shardOf('k', 1)]
    const contents = { status: 'read', states: [1] } as const
    const requests: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['a seal', () => backend.records.seal(source, [total], call)],
      ['an absorption', () => backend.records.absorb({ target, source, contents, fields: [total] }, call)],
      ['a stamp', async () => backend.records.stampRoute?.(target, { revision: 3, text: 'route' }, call)],
    ]
    await withFrozenReplica(async () => {
      for (const [, request] of requests)
        expect(await failureOf(request())).toMatchObject({ kind: 'unknown', message: /Fewer than 1 replicas/ })
      const swap = backend.directory.swap(undefined, 'a', call)
      expect(await failureOf(swap)).toMatchObject({ kind: 'unknown', message: /Fewer than 1 replicas/ })
      expect(await addOne(backend, 'k', 2)).toEqual({ status: 'done' }) // a write waits only where that is asked for
    })
    for (const [, request] of requests) await request()
    expect(await totalIn(backend, 'k')).toBe(2)
    expect(await replica.call('HGET', 'k', 'total')).toBe('2')
    expect(await replica.call('HGET', 'k', '~spillway~route')).toBe('3:route')
    expect(await replica.call('HGET', 'k', '~spillway~absorbed')).toBe('1:1')
    opened.close()
  })

  test('with writeReplicas a write is «unknown» until a replica has it, also when it is found done', async () => {
    const { client, ...opened } = await open()
    const backend = redis({ client, replicaWaitMs: 100, writeReplicas: 1 })
    await backend.open?.(call)
    expect(await addOne(backend, 'k', 1)).toEqual({ status: 'done' })
    await withFrozenReplica(async () => {
      for (let copy = 1; copy <= 2; copy++)
        expect(await failureOf(addOne(backend, 'k', 2))).toMatchObject({ kind: 'unknown', message: /0 of 1 replicas/ })
    })
    expect(await addOne(backend, 'k', 2)).toEqual({ status: 'done' })
    expect(await replica.call('HGET', 'k', 'total')).toBe('2')
    await primary.call('SCRIPT', 'FLUSH')
    expect(await addOne(backend, 'k', 3)).toEqual({ status: 'done' })
    expect(await totalIn(backend, 'k')).toBe(3)
    opened.close()
  })

  test('with writeReplicas a change of an item is «unknown» until a replica has it, also when there is nothing to change', async () => {
    const { client, ...opened } = await open()
    const backend = redis({ client, replicaWaitMs: 100, writeReplicas: 1 })
    await backend.open?.(call)
    expect(await put(backend, 'a', 5)).toEqual({ status: 'done' })
    const changes: readonly (readonly [() => Promise<unknown>, object])[] = [
      [() => put(backend, 'b', 5), { status: 'done' }],
      [() => put(backend, 'b', 5), { status: 'done' }],
      [() => put(backend, 'a', 4), { status: 'newer' }],
      [() => take(backend, 'a', 'remove', 4), { status: 'newer' }],
      [() => take(backend, 'b', 'tombstone', 5), { status: 'done' }],
      [() => take(backend, 'a', 'remove', 5), { status: 'done' }],
      [() => take(backend, 'a', 'remove', 5), { status: 'done' }],
      [() => take(backend, 'b', 'remove', 5), { status: 'done' }],
      [() => take(backend, 'b', 'remove', 5), { status: 'done' }], // where there is no key any more
    ]
    for (const [change, answer] of changes) {
      await withFrozenReplica(async () => {
        expect(await failureOf(change())).toMatchObject({ kind: 'unknown', message: /0 of 1 replicas/ })
      })
      expect(await change()).toMatchObject(answer)
      await primary.call('WAIT', '1', '1000')
      expect(await replica.call('DUMP', 'k')).toEqual(await primary.call('DUMP', 'k'))
    }
    expect(await itemIn(backend, 'a')).toBeUndefined()
    expect(await primary.call('EXISTS', 'k')).toBe(0)
    opened.close()
  })
})

/** How much the primary has sent to its replicas. */
async function offset(): Promise<number> {
  return Number(/master_repl_offset:(\d+)/.exec(String(await primary.call('INFO', 'replication')))?.[1])
}

describe('a change of an item that finds nothing to change', () => {
  test.each([
    ['put', '1 0 w', 'spost'],
    ['remove', '1 0 w', 'spost'],
    ['remove', '9 0 w', 'sother'],
    ['remove', '9 0 w', 'sother', 'gone'],
  ])(
    'writes all the same where a WAIT follows, for that covers writes alone: %s %s %s',
    async (mode, stamp, sort, key = 'k') => {
      const client = new Redis({ port: primary.port, host })
      const port = fromIoredis(client)
      const change = (...args: readonly string[]) =>
        changeItemScript.run(port, key, [...args.slice(0, 1), '~spillway~string', ...args.slice(1)])
      if (key === 'k') await change('put', 'spost', '5 0 w', '{}', '')
      const before = await primary.call('DUMP', key)
      const offsetBefore = await offset()
      await change(mode, sort, stamp, '{}', 'confirm')
      expect(await offset()).toBeGreaterThan(offsetBefore)
      expect(await primary.call('DUMP', key)).toEqual(before)
      client.disconnect()
    },
  )
})

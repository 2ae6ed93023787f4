import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { latest, max, type AnyRule, type Backend } from '@spillway/core'
import { startRedisSentinel, type RedisProcess, type RedisSentinel } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { fromNodeRedis, redis } from '../../src/index.js'
import { itemIn, pageOf, put, take } from '../items.js'
import { addOne, call, shardOf, total, totalIn } from '../requests.js'

const host = '127.0.0.1'
const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const [, rules = ''] = /^ACL SETUSER spillway (.*)$/m.exec(readme) ?? []
const [, adopting = ''] = /With `adoptStringAs` also `(.*?)`/.exec(readme) ?? []
const commands = rules.split(' ').filter((rule) => rule.startsWith('+'))
const login = { username: 'spillway', password: 'secret' }
const title = { name: 'title', rule: latest() as unknown as AnyRule }
const top = { name: 'top', rule: max() as unknown as AnyRule }

let group: RedisSentinel
let server: RedisProcess

beforeAll(async () => {
  group = await startRedisSentinel() // with a replica, so that WAIT is needed
  server = group.servers[0]
}, 60_000)
afterAll(() => group.close())
beforeEach(() => server.call('FLUSHALL'))

/** Everything that the backend ever asks for. */
async function everything(backend: Backend): Promise<void> {
  await backend.open?.(call)
  await backend.directory.read(call)
  await backend.directory.swap(undefined, 'a', call)
  // Two writers, the first of which is forgotten when the second comes.
  for (const [i, writer] of ['v', 'w'].entries()) {
    const changes = [
      { ...total, state: 1 },
      { ...top, state: i },
      { ...title, state: { json: '1', stamp: { timeMs: i, order: 0, writer } } },
    ]
    const stamp = { writer, sequence: 10 + i, forgetUpTo: 10 }
    await backend.records.write({ shard: shardOf('post:1'), changes, stamp }, call)
  }
  await server.call('SCRIPT', 'FLUSH')
  await addOne(backend, 'post:2', 1)
  await addOne(backend, 'post:3')
  const [target, source] = [shardOf('post:1'), shardOf('post:1', 1)]
  await addOne(backend, 'post:1', 1, 1)
  const contents = await backend.records.seal(source, [total], call)
  await backend.records.absorb({ target, source, contents, fields: [total] }, call)
  await backend.records.clear(source, 60_000, call)
  await backend.records.checkSpread?.(target, call)
  await backend.records.stampRoute?.(target, { revision: 1, text: 'a' }, call)
  expect(await totalIn(backend, 'post:1')).toBe(3)
  await everythingWithItems(backend)
}

/** The same for a collection: stamped before its first item and afterwards, with a tombstone that is swept. */
async function everythingWithItems(backend: Backend): Promise<void> {
  const [key, target] = ['post:7', shardOf('post:7')]
  for (const revision of [1, 2]) {
    await backend.records.stampRoute?.(target, { revision, text: 'a' }, call)
    await put(backend, 'a', revision, { revision }, key)
  }
  await put(backend, 'a', 1, { revision: 1 }, 'post:6')
  await take(backend, 'b', 'tombstone', 1, 0, key)
  await take(backend, 'c', 'remove', 1, 0, key)
  expect(await itemIn(backend, 'a', key)).toMatchObject({ value: { revision: 2 } })
  for (const order of ['ascending', 'descending'] as const)
    expect(await pageOf(backend, { shard: target, order })).toMatchObject({
      items: [{ sort: 'a' }],
      route: { revision: 2 },
    })
}

/** Adds 1 to a field and sets another; in some keys with an expiry. */
function writeTwo(backend: Backend, key: string) {
  const changes = [
    { ...total, state: 1 },
    { ...top, state: 1 },
  ]
  const stamp = { writer: 'w', sequence: 1, forgetUpTo: 0 }
  const expiresInMs = key === 'expiring' ? 60_000 : undefined
  return backend.records.write({ shard: shardOf(key), changes, stamp, expiresInMs }, call)
}

async function asUser<T>(given: string, body: (client: Redis) => Promise<T>): Promise<T> {
  await server.call('ACL', 'DELUSER', 'spillway')
  await server.call('ACL', 'SETUSER', 'spillway', ...given.split(' '))
  // The client itself looks whether Redis is ready by INFO, which is not what is tried here.
  const client = new Redis({ port: server.port, host, ...login, enableReadyCheck: false })
  try {
    return await body(client)
  } finally {
    client.disconnect()
  }
}

describe("the README's least rights", () => {
  test('are enough for ioredis and node-redis', async () => {
    await asUser(rules, async (client) => everything(redis({ client })))
    await server.call('FLUSHALL')
    const nodeRedis = createClient({ socket: { port: server.port, host }, ...login })
    await nodeRedis.connect()
    await expect(everything(redis({ client: fromNodeRedis(nodeRedis) }))).resolves.toBeUndefined()
    nodeRedis.destroy()
  })

  test('are enough on the keys that it names', async () => {
    await asUser(rules.replace('~*', '~post:* ~~spillway~directory'), async (client) => {
      await everything(redis({ client }))
      await expect(addOne(redis({ client }), 'user:1', 1)).rejects.toMatchObject({
        kind: 'rejected',
        message: /NOPERM/,
      })
    })
  })

  test('are enough to adopt a counter with what it adds for that', async () => {
    await server.call('SET', 'post:9', '41', 'EX', '1000')
    await asUser(`${rules} ${adopting}`, async (client) => {
      const backend = redis({ client, adoptStringAs: 'total' })
      expect(await totalIn(backend, 'post:9')).toBe(41)
      await addOne(backend, 'post:9', 1)
      expect(await totalIn(backend, 'post:9')).toBe(42)
    })
  })

  // Without SCRIPT LOAD the whole script is sent; without HRANDFIELD forgotten writers stay until somebody may remove them, and
  // without ZCARD what tells whose the last item's key was.
  const dispensable = ['+script|load', '+hrandfield', '+zcard']

  test.each(commands.filter((command) => !dispensable.includes(command)))(
    'hold nothing in vain: %s',
    async (command) => {
      await asUser(rules.replace(` ${command}`, ''), async (client) => {
        const error: unknown = await everything(redis({ client })).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ kind: expect.stringMatching(/rejected|unknown/) as string })
      })
    },
  )

  test.each(commands)('leave nothing half done when one is missing: %s', async (command) => {
    await server.call('SET', 'counter', '5', 'EX', '1000')
    for (const key of ['post:1', 'expiring']) await server.call('HSET', key, 'total', '5')
    for (const key of ['post:1', 'expiring', 'counter']) {
      await asUser(`${rules} ${adopting} -${command.slice(1)}`, async (client) => {
        const backend = redis({ client, adoptStringAs: 'total' })
        const outcome = await writeTwo(backend, key).then(
          () => 'done',
          (error: unknown) => (error as { kind?: string }).kind,
        )
        const stored = await server
          .call('TYPE', key)
          .then(async (type) => (type === 'string' ? server.call('GET', key) : server.call('HGET', key, 'total')))
        expect([outcome, stored]).toEqual(outcome === 'done' ? ['done', '6'] : ['rejected', '5'])
      })
      await asUser(`${rules} ${adopting}`, async (client) => {
        const backend = redis({ client, adoptStringAs: 'total' })
        expect(await writeTwo(backend, key)).toEqual({ status: 'done' })
        expect(await totalIn(backend, key)).toBe(6)
      })
    }
  })

  test.each(commands)('leave no item half changed when one is missing: %s', async (command) => {
    await asUser(rules, (client) => put(redis({ client }), 'old', 1, { is: 'old' }, 'post:7'))
    await server.call('HSET', 'post:8', '~spillway~route', '1:a')
    const changes: readonly (readonly [string, string, (backend: Backend) => Promise<unknown>, unknown])[] = [
      ['post:7', 'new', (backend) => put(backend, 'new', 2, { is: 'new' }, 'post:7'), { is: 'new' }],
      ['post:7', 'old', (backend) => put(backend, 'old', 2, { is: 'new' }, 'post:7'), { is: 'new' }],
      ['post:7', 'old', (backend) => take(backend, 'old', 'tombstone', 3, 60_000, 'post:7'), undefined],
      ['post:7', 'old', (backend) => take(backend, 'old', 'remove', 4, 0, 'post:7'), undefined],
      ['post:8', 'new', (backend) => put(backend, 'new', 2, { is: 'new' }, 'post:8'), { is: 'new' }],
    ]
    for (const [key, sort, change, changed] of changes) {
      const before = await server.call('DUMP', key)
      const outcome = await asUser(`${rules} -${command.slice(1)}`, (client) =>
        change(redis({ client })).then(
          () => 'done',
          (error: unknown) => (error as { kind?: string }).kind,
        ),
      )
      const after = await server.call('DUMP', key)
      const item = await asUser(rules, (client) => itemIn(redis({ client }), sort, key))
      const isDone = outcome === 'done'
      expect([outcome, isDone ? item?.value : after]).toEqual(isDone ? ['done', changed] : ['rejected', before])
    }
  })
})

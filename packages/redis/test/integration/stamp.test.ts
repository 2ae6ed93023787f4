import type { BackendError } from '@spillway/core'
import { startRedis, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis, type RedisOptions } from '../../src/index.js'
import { put } from '../items.js'
import { addOne, call, failureOf, shardOf, totalIn } from '../requests.js'

let server: RedisProcess
let client: Redis

beforeAll(async () => {
  server = await startRedis()
  client = new Redis({ port: server.port, host: '127.0.0.1' })
})
afterAll(async () => {
  client.disconnect()
  await server.close()
})
beforeEach(() => client.flushall())

/** Stamps the key `k`, as whoever is about to spread it does. */
async function stamp(revision: number, options: Omit<RedisOptions, 'client'> = {}): Promise<unknown> {
  const backend = redis({ client, ...options })
  await backend.open?.(call)
  return backend.records.stampRoute?.(shardOf('k'), { revision, text: 'route' }, call)
}

/** What a request is refused with; undefined when it is answered. */
function told(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => undefined,
    (error: unknown) => {
      const { kind, message } = error as BackendError
      return { kind, message }
    },
  )
}

/** Asks whether `k` may be spread; makes sure that nothing is changed by that. */
async function check(options: Omit<RedisOptions, 'client'> = {}): Promise<unknown> {
  const before = [await client.dump('k'), await client.pexpiretime('k')]
  const outcome = await told(redis({ client, ...options }).records.checkSpread!(shardOf('k'), call))
  expect([await client.dump('k'), await client.pexpiretime('k')]).toEqual(before)
  return outcome
}

describe('a key that expires while its other shards stay', () => {
  test.each(['hash', 'counter in a string'])('is not stamped, and so not spread: a %s', async (form) => {
    await (form === 'hash' ? client.hset('k', 'total', '41') : client.set('k', '41'))
    await client.pexpire('k', 60_000)
    const stamping = stamp(1, { adoptStringAs: 'total' })
    expect(await failureOf(stamping)).toMatchObject({ kind: 'invalid', message: /A key with an expiry is not spread/ })
    expect(await client.type('k')).toBe(form === 'hash' ? 'hash' : 'string')
    expect(await client.pttl('k')).toBeGreaterThan(0)
    await client.persist('k')
    await stamp(1, { adoptStringAs: 'total' })
    expect(await client.hgetall('k')).toEqual({ total: '41', '~spillway~route': '1:route' })
  })

  test('is written and read as before', async () => {
    const backend = redis({ client })
    await addOne(backend, 'k', 1)
    await client.pexpire('k', 60_000)
    await addOne(backend, 'k', 2)
    expect(await totalIn(backend, 'k')).toBe(2)
  })

  test('takes no later stamp where it was spread before; the one that it has may be written once more', async () => {
    await stamp(3)
    await client.pexpire('k', 60_000)
    await stamp(3)
    expect(await failureOf(stamp(4))).toMatchObject({ kind: 'invalid' })
    expect(await client.hget('k', '~spillway~route')).toBe('3:route')
  })
})

describe('the stamp of a key that is still a plain string', () => {
  test('adopts a counter as the first write would', async () => {
    await client.set('k', '-9007199254740993')
    await stamp(1, { adoptStringAs: 'total' })
    expect(await client.hgetall('k')).toEqual({ total: '-9007199254740993', '~spillway~route': '1:route' })
  })

  test.each([
    ['that is no number', 'many', 'total', /holds a string that is not a whole number/],
    ['where none is adopted', '41', '', /WRONGTYPE .* a counter with adoptStringAs/],
  ])('is refused by name %s, and the string stays', async (_, text, adoptStringAs, message) => {
    await client.set('k', text)
    expect(await failureOf(stamp(1, { adoptStringAs }))).toMatchObject({ kind: 'invalid', message })
    expect(await client.get('k')).toBe(text)
  })
})

function write(): Promise<unknown> {
  return addOne(redis({ client }), 'k', 1)
}

function putItem(): Promise<unknown> {
  return put(redis({ client }), 'a', 1, { n: 1 }, 'k')
}

function refused(message: RegExp): unknown {
  return { kind: 'invalid', message: expect.stringMatching(message) as string }
}

describe('whoever asks first whether a key may be spread', () => {
  const adopting = { adoptStringAs: 'total' }
  const states: readonly (readonly [string, () => Promise<unknown>, Omit<RedisOptions, 'client'>, unknown])[] = [
    ['nothing', () => Promise.resolve(), {}, undefined],
    ['a hash', write, {}, undefined],
    ['items', putItem, {}, undefined],
    ['an adopted counter', () => client.set('k', '41'), adopting, undefined],
    ['an earlier stamp', () => stamp(3), {}, undefined],
    ['a hash that expires', () => write().then(() => client.expire('k', 60)), {}, refused(/PERSIST/)],
    ['items that expire', () => putItem().then(() => client.expire('k', 60)), {}, refused(/PERSIST/)],
    ['an adopted counter that expires', () => client.set('k', '41', 'EX', 60), adopting, refused(/PERSIST/)],
    ['an earlier stamp that expires', () => stamp(3).then(() => client.expire('k', 60)), {}, refused(/PERSIST/)],
    [
      'a counter that is not adopted',
      () => client.set('k', '41'),
      {},
      refused(/WRONGTYPE .* a counter with adoptStringAs/),
    ],
    ['a text', () => client.set('k', 'many'), adopting, refused(/not a whole number/)],
    ['a list', () => client.rpush('k', 'a'), {}, refused(/WRONGTYPE/)],
    ['a set of scores', () => client.zadd('k', 1, 'a'), {}, refused(/WRONGTYPE/)],
  ]

  test.each(states)(
    'of %s, is told what the stamp would be told, and changes nothing',
    async (_, make, options, refusal) => {
      await make()
      const checked = await check(options)
      expect(checked).toEqual(refusal)
      expect(await told(stamp(4, options))).toEqual(checked)
    },
  )
})

import { at, isBackendError, latest, max, mergeRule, sum, union, type AnyRule, type Backend } from '@spillway/core'
import { startRedis, type RedisProcess } from '@spillway/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis, type RedisOptions } from '../../src/index.js'

let server: RedisProcess
let client: Redis
const call = { signal: new AbortController().signal }

beforeAll(async () => {
  server = await startRedis()
  client = new Redis({ port: server.port, host: '127.0.0.1' })
})
afterAll(async () => {
  client.disconnect()
  await server.close()
})
beforeEach(async () => {
  await client.flushall()
})

function field(name: string, rule: unknown) {
  return { name, rule: rule as AnyRule }
}

function shardOf(key: string) {
  return { key, index: 0, generation: { number: 0, nonce: 0 } }
}

async function opened(options: Omit<RedisOptions, 'client'> = {}): Promise<Backend> {
  const backend = redis({ client, ...options })
  await backend.open?.(call)
  return backend
}

type Change = readonly [ReturnType<typeof field>, unknown]

function write(backend: Backend, key: string, changes: readonly Change[], sequence?: number) {
  const stamp = sequence === undefined ? undefined : { writer: 'w', sequence, forgetUpTo: 0 }
  const states = changes.map(([{ name, rule }, state]) => ({ name, rule, state }))
  return backend.records.write({ shard: shardOf(key), changes: states, stamp }, call)
}

async function statesOf(backend: Backend, key: string, fields: readonly ReturnType<typeof field>[]) {
  const [answer] = await backend.records.read({ shards: [shardOf(key)], fields, consistency: 'strong' }, call)
  return answer?.status === 'read' ? answer.states : answer?.error
}

const views = field('views', sum())
const top = field('top', max())
const title = field('title', latest())
const tags = field('tags', union())

describe('what is adopted', () => {
  test('is a hash with whole numbers, whose other fields are left alone', async () => {
    const backend = await opened()
    await client.hset('post', { views: '41', top: '2.5', name: 'Hot keys' })
    await write(
      backend,
      'post',
      [
        [views, 1],
        [top, 2],
      ],
      5,
    )
    expect(await statesOf(backend, 'post', [views, top])).toEqual([42, 2.5])
    expect(await client.hgetall('post')).toEqual({ views: '42', top: '2.5', name: 'Hot keys', '~spillway~w:w': '5' })
  })

  test('is a counter in a string, where a field is named for it, with its expiry', async () => {
    const backend = await opened({ adoptStringAs: 'views' })
    await client.set('post', '9007199254740993', 'EX', 1_000)
    expect(await statesOf(backend, 'post', [views, top])).toEqual([9_007_199_254_740_993n, undefined])
    await write(backend, 'post', [[views, 1]], 5)
    expect(await statesOf(backend, 'post', [views])).toEqual([9_007_199_254_740_994n])
    expect(await client.ttl('post')).toBeGreaterThan(990)
  })

  test.each([
    ['a string', () => client.set('k', '5'), {}],
    ['a string that is no number, though a field is named', () => client.set('k', 'x'), { adoptStringAs: 'views' }],
    ['a list', () => client.rpush('k', '5'), { adoptStringAs: 'views' }],
    ['a hash whose field is no number', () => client.hset('k', 'views', 'many'), {}],
  ])('is not %s', async (_, prepare, options) => {
    const backend = await opened(options)
    await prepare()
    await expect(write(backend, 'k', [[views, 1]], 5)).rejects.toMatchObject({ kind: 'invalid' })
    await expect(statesOf(backend, 'k', [views])).rejects.toMatchObject({ kind: 'invalid' })
  })
})

describe('a write that cannot be merged', () => {
  test('changes no field, not even one added before, and says which it was', async () => {
    const backend = await opened()
    await write(backend, 'k', [[views, 1]])
    const big = field('big', sum({ type: 'bigint' }))
    await write(backend, 'k', [[big, 2n ** 63n - 1n]])
    const fresh = field('fresh', sum())
    const failing = write(
      backend,
      'k',
      [
        [views, 1],
        [fresh, 1],
        [top, 1],
        [big, 1],
      ],
      5,
    )
    await expect(failing).rejects.toMatchObject({ kind: 'invalid', message: /"big" would leave the range of 64 bits/ })
    expect(await client.hgetall('k')).toEqual({ views: '1', big: '9223372036854775807' })
    expect(await write(backend, 'k', [[views, 1]], 5)).toEqual({ status: 'done' })
  })

  test('is one to a field of another rule', async () => {
    const backend = await opened()
    await client.hset('k', { title: 'plain', tags: 'plain', top: 'plain' })
    for (const change of [
      [top, 1],
      [title, { json: '1', stamp: { timeMs: 1, order: 0, writer: 'w' } }],
      [tags, new Set(['a'])],
    ])
      await expect(write(backend, 'k', [change as unknown as Change])).rejects.toMatchObject({ kind: 'invalid' })
    for (const one of [top, title, tags])
      await expect(statesOf(backend, 'k', [one])).rejects.toMatchObject({ kind: 'invalid' })
  })
})

describe('the number of fields', () => {
  test('of one request is a thousand at most, and all of them are written or none', async () => {
    const backend = await opened()
    const fields = Array.from({ length: 1_000 }, (_, i) => field(`f${i}`, i % 2 === 0 ? sum() : max()))
    await write(
      backend,
      'k',
      fields.map((one) => [one, 1] as const),
      1,
    )
    expect(await statesOf(backend, 'k', fields)).toEqual(fields.map(() => 1))
    const contents = await backend.records.seal(shardOf('other'), fields, call)
    expect(contents.states).toHaveLength(1_000)
    const more = [...fields, views]
    const message = /at most 1000 fields, but came with 1001/
    const writing = write(
      backend,
      'k',
      more.map((one) => [one, 1] as const),
      2,
    )
    await expect(writing).rejects.toMatchObject({ kind: 'invalid', message })
    await expect(backend.records.seal(shardOf('k'), more, call)).rejects.toMatchObject({ kind: 'invalid', message })
    expect(await client.hlen('k')).toBe(1_001) // the fields and their writer
  })
})

describe('merging in the script', () => {
  test('decides between equal stamps as JavaScript does, beyond the basic plane as well', async () => {
    const backend = await opened()
    const values = ['a', 'b', '', 'ab', '\uE000', '\uFFFD', '\uD7FF', '👋', '👋a', 'é', 'z']
    for (const a of values) {
      for (const b of values) {
        const [x, y] = [a, b].map((value) =>
          title.rule.prepare(at(value, 1), {
            field: '',
            integerMax: 1n,
            stamps: { writer: 'w', next: () => ({ timeMs: 1, order: 0, writer: 'w' }) },
          }),
        )
        await client.del('k')
        await write(backend, 'k', [[title, x]])
        await write(backend, 'k', [[title, y]])
        expect(await statesOf(backend, 'k', [title])).toEqual([title.rule.merge(x, y)])
      }
    }
  })

  test("takes a user's own merge only on what it was merged with, also where that is no text", async () => {
    const backend = await opened()
    const list = field(
      'list',
      mergeRule<string>({ empty: '', merge: (a, b) => [a, b].toSorted().join(''), encode: (s) => s, decode: (s) => s }),
    )
    await client.call('hset', 'k', 'list', Buffer.from([0xff, 0xfe]))
    await write(backend, 'k', [[list, 'x']])
    expect(await client.hget('k', 'list')).toContain('x')
  })

  test('adds floats as JavaScript does', async () => {
    const backend = await opened()
    const float = field('float', sum({ type: 'float' }))
    for (const value of [0.1, 0.2, 1e-30, 1e21]) await write(backend, 'k', [[float, value]])
    expect(await statesOf(backend, 'k', [float])).toEqual([0.1 + 0.2 + 1e-30 + 1e21])
    await write(backend, 'x', [[float, Number.MAX_VALUE]])
    await expect(write(backend, 'x', [[float, Number.MAX_VALUE]])).rejects.toMatchObject({ kind: 'invalid' })
  })
})

describe('the scripts', () => {
  test('survive SCRIPT FLUSH and a Redis that never knew them', async () => {
    const backend = await opened()
    await write(backend, 'k', [[views, 1]], 5)
    await client.script('FLUSH')
    await Promise.all([6, 7, 8].map((sequence) => write(backend, `k${sequence}`, [[views, 1]], sequence)))
    await write(backend, 'k', [[views, 1]], 6)
    expect(await statesOf(backend, 'k', [views])).toEqual([2])
  })

  test('forget writers in passing, so that a shard stays small', async () => {
    const backend = await opened()
    const states = [{ ...views, state: 1 }]
    for (let i = 1; i <= 400; i++)
      await backend.records.write(
        {
          shard: shardOf('k'),
          changes: states,
          stamp: { writer: `w${i}`, sequence: i * 10, forgetUpTo: i * 10 - 100 },
        },
        call,
      )
    expect(await statesOf(backend, 'k', [views])).toEqual([400])
    expect(await client.hlen('k')).toBeLessThan(40)
  })
})

describe('what is refused', () => {
  test('is a cluster that reads from replicas, a replica, and a prefix', () => {
    const options = { port: server.port, host: '127.0.0.1', lazyConnect: true }
    const cluster = new Cluster([options], { scaleReads: 'slave', lazyConnect: true })
    expect(() => redis({ client: cluster })).toThrow(/scaleReads must be 'master'/)
    expect(() => redis({ client: new Redis({ ...options, keyPrefix: 'app:' }) })).toThrow(/keyPrefix must be empty/)
    expect(() => redis({ client: new Redis({ ...options, role: 'slave' }) })).toThrow(/role must be 'master'/)
  })

  test('is a Redis that may evict any key', async () => {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const error = await opened().catch((reason: unknown) => reason)
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect(isBackendError(error) && error.kind).toBe('invalid')
    expect(String(error)).toMatch(/allkeys-lru/)
  })

  test('by Redis for lack of memory is rejected, and nothing was done', async () => {
    const backend = await opened()
    await write(backend, 'k', [[views, 1]], 1)
    await client.config('SET', 'maxmemory', '1')
    const error = await write(backend, 'k', [[views, 1]], 2).catch((reason: unknown) => reason)
    await client.config('SET', 'maxmemory', '0')
    expect(isBackendError(error) && error.kind).toBe('rejected')
    expect(await statesOf(backend, 'k', [views])).toEqual([1])
  })
})

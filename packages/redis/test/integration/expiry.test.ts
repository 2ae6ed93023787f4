import { isBackendError, max, sum, type AnyRule, type FieldChange } from '@spillway/core'
import { startRedis, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis, type RedisOptions } from '../../src/index.js'
import { placeOf } from '../../src/physical-key.js'
import { call, shardOf, total, totalIn } from '../requests.js'

const top = { name: 'top', rule: max() as unknown as AnyRule }
const float = { name: 'float', rule: sum({ type: 'float' }) as unknown as AnyRule }
const own = { name: '~spillway~mine', rule: sum() as unknown as AnyRule }

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

interface Writing {
  readonly index?: number
  readonly sequence?: number
  readonly expiresInMs?: number
}

async function write(changes: readonly FieldChange[], writing: Writing = {}, options: Partial<RedisOptions> = {}) {
  const { index = 0, sequence, expiresInMs } = writing
  const stamp = sequence === undefined ? undefined : { writer: 'w', sequence, forgetUpTo: 0 }
  return redis({ client, ...options }).records.write({ shard: shardOf('k', index), changes, stamp, expiresInMs }, call)
}

describe('a write that expires', () => {
  const whole = { ...total, state: 1 }
  const others = [
    { ...top, state: 1 },
    { ...float, state: 1 },
  ]
  test.each<[string, readonly FieldChange[], Writing, Partial<RedisOptions>]>([
    ['a whole number to shard 0', [whole], {}, {}],
    ['a whole number to another shard', [whole], { index: 1 }, {}],
    ['a whole number with a number of its writer', [whole], { sequence: 1 }, {}],
    ['fields that are no whole numbers', others, {}, {}],
    ['fields of all kinds', [whole, ...others], { index: 1, sequence: 1 }, {}],
    ['a whole number where strings are adopted', [whole], {}, { adoptStringAs: 'total' }],
  ])('takes its place away when its time is over, be it %s', async (_, changes, writing, options) => {
    const place = placeOf(shardOf('k', writing.index))
    expect(await write(changes, { ...writing, expiresInMs: 60_000.4 }, options)).toEqual({ status: 'done' })
    expect(await client.pttl(place)).toBeGreaterThan(55_000)
    expect(await client.pttl(place)).toBeLessThanOrEqual(60_001)
    await client.pexpire(place, 1_000_000)
    await write(changes, { ...writing, sequence: 2, expiresInMs: 90_000 }, options)
    expect(await client.pttl(place)).toBeLessThanOrEqual(90_000)
    await write(changes, { ...writing, sequence: 3 }, options)
    expect(await client.pttl(place)).toBeGreaterThan(85_000)
    expect(await client.hlen(place)).toBe(changes.length + 1)
  })

  test('that is refused sets no time', async () => {
    await redis({ client }).records.seal(shardOf('k', 1), [total], call)
    expect(await write([whole], { index: 1, expiresInMs: 1_000 })).toEqual({ status: 'sealed' })
    await client.hset('k', 'total', 'text', 'top', '1')
    for (const changes of [[whole], [whole, ...others]])
      expect(isBackendError(await write(changes, { expiresInMs: 1_000 }).catch((error: unknown) => error))).toBe(true)
    expect(await Promise.all(['k', placeOf(shardOf('k', 1))].map((place) => client.pttl(place)))).toEqual([-1, -1])
  })

  test('gives way to the retention of what is cleared, which begins with the first clear', async () => {
    const { records } = redis({ client })
    const place = placeOf(shardOf('k', 1))
    await write([whole], { index: 1, expiresInMs: 60_000 })
    await records.seal(shardOf('k', 1), [total], call)
    await records.clear(shardOf('k', 1), 3_600_000, call)
    expect(await client.pttl(place)).toBeGreaterThan(3_500_000)
    await client.pexpire(place, 1_000_000)
    await records.clear(shardOf('k', 1), 3_600_000, call)
    expect(await client.pttl(place)).toBeLessThanOrEqual(1_000_000)
  })
})

test('a seal names the fields that it was not asked for, by their own names, and nothing of Spillway’s', async () => {
  const { records } = redis({ client })
  await write(
    [total, top, own].map((field) => ({ ...field, state: 1 })),
    { index: 1, sequence: 1 },
  )
  await records.absorb(
    { target: shardOf('k', 1), source: shardOf('k', 3), contents: { status: 'read', states: [1] }, fields: [total] },
    call,
  )
  const first = await records.seal(shardOf('k', 1), [top], call)
  expect(first.otherFields?.toSorted()).toEqual(['total', '~spillway~mine'])
  expect(await records.seal(shardOf('k', 1), [own, top, total], call)).toMatchObject({
    states: [1, 1, 2],
    otherFields: undefined,
  })
  expect((await records.seal(shardOf('k', 2), [top], call)).otherFields).toBeUndefined()
  expect(await totalIn(redis({ client }), 'k', 1)).toBe(2)
})

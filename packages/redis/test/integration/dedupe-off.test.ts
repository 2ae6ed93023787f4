import { createClient, latest, max, sum, type AnyRule } from '@spillway/core'
import { startFaultProxy, startRedis, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis, type RedisOptions } from '../../src/index.js'
import { opened } from '../clients.js'
import { increment, openMember, totalOf } from '../fleet.js'
import { addOne, call, shardOf, total, totalIn } from '../requests.js'

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
beforeEach(async () => {
  await client.flushall()
  await client.config('RESETSTAT')
})

async function openedBackend(options: Omit<RedisOptions, 'client'> = {}) {
  const backend = redis({ client, ...options })
  await backend.open?.(call)
  return backend
}

/** How often a command was called, scripts' own calls among it. */
async function callsOf(command: string): Promise<number> {
  const stats = await client.info('commandstats')
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0)
}

const other = { name: 'other', rule: sum() as AnyRule }
const big = { name: 'big', rule: sum({ type: 'bigint' }) as unknown as AnyRule }

describe('a write that needs no dedupe', () => {
  test('is a bare HINCRBY when it adds to one field of the key itself, and leaves nothing else there', async () => {
    const backend = await openedBackend()
    expect(await addOne(backend, 'k')).toEqual({ status: 'done' })
    expect(await addOne(backend, 'k')).toEqual({ status: 'done' })
    expect(await client.hgetall('k')).toEqual({ total: '2' })
    expect([await callsOf('hincrby'), await callsOf('evalsha')]).toEqual([2, 0])
  })

  test('is a script elsewhere, so that the seal holds', async () => {
    const backend = await openedBackend()
    await addOne(backend, 'k', undefined, 1)
    await backend.records.seal(shardOf('k', 1), [total], call)
    expect(await addOne(backend, 'k', undefined, 1)).toEqual({ status: 'sealed' })
    expect(await totalIn(backend, 'k', 1)).toBe(1)
  })

  test('is all fields or none', async () => {
    const backend = await openedBackend()
    await client.hset('k', { total: '1', big: '9223372036854775807' })
    const changes = [total, other, big].map((field) => ({ ...field, state: 1 }))
    const failing = backend.records.write({ shard: shardOf('k'), changes, stamp: undefined }, call)
    await expect(failing).rejects.toMatchObject({ kind: 'invalid', message: /"big" would leave the range of 64 bits/ })
    expect(await client.hgetall('k')).toEqual({ total: '1', big: '9223372036854775807' })
  })

  test.each([
    ['text', 'many', /"total" is stored as something else than a whole number. Nothing was changed/],
    ['the greatest number', '9223372036854775807', /"total" would leave the range of 64 bits. Nothing was changed/],
  ])('is refused by name where the field holds %s', async (_, value, message) => {
    const backend = await openedBackend()
    await client.hset('k', 'total', value)
    await expect(addOne(backend, 'k')).rejects.toMatchObject({ kind: 'invalid', message })
    expect(await client.hget('k', 'total')).toBe(value)
  })

  test('adopts a counter in a string, and is refused at any other type', async () => {
    const backend = await openedBackend({ adoptStringAs: 'total' })
    await client.set('k', '41')
    await client.rpush('list', 'x')
    await addOne(backend, 'k')
    expect(await client.hgetall('k')).toEqual({ total: '42' })
    await expect(addOne(backend, 'list')).rejects.toMatchObject({ kind: 'invalid', message: /WRONGTYPE/ })
  })

  test('that would count again whenever replicas are late is refused where they are waited for', async () => {
    const backend = await openedBackend({ writeReplicas: 1, replicaWaitMs: 10 })
    const message = /writeReplicas }\) must be 0 for records with dedupe: false and a field such as "total", but is 1/
    await expect(addOne(backend, 'k')).rejects.toMatchObject({ kind: 'invalid', message })
    expect(await client.exists('k')).toBe(0)
    const changes = [{ name: 'top', rule: max() as unknown as AnyRule, state: 1 }]
    const idempotent = backend.records.write({ shard: shardOf('k'), changes, stamp: undefined }, call)
    await expect(idempotent).rejects.toMatchObject({ kind: 'unknown', message: /0 of 1 replicas/ })
  })

  test('is what a record declared without dedupe writes, but for fields of other rules', async () => {
    const spillway = await createClient({ backend: redis({ client }) })
    const rough = spillway.records('rough', { views: sum() }, { dedupe: false })
    const mixed = spillway.records('mixed', { hits: sum(), title: latest<string>() }, { dedupe: false })
    await rough.write('k', { views: 2 })
    await mixed.write('m', { hits: 1, title: 'a' })
    expect(await client.hgetall('k')).toEqual({ views: '2' })
    expect(Object.keys(await client.hgetall('m')).toSorted()).toEqual(['hits', 'title'])
    expect(await mixed.read('m')).toEqual({ hits: 1, title: 'a' })
    await spillway.close()
  })
})

/** Adds 600 through connections of which one in five is cut before its answer. */
async function run(dedupe: boolean) {
  await server.call('FLUSHALL')
  const proxy = await startFaultProxy({ port: server.port, seed: 3 })
  const soon = { port: proxy.port, host: '127.0.0.1', retryStrategy: () => 5 }
  const member = await openMember(await opened(new Redis(soon)), { dedupe })
  proxy.faults = { cutBeforeAnswer: 0.2 }
  const tally = await increment(member, 'hot', 600, 1)
  proxy.faults = {}
  const stored = await totalOf(member, 'hot')
  await member.close()
  const { faultCount } = proxy
  await proxy.close()
  return { tally, stored, faultCount }
}

describe('connections that are cut before the answer', () => {
  test('count double without dedupe, and once with it', async () => {
    const without = await run(false)
    const withIt = await run(true)
    console.info(`without dedupe ${JSON.stringify(without)}, with ${JSON.stringify(withIt)}`)
    for (const { tally, faultCount } of [without, withIt]) {
      expect(tally).toEqual({ acknowledged: 600, unknown: 0, rejected: 0 })
      expect(faultCount).toBeGreaterThan(20)
    }
    expect(without.stored).toBeGreaterThan(620)
    expect(withIt.stored).toBe(600)
  })
})

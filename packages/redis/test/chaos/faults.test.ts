import { startFaultProxy, startRedis, type FaultProxy, type ProxyFaults, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { connected, opened, type Opened } from '../clients.js'
import { added, increment, openMember, totalOf } from '../fleet.js'

let server: RedisProcess
let proxy: FaultProxy

beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => {
  await server.close()
})

const host = '127.0.0.1'
const soon = { host, retryStrategy: () => 10 }

const clients: readonly (readonly [string, (port: number) => Promise<Opened>])[] = [
  ['ioredis 6, which sends again by itself', (port) => opened(new Redis({ port, ...soon }))],
  ['ioredis 6, which does not', (port) => opened(new Redis({ port, ...soon, autoResendUnfulfilledCommands: false }))],
  ['ioredis 5, which sends again by itself', (port) => opened(new Redis5({ port, ...soon }))],
  ['ioredis 5, which does not', (port) => opened(new Redis5({ port, ...soon, autoResendUnfulfilledCommands: false }))],
  ['node-redis 6', (port) => connected(createClient({ socket: { port, host, reconnectStrategy: 10 } }))],
  ['node-redis 5', (port) => connected(createClient5({ socket: { port, host, reconnectStrategy: 10 } }))],
]

const faults: readonly (readonly [string, ProxyFaults])[] = [
  ['cut before the answer', { cutBeforeAnswer: 0.06 }],
  [
    'cut before the request, cut before the answer, half-closed and delayed',
    {
      cutBeforeRequest: 0.03,
      cutBeforeAnswer: 0.03,
      halfClose: 0.01,
      delay: 0.01,
      delayMs: 20,
    },
  ],
]

describe.each(clients)('through %s', (name, open) => {
  test.each(faults)('totals are exact while connections are %s', async (_, someFaults) => {
    await server.call('FLUSHALL')
    proxy = await startFaultProxy({ port: server.port, seed: 7 })
    const members = await Promise.all(
      [0, 1, 2].map(async () =>
        openMember(await open(proxy.port), { sharding: { rules: [{ match: 'hot', fanout: 4 }] } }),
      ),
    )
    proxy.faults = someFaults
    const tally = added(await Promise.all(members.map((member) => increment(member, 'hot', 1_000))))
    proxy.faults = {}
    const total = await totalOf(members[0]!, 'hot')
    const places = (await server.call('KEYS', 'hot~spillway~*')) as string[]
    await Promise.all(members.map((member) => member.close()))
    await proxy.close()

    console.info(
      `${name}: ${proxy.faultCount} faults, ${JSON.stringify(tally)}, total ${total}, ${places.length} more shards`,
    )
    expect(proxy.faultCount).toBeGreaterThan(20)
    expect(total).toBeGreaterThanOrEqual(tally.acknowledged)
    expect(total).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
    expect(tally).toEqual({ acknowledged: 3_000, unknown: 0, rejected: 0 })
  })
})

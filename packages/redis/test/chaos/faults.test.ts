import { startFaultProxy, startRedis, type FaultProxy, type RedisProcess } from '@spillway/testkit'
import { Redis as Valkey } from 'iovalkey'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { connected, opened, type Opened } from '../clients.js'
import { addThrough, changeCount, cutBeforeAnswer, everything, type Between } from '../faulty-run.js'

let server: RedisProcess
let proxy: FaultProxy

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())
beforeEach(async () => {
  await server.call('FLUSHALL')
  proxy = await startFaultProxy({ port: server.port, seed: 7 })
})
afterEach(() => proxy.close())

const between: Between = {
  get faultCount() {
    return proxy.faultCount
  },
  strike(faults) {
    proxy.faults = faults
  },
}

const host = '127.0.0.1'
const soon = { host, retryStrategy: () => 10 }
const once = { ...soon, autoResendUnfulfilledCommands: false }
const often = { host, reconnectStrategy: 10 }

const clients: readonly (readonly [string, (port: number) => Promise<Opened>])[] = [
  ['ioredis 6, which sends again by itself', (port) => opened(new Redis({ port, ...soon }))],
  ['ioredis 6, which does not', (port) => opened(new Redis({ port, ...once }))],
  ['ioredis 5, which sends again by itself', (port) => opened(new Redis5({ port, ...soon }))],
  ['ioredis 5, which does not', (port) => opened(new Redis5({ port, ...once }))],
  ['iovalkey, which sends again by itself', (port) => opened(new Valkey({ port, ...soon }))],
  ['iovalkey, which does not', (port) => opened(new Valkey({ port, ...once }))],
  ['node-redis 6', (port) => connected(createClient({ socket: { port, ...often } }))],
  ['node-redis 5', (port) => connected(createClient5({ socket: { port, ...often } }))],
]

describe.each(clients)('in front of Redis, with %s', (name, open) => {
  test.each([
    ['cut before the answer', cutBeforeAnswer],
    ['cut before the request or the answer, half-closed and delayed', everything],
  ])('totals are exact while connections are %s', async (_, faults) => {
    const { tally, stored, faultCount } = await addThrough(between, () => open(proxy.port), faults, { fanout: 4 })
    console.info(`${name}: ${faultCount} faults, ${JSON.stringify(tally)}, total ${stored}`)
    expect(faultCount).toBeGreaterThan(20)
    expect(stored).toBe(changeCount)
    expect(tally).toEqual({ acknowledged: changeCount, unknown: 0, rejected: 0 })
  })
})

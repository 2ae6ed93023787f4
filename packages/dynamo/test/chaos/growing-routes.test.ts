import { createClient, max, sum, type Client, type ClientOptions } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { pause, waitUntil } from '@spillway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const routing = { refreshMs: 100, leaseMs: 500 }
const patienceMs = 50_000 // other work on the machine may slow this down tenfold
let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ seed: 7, partitions: { count: 4, writeUnitsPerSecond: 100, readUnitsPerSecond: 400 } })
})

afterAll(() => behind.close())

function open(table: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  const backend = dynamo({ client: behind.client({ maxAttempts: 2 }), table })
  return createClient({ backend, routing, collapse: { windowMs: 5 }, ...options })
}

/** How many shards the directory says are written. */
async function fanoutOf(table: string, key: string): Promise<number> {
  const { text } = await dynamo({ client: behind.direct, table }).directory.read(call)
  const { routes } = JSON.parse(text ?? '{"routes":[]}') as { routes: [string, string, number, number][] }
  const route = routes.find(([name]) => name === key)
  return route?.[1] === 'active' ? route[3] : 1
}

describe('several clients on one table', () => {
  test(
    'keep the total exact while a declared route grows from 1 to 4 to 16, with faults all along',
    { timeout: 180_000 },
    async () => {
      const table = await newTable(behind.direct)
      const clients = [await open(table), await open(table)]
      const over = new AbortController()
      let [acknowledged, unknown] = [0, 0]
      const writeOn = async (client: Client) => {
        const counters = client.records('counter', { views: sum(), highest: max() })
        while (!over.signal.aborted) {
          await counters.write('hot', { views: 1, highest: acknowledged }).then(
            () => (acknowledged += 1),
            () => (unknown += 1),
          )
          await pause(2)
        }
      }
      behind.gateway.faults = {
        errorAfterEffect: 0.03,
        resetAfterEffect: 0.03,
        leaveOut: 0.05,
        operations: ['UpdateItem', 'BatchGetItem'],
      }
      const work = clients.map(writeOn)
      for (const fanout of [4, 16]) {
        const client = await open(table, { sharding: { rules: [{ match: 'hot', fanout }] } })
        clients.push(client)
        work.push(writeOn(client))
        await waitUntil(
          `the route has ${fanout} shards`,
          async () => (await fanoutOf(table, 'hot')) === fanout,
          patienceMs,
        )
        const before = acknowledged
        await waitUntil('its shards have been written', () => acknowledged >= before + 60, patienceMs)
      }
      over.abort()
      await Promise.all(work)
      behind.gateway.faults = {}
      for (const client of clients) {
        const { views } = await client.records('counter', { views: sum(), highest: max() }).read('hot')
        expect(views).toBeGreaterThanOrEqual(acknowledged)
        expect(views).toBeLessThanOrEqual(acknowledged + unknown)
      }
      await Promise.all(clients.map((client) => client.close()))
    },
  )

  test('spread a key by its heat, and lose nothing', { timeout: 180_000 }, async () => {
    const table = await newTable(behind.direct)
    const slow = { writeUnitsPerSecond: 6, readUnitsPerSecond: 400 }
    const openHot = () => {
      const backend = dynamo({ client: behind.client({ maxAttempts: 1 }), table })
      const capabilities = { ...backend.capabilities, partition: slow }
      return createClient({ backend: { ...backend, capabilities }, routing, collapse: { windowMs: 5 } })
    }
    const clients = await Promise.all([openHot(), openHot(), openHot()])
    const over = new AbortController()
    let acknowledged = 0
    const work = clients.map(async (client) => {
      const counters = client.records('counter', { views: sum() })
      while (!over.signal.aborted) {
        await counters.write('hot', { views: 1 })
        acknowledged += 1
      }
    })
    await waitUntil('the key is spread', async () => (await fanoutOf(table, 'hot')) > 1, patienceMs)
    const before = acknowledged
    await waitUntil('its shards have been written', () => acknowledged >= before + 60, patienceMs)
    over.abort()
    await Promise.all(work)
    const { views } = await clients[0].records('counter', { views: sum() }).read('hot')
    expect(views).toBe(acknowledged)
    await Promise.all(clients.map((client) => client.close()))
  })
})

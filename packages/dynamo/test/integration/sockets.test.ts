import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { sum } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { waitUntil } from '@spillway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { FetchClient } from '../fixtures/fetch-client.js'
import { call, field, own } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('total', sum())
let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ faults: { delayMsMax: 20, operations: ['GetItem'] } })
})

afterAll(() => behind.close())

/** Reads so many keys at once, and answers with what the channel said meanwhile. */
async function told(client: Parameters<typeof dynamo>[0]['client'], count: number): Promise<object[]> {
  const table = await newTable(behind.direct)
  const { records } = dynamo({ client, table })
  const events: object[] = []
  const listener = (event: unknown) => events.push(event as object)
  subscribe('spillway:sockets-full', listener)
  try {
    const read = (i: number) => records.read({ shards: [own(`k${i}`)], fields: [total], consistency: 'strong' }, call)
    await Promise.all(Array.from({ length: count }, (_, i) => read(i)))
  } finally {
    unsubscribe('spillway:sockets-full', listener)
  }
  return events.map((event) => ({ ...event, table: (event as { table: string }).table === table }))
}

test('requests that wait for a socket are told of: on a channel each time, and to the process once', async () => {
  const warnings: (Error & { code?: string })[] = []
  const listener = (warning: Error) => warnings.push(warning)
  process.on('warning', listener)
  try {
    const client = behind.client({ requestHandler: { httpAgent: { maxSockets: 3 } } })
    const events = await told(client, 12)
    expect(events.length).toBeGreaterThan(2)
    for (const event of events)
      expect(event).toEqual({ table: true, waiting: expect.any(Number) as number, socketsMax: 3 })
    const ours = () => warnings.filter(({ code }) => code === 'SPILLWAY_SOCKETS_FULL')
    await waitUntil('the warning is there', () => ours().length > 0, 5_000)
    expect(ours()).toHaveLength(1)
    expect(ours()[0]?.message).toContain('3 sockets')
  } finally {
    process.off('warning', listener)
  }
})

test('as many requests as there are sockets are not complained of, nor a client that shows none', async () => {
  expect(await told(behind.client({ requestHandler: { httpAgent: { maxSockets: 12 } } }), 12)).toEqual([])
  expect(await told(new FetchClient(behind.gateway.endpoint), 60)).toEqual([])
})

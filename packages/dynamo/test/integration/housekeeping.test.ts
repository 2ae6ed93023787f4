import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { sum } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('views', sum())
const stepN = 1_031 // about a second
let behind: Behind
let client: ReturnType<Behind['client']>

beforeAll(async () => {
  behind = await startBehind()
  client = behind.client()
})

beforeEach(() => behind.gateway.requests.clear())

afterAll(() => behind.close())

function updates(): number {
  return behind.gateway.requests.get('UpdateItem') ?? 0
}

async function itemIn(table: string) {
  const read = new GetItemCommand({ TableName: table, Key: { pk: { S: 'k' } }, ConsistentRead: true })
  return (await client.send(read)).Item ?? {}
}

function writersIn(item: object): number {
  return Object.keys(item).filter((name) => name.startsWith('~w')).length
}

test('what an item keeps is bounded, though 500 processes wrote it once each and never came back', async () => {
  const table = await newTable(client)
  const writes = 500
  let writersMax = 0
  for (let n = 0; n < writes; n++) {
    const backend = dynamo({ client, table }) // a process of its own
    const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * stepN, (n - 1) * stepN) }
    expect((await backend.records.write(write, call)).status).toBe('done')
    await backend.close?.()
    if (n % 10 === 9) writersMax = Math.max(writersMax, writersIn(await itemIn(table)))
  }
  expect((await itemIn(table))['views']).toEqual({ N: String(writes) })
  expect(writersMax).toBeLessThan(100) // 100 of them are 2.3 KB
  expect(updates()).toBeGreaterThan(writes)
  // Which numbers look is a matter of chance, here the same each time: one in sixteen on the average.
  expect(updates()).toBeLessThanOrEqual(writes + (writes / 16) * 1.25)
})

test('of one process is at most one write in sixteen', async () => {
  const table = await newTable(client)
  const backend = dynamo({ client, table })
  const writes = 320
  for (let n = 1; n <= writes; n++) {
    const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * stepN, (n - 1) * stepN) }
    await backend.records.write(write, call)
  }
  await backend.close?.()
  expect(updates()).toBeGreaterThan(writes)
  expect(updates()).toBeLessThanOrEqual(writes + writes / 16 + 1) // the first is given in advance
})

test('forgets nobody who wrote within the horizon, and raises what counts as forgotten to the last whom it forgot', async () => {
  const table = await newTable(client)
  const backend = dynamo({ client, table })
  for (let n = 1; n <= 64; n++) {
    const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * stepN, 10 * stepN) }
    await backend.records.write(write, call)
  }
  await backend.close?.()
  const item = await itemIn(table)
  expect(writersIn(item)).toBe(54)
  expect(item['~g']).toEqual({ N: String(stamp('w10', 10 * stepN).sequence) })
  const again = await backend.records.write(
    { shard: own('k'), changes: [change(total, 1)], stamp: stamp('w10', 10 * stepN) },
    call,
  )
  expect(again).toMatchObject({ status: 'expired', forgottenUpTo: stamp('w10', 10 * stepN).sequence })
})

test('a store that does not answer to housekeeping is not asked ever more', async () => {
  const table = await newTable(client)
  const backend = dynamo({ client: behind.client({ maxAttempts: 1 }), table })
  const write = (n: number) =>
    backend.records.write(
      { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * stepN, (n - 1) * stepN) },
      call,
    )
  for (let n = 1; n <= 20; n++) await write(n)
  await backend.close?.()
  behind.gateway.faults = { throttle: 1, operations: ['UpdateItem'] }
  for (let n = 21; n <= 60; n++) await expect(write(n)).rejects.toMatchObject({ kind: 'throttled' })
  behind.gateway.faults = {}
  const before = updates()
  for (let n = 61; n <= 300; n++) await write(n)
  await backend.close?.()
  expect(updates() - before).toBeLessThanOrEqual(240 + 240 / 16 + 4) // no more than was saved up
})

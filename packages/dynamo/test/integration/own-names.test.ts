import { GetItemCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import { max, mergeRule, sum, type Absorb, type FieldChange } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('total', sum())
const best = field('best', max())
const product = field(
  'product',
  mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
)
let behind: Behind
let client: ReturnType<Behind['client']>
let table: string

beforeAll(async () => {
  behind = await startBehind()
  client = behind.client()
  table = await newTable(behind.direct)
})

beforeEach(() => behind.gateway.requests.clear())

afterAll(() => behind.close())

const Key = { pk: { S: 'k' } }

function put(attributes: Record<string, AttributeValue>): Promise<unknown> {
  return behind.direct.send(new PutItemCommand({ TableName: table, Item: { ...Key, ...attributes } }))
}

async function stored(): Promise<Record<string, AttributeValue> | undefined> {
  return (await behind.direct.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
}

function write(...changes: FieldChange[]) {
  return dynamo({ client, table }).records.write({ shard: own('k'), changes, stamp: stamp('w', 5) }, call)
}

describe('an item of before with an attribute named like one of Spillway’s own', () => {
  test.each([
    ['~g', change(total, 1), 'UpdateItem'],
    ['~ww', change(total, 1), 'UpdateItem'],
    ['~r', change(product, 2), 'GetItem'],
  ])(
    '%s, of another type, fails a write as invalid with one request and the name in the message',
    async (name, changed, request) => {
      await put({ [name]: { S: 'mine' }, views: { N: '3' } })
      await expect(write(changed)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining(`"${name}"`) as string,
      })
      expect((behind.gateway.requests.get('UpdateItem') ?? 0) + (behind.gateway.requests.get('GetItem') ?? 0)).toBe(1)
      expect(behind.gateway.requests.get(request)).toBe(1)
      expect(await stored()).toEqual({ ...Key, [name]: { S: 'mine' }, views: { N: '3' } })
    },
  )

  test('~a, of another type, takes in no shard, and is not overwritten', async () => {
    await put({ '~a': { N: '1' } })
    const absorb: Absorb = {
      target: own('k'),
      source: { key: 'k', index: 1, generation: { number: 7, nonce: 7 } },
      contents: { status: 'read', states: [4] },
      fields: [total],
    }
    await expect(dynamo({ client, table }).records.absorb(absorb, call)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('"~a"') as string,
    })
    expect(await stored()).toEqual({ ...Key, '~a': { N: '1' } })
  })

  test('~z, is not taken for sealed by a change that loses, nor cleared: shard 0 has no seal', async () => {
    await put({ '~z': { S: 'mine' }, best: { N: '9' } })
    expect(await write(change(best, 3))).toMatchObject({ status: 'done' })
    const clear = dynamo({ client, table }).records.clear(own('k'), 1_000, call)
    await expect(clear).rejects.toMatchObject({ kind: 'rejected' })
    expect(await stored()).toEqual({ ...Key, '~z': { S: 'mine' }, best: { N: '9' } })
  })

  test('~w of another writer, of another type, is left alone by the housekeeping of a write that is in', async () => {
    await put({ '~wother': { S: 'mine' }, '~g': { S: 'mine' }, '~ww': { N: '1' } })
    const backend = dynamo({ client, table })
    for (let n = 1; n <= 64; n++) {
      const asked = { shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', n, n - 1) }
      expect(await backend.records.write(asked, call)).toMatchObject({ status: 'done' })
    }
    await backend.close?.()
    expect(await stored()).toMatchObject({ '~wother': { S: 'mine' }, '~g': { S: 'mine' }, total: { N: '64' } })
  })
})

test('rivals of a rule of the user’s own, all at once, lose nothing', async () => {
  await put({})
  const rivals = Array.from({ length: 8 }, (_, i) =>
    dynamo({ client, table }).records.write(
      { shard: own('k'), changes: [change(product, 2)], stamp: stamp(`w${i}`, 1) },
      call,
    ),
  )
  expect((await Promise.all(rivals)).every(({ status }) => status === 'done')).toBe(true)
  expect(await stored()).toMatchObject({ product: { S: '256' } })
})

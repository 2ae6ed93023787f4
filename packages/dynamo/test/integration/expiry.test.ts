import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { placeOf, sum, union, type ShardRef } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { enableTtl } from '@spillway/dynamo/setup'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('views', sum())
const tags = field('tags', union())
const second: ShardRef = { key: 'k', index: 1, generation: { number: 1_700_000_000_000, nonce: 7 } }
let behind: Behind
let client: ReturnType<Behind['client']>

beforeAll(async () => {
  behind = await startBehind()
  client = behind.client()
})

afterAll(() => behind.close())

/** A table that expires items by `ttl`, and one of its shards, written, sealed and taken over. */
async function sealed(ttlAttribute: string | undefined) {
  const table = await newTable(client)
  if (ttlAttribute !== undefined) await enableTtl({ client, table, ttlAttribute })
  const { records } = dynamo({ client, table, ...(ttlAttribute !== undefined && { ttlAttribute }) })
  const changes = [change(total, 5), change(tags, ['a'])]
  await records.write({ shard: second, changes, stamp: stamp('w', 3) }, call)
  const contents = await records.seal(second, [total, tags], call)
  await records.absorb({ target: own('k'), source: second, contents, fields: [total, tags] }, call)
  const itemNow = async () => {
    const Key = { pk: { S: placeOf(second) } }
    return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  return { records, itemNow }
}

test('a cleared shard keeps seal and writers until its retention is over, and then its place goes', async () => {
  const { records, itemNow } = await sealed('ttl')
  const beganS = Date.now() / 1_000
  expect(await records.clear(second, 3_600_000, call)).toBe('expires')
  const cleared = await itemNow()
  expect(Object.keys(cleared ?? {}).toSorted()).toEqual(['pk', 'ttl', '~ww', '~z'])
  const dueS = Number(cleared?.['ttl']?.N)
  expect(dueS).toBeGreaterThanOrEqual(Math.floor(beganS + 3_600))
  expect(dueS).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000 + 3_600))
  expect(await records.clear(second, 7_200_000, call)).toBe('expires')
  expect(await itemNow()).toEqual(cleared)

  expect(await behind.gateway.expire(dueS - 1)).toBe(0)
  const late = (writer: string, n: number) =>
    records.write({ shard: second, changes: [change(total, 1)], stamp: stamp(writer, n) }, call)
  expect((await late('w', 3)).status).toBe('done')
  expect((await late('v', 1)).status).toBe('sealed')

  expect(await behind.gateway.expire(dueS)).toBe(1)
  expect(await itemNow()).toBeUndefined()
  const [contents] = await records.read({ shards: [own('k')], fields: [total, tags], consistency: 'strong' }, call)
  expect(contents).toMatchObject({ states: [5, new Set(['a'])], absorbed: [{ index: 1 }] })
})

test('without a TTL attribute the remains stay, and that is told', async () => {
  const { records, itemNow } = await sealed(undefined)
  expect(await records.clear(second, 1_000, call)).toBe('stays')
  expect(Object.keys((await itemNow()) ?? {}).toSorted()).toEqual(['pk', '~ww', '~z'])
})

test('an item with more fields than one request takes out is emptied all the same', async () => {
  const table = await newTable(client)
  const { records } = dynamo({ client, table })
  const fields = Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`f${i}`, { N: '1' }]))
  const key = { pk: { S: placeOf(second) } }
  await client.send(new PutItemCommand({ TableName: table, Item: { ...key, ...fields, '~z': { N: '1' } } }))
  expect(await records.clear(second, 1_000, call)).toBe('stays')
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))
  expect(Item).toEqual({ ...key, '~z': { N: '1' } })
})

test('a field of the name of the TTL attribute has another, and expires nothing', async () => {
  const table = await newTable(client)
  await enableTtl({ client, table, ttlAttribute: 'ttl' })
  const backend = dynamo({ client, table, ttlAttribute: 'ttl' })
  const ttl = field('ttl', sum())
  await backend.records.write({ shard: own('stays'), changes: [change(ttl, 5)], stamp: undefined }, call)
  await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'goes' }, ttl: { N: '100' } } }))
  expect(await behind.gateway.expire(101)).toBe(1)
  const Keys = [{ pk: { S: 'stays' } }, { pk: { S: 'goes' } }]
  const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys } } }))
  expect(Responses?.[table]).toEqual([{ pk: { S: 'stays' }, '~fttl': { N: '5' } }])
})

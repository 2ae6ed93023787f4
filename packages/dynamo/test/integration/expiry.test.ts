import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { max, placeOf, sum, union, type FieldChange, type ShardRef } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { enableTtl } from '@spillway/dynamo/setup'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('views', sum())
const tags = field('tags', union())
const top = field('top', max())
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

/** A table that expires items by `ttl`, its records, and what is in its second shard. */
async function expiring(ttlAttribute: string | undefined) {
  const table = await newTable(client)
  if (ttlAttribute !== undefined) await enableTtl({ client, table, ttlAttribute })
  const { records } = dynamo({ client, table, ...(ttlAttribute !== undefined && { ttlAttribute }) })
  const itemNow = async () => {
    const Key = { pk: { S: placeOf(second) } }
    return (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  const write = (changes: readonly FieldChange[], expiresInMs?: number, n?: number) =>
    records.write({ shard: second, changes, stamp: n === undefined ? undefined : stamp('w', n), expiresInMs }, call)
  return { records, itemNow, write }
}

test('a write that expires says when its place may go, in the same request, also if all that it changes has lost', async () => {
  const { itemNow, write } = await expiring('ttl')
  const dueS = async () => Number((await itemNow())?.['ttl']?.N)
  for (const [i, changes] of [[change(total, 1)], [change(top, 5)], [change(total, 1), change(top, 4)]].entries()) {
    const [beganS, stayMs] = [Date.now() / 1_000, 10_000.5 + 10_000 * i]
    const before = behind.gateway.requests.get('UpdateItem') ?? 0
    expect(await write(changes, stayMs, i === 0 ? undefined : i)).toMatchObject({ status: 'done' })
    expect((behind.gateway.requests.get('UpdateItem') ?? 0) - before).toBe(i === 2 ? 2 : 1) // the lower top has lost
    expect(await dueS()).toBeGreaterThanOrEqual(beganS + stayMs / 1_000)
    expect(await dueS()).toBeLessThanOrEqual(Math.ceil((Date.now() + stayMs) / 1_000))
  }
  const beganS = Date.now() / 1_000
  expect(await write([change(top, 1)], 60_000)).toMatchObject({ status: 'done' })
  expect(await dueS()).toBeGreaterThanOrEqual(beganS + 60)
  const before = await itemNow()
  await write([change(total, 1)], undefined, 9)
  expect(await itemNow()).toMatchObject({ ttl: before?.['ttl'], views: { N: '3' }, top: { N: '5' } })
  expect(await behind.gateway.expire((await dueS()) - 1)).toBe(0)
  expect(await behind.gateway.expire(await dueS())).toBe(1)
  expect(await itemNow()).toBeUndefined()
})

test('a write that expires has its place stay where the table has no TTL attribute', async () => {
  const { itemNow, write } = await expiring(undefined)
  expect(await write([change(total, 1)], 1)).toMatchObject({ status: 'done' })
  expect(await itemNow()).toEqual({ pk: { S: placeOf(second) }, views: { N: '1' } })
})

test('what is cleared stays for its retention, however soon its writes would have let it go', async () => {
  const { records, itemNow, write } = await expiring('ttl')
  await write([change(total, 1)], 1_000)
  expect(await records.seal(second, [total], call)).toMatchObject({ states: [1], otherFields: undefined })
  expect((await write([change(total, 1)], 9_000_000)).status).toBe('sealed')
  const beganS = Date.now() / 1_000
  await records.clear(second, 3_600_000, call)
  const cleared = await itemNow()
  expect(Number(cleared?.['ttl']?.N)).toBeGreaterThanOrEqual(beganS + 3_600)
  await records.clear(second, 7_200_000, call)
  expect(await itemNow()).toEqual(cleared)
})

test('a seal names the fields that it was not asked for, by their own names, and nothing of the table’s or of Spillway’s', async () => {
  const { records, write } = await expiring('ttl')
  const [ttl, marked] = [field('ttl', sum()), field('~mine', sum())]
  await write(
    [total, ttl, marked].map((one) => change(one, 1)),
    60_000,
    1,
  )
  await records.absorb(
    { target: second, source: { ...second, index: 3 }, contents: { status: 'read', states: [1] }, fields: [total] },
    call,
  )
  const { otherFields } = await records.seal(second, [total], call)
  expect(otherFields?.toSorted()).toEqual(['ttl', '~mine'])
  expect(await records.seal(second, [total, ttl, marked], call)).toMatchObject({
    states: [2, 1, 1],
    otherFields: undefined,
  })
})

test('a record’s item expires without those of a collection beside it', async () => {
  const table = await newTable(client, { sortKey: 'at', sortType: 'string' })
  await enableTtl({ client, table, ttlAttribute: 'ttl' })
  const { records, collections } = dynamo({ client, table, sortKey: 'at', sortValue: '-', ttlAttribute: 'ttl' })
  const put = { shard: second, sort: 'a', value: { n: 1 }, stamp: { timeMs: 1, order: 0, writer: 'w' } }
  await collections?.put(put, call)
  await records.write({ shard: second, changes: [change(total, 1)], stamp: undefined, expiresInMs: 1_000 }, call)
  await records.seal(second, [total], call)
  await records.clear(second, 1_000, call)
  await behind.gateway.expire(Date.now() / 1_000 + 2)
  const Key = { pk: { S: placeOf(second) }, at: { S: '-' } }
  expect((await client.send(new GetItemCommand({ TableName: table, Key }))).Item).toBeUndefined()
  const answers = await collections?.get({ shards: [second], sort: 'a', consistency: 'strong' }, call)
  expect(answers).toMatchObject([{ item: { value: { n: 1 } } }])
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

import { BatchGetItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { at, latest, max, min, sum, union } from '@spillway/core'
import { createClient, mergeRule } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { enableTtl } from '@spillway/dynamo/setup'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('views', sum())
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

describe('what a write costs', () => {
  test('with 35 writers in its item it stays at one write unit', async () => {
    const { records } = dynamo({ client, table: await newTable(client) })
    const fields = [total, field('lastSeenAt', max()), field('title', latest())]
    const units: (number | undefined)[] = []
    for (let n = 1; n <= 3; n++) {
      for (let writer = 0; writer < 35; writer++) {
        const changes = fields.map((of, i) =>
          change(of, i === 2 ? at('A title of some length', n * 100 + writer) : n * 100 + writer),
        )
        const write = { shard: own('post#2026-11-22'), changes, stamp: stamp(`abcdefghij${10 + writer}`, n) }
        units.push((await records.write(write, call)).units)
      }
    }
    expect(new Set(units)).toEqual(new Set([1]))
    expect(units).toHaveLength(105)
  })

  test('a flush is one UpdateItem; a field that loses costs one more', async () => {
    const { records } = dynamo({ client, table: await newTable(client) })
    const [highest, lowest, title] = [field('highest', max()), field('lowest', min()), field('title', latest())]
    const write = (n: number, height: number, timeMs: number) => {
      const values = [1, height, height, at(`at ${timeMs}`, timeMs)]
      const changes = [total, highest, lowest, title].map((of, i) => change(of, values[i]))
      return records.write({ shard: own('k'), changes, stamp: stamp('w', n) }, call)
    }
    await write(1, 5, 1_000)
    expect(updates()).toBe(1)
    await write(2, 6, 1_001) // lowest loses
    expect(updates()).toBe(3)
    await write(3, 5.5, 999) // all three lose, and go in one round
    expect(updates()).toBe(5)
    const fields = [total, highest, lowest, title]
    const [contents] = await records.read({ shards: [own('k')], fields, consistency: 'strong' }, call)
    expect(contents).toMatchObject({ states: [3, 6, 5, { json: '"at 1001"' }] })
  })

  test('a gather of 100 shards is one request', async () => {
    const { records } = dynamo({ client, table: await newTable(client) })
    const shards = Array.from({ length: 100 }, (_, index) => ({
      key: 'k',
      index,
      generation: index === 0 ? own('k').generation : { number: 1_700_000_000_000, nonce: 7 },
    }))
    await records.write({ shard: shards[99]!, changes: [change(total, 4)], stamp: undefined }, call)
    const answers = await records.read({ shards, fields: [total], consistency: 'strong' }, call)
    expect(answers.map((answer) => (answer.status === 'read' ? answer.states[0] : answer))).toEqual(
      shards.map(({ index }) => (index === 99 ? 4 : undefined)),
    )
    expect([...behind.gateway.requests]).toContainEqual(['BatchGetItem', 1])
    expect(behind.gateway.requests.has('GetItem')).toBe(false)
    const eventual = await records.read({ shards, fields: [total], consistency: 'eventual' }, call)
    const unitsOf = (read: typeof answers) =>
      read.reduce((units, answer) => units + (answer.status === 'read' ? (answer.units ?? 0) : 0), 0)
    expect([unitsOf(answers), unitsOf(eventual)].map(Math.round)).toEqual([100, 50])
  })
})

describe('an item that was there before', () => {
  test('is adopted under names of its own, and its other attributes are left alone', async () => {
    const names = { partitionKey: 'id', sortKey: 'kind' }
    const table = await newTable(client, names)
    const before = {
      id: { S: 'p1' },
      kind: { S: 'post' },
      views: { N: '41' },
      title: { S: 'Before' },
      tags: { SS: ['old'] },
      body: { M: { deep: { L: [{ BOOL: true }] } } },
      size: { B: new Uint8Array([1, 2, 3]) },
    }
    await client.send(new PutItemCommand({ TableName: table, Item: before }))
    const spillway = await createClient({ backend: dynamo({ client, table, ...names, sortValue: 'post' }) })
    const posts = spillway.records('post', { views: sum(), title: latest<string>(), tags: union(), kind: max() })
    expect(await posts.read('p1')).toMatchObject({ views: 41, title: 'Before' })
    await posts.write('p1', { views: 1, title: 'After', tags: ['new'], kind: 9 })
    expect(await posts.read('p1')).toEqual({ views: 42, title: 'After', tags: new Set(['old', 'new']), kind: 9 })
    await spillway.close()
    const key = { id: before.id, kind: before.kind }
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))
    expect(Item).toMatchObject({ body: before.body, size: before.size, kind: before.kind, views: { N: '42' } })
  })

  test('of a type that a rule cannot take over fails its own shard, and is not changed', async () => {
    const table = await newTable(client)
    await client.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'k' }, views: { S: 'many' } } }))
    const { records } = dynamo({ client, table })
    const read = records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)
    await expect(read).rejects.toMatchObject({ kind: 'invalid' })
    const write = records.write({ shard: own('k'), changes: [change(total, 1)], stamp: undefined }, call)
    await expect(write).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('expires by its own attribute; a field of that name has another', async () => {
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
})

describe('housekeeping', () => {
  test('keeps an item small whose writers never come back, with one write in sixteen', async () => {
    const table = await newTable(client)
    const writes = 320
    // Each writer is a process of its own that writes once; sixteen of them at a time are within the horizon.
    for (let n = 0; n < writes; n++) {
      const backend = dynamo({ client, table })
      const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * 1_031, (n - 16) * 1_031) }
      expect((await backend.records.write(write, call)).status).toBe('done')
      await backend.close?.()
    }
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: 'k' } } }))
    expect(Item?.['views']).toEqual({ N: String(writes) })
    expect(Object.keys(Item ?? {}).filter((name) => name.startsWith('~w')).length).toBeLessThan(64)
    expect(updates()).toBeGreaterThan(writes)
    expect(updates()).toBeLessThanOrEqual(writes + writes / 16 + 4) // which numbers look is a matter of chance, here the same each time
  })

  test('of one process is at most one write in sixteen', async () => {
    const table = await newTable(client)
    const backend = dynamo({ client, table })
    const writes = 160
    for (let n = 1; n <= writes; n++) {
      const write = { shard: own('k'), changes: [change(total, 1)], stamp: stamp(`w${n}`, n * 1_031, (n - 1) * 1_031) }
      await backend.records.write(write, call)
    }
    await backend.close?.()
    expect(updates()).toBeGreaterThan(writes)
    expect(updates()).toBeLessThanOrEqual(writes + writes / 16 + 1)
  })
})

test('a write of more conditional fields than a condition holds is done in portions', async () => {
  const { records } = dynamo({ client, table: await newTable(client) })
  const fields = Array.from({ length: 100 }, (_, i) => field(`f${i}`, [max(), latest(), sum()][i % 3]))
  const product = field(
    'product',
    mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
  )
  for (let n = 1; n <= 2; n++) {
    const changes = [...fields.map((of, i) => change(of, i % 3 === 1 ? at(n, n) : n)), change(product, 3)]
    for (let copy = 0; copy < 2; copy++) {
      expect((await records.write({ shard: own('k'), changes, stamp: stamp('w', n) }, call)).status).toBe('done')
    }
  }
  const asked = { shards: [own('k')], fields: [...fields, product], consistency: 'strong' } as const
  const [contents] = await records.read(asked, call)
  if (contents?.status !== 'read') throw new Error('expected the record to be read')
  expect(asked.fields.map(({ rule, name }, i) => rule.view(contents.states[i], name))).toEqual([
    ...fields.map((_, i) => (i % 3 === 2 ? 3 : 2)),
    9,
  ])
})

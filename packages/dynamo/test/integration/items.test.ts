import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { at, createClient, latest, max, min, sum, union } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
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
})

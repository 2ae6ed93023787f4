import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import type { AppendAnswer, CollectionStore, ItemPut } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { pageOf, put, secondShard, stampAt } from '../fixtures/items.js'
import { call } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const keys = { sortKey: 'sk', sortValue: 'record' }
let behind: Behind
let hasty: ReturnType<Behind['client']>
let patient: ReturnType<Behind['client']>
let table: string

beforeAll(async () => {
  behind = await startBehind({ seed: 4 })
  hasty = behind.client({ maxAttempts: 1 })
  patient = behind.client({ maxAttempts: 3 })
})

beforeEach(async () => {
  table = await newTable(behind.direct, keys)
  behind.gateway.requests.clear()
})

afterEach(() => {
  behind.gateway.faults = {}
  behind.gateway.plan.length = 0
})

afterAll(() => behind.close())

function storeOf(client = hasty): CollectionStore {
  return dynamo({ client, table, ...keys }).collections!
}

function append(items: readonly ItemPut[], client = hasty): Promise<readonly AppendAnswer[]> {
  return storeOf(client).append!({ items }, call)
}

/** The sort values that are there. */
async function stored(): Promise<readonly unknown[]> {
  return (await storeOf().page(pageOf(), call)).items.map(({ sort }) => sort)
}

function keySchema(HASH: string, RANGE: string) {
  return [
    { AttributeName: HASH, KeyType: 'HASH' as const },
    { AttributeName: RANGE, KeyType: 'RANGE' as const },
  ]
}

const many = Array.from({ length: 25 }, (_, i) => put(`item ${String(i).padStart(2, '0')}`, { n: i }, i + 1))

test('as many as a batch takes are one request, each with its stamp', async () => {
  const answers = await append(many)
  expect(answers).toEqual(many.map(() => ({ status: 'done', units: 1, throttles: undefined })))
  expect([...behind.gateway.requests]).toEqual([['BatchWriteItem', 1]])
  const { items } = await storeOf().page(pageOf(), call)
  expect(items).toEqual(many.map(({ sort, value, stamp }) => ({ sort, value, stamp })))
})

test('none, or more than a batch takes, is refused before anything is sent', async () => {
  for (const items of [[], [...many, put('one more', {}, 1)]])
    await expect(append(items)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('1 to 25') as string,
    })
  expect(behind.gateway.requests.size).toBe(0)
})

test('the same sort value in two shards is two items', async () => {
  const both = [put('a', { n: 1 }, 1), put('a', { n: 2 }, 1, secondShard)]
  behind.gateway.faults = { leaveOut: 0.5 }
  let left = both
  while (left.length > 0) {
    const asked = left
    const answers = await append(asked).catch(() => undefined)
    left = asked.filter((_, i) => answers?.[i]?.status !== 'done')
  }
  expect((await storeOf().page(pageOf(), call)).items).toMatchObject([{ value: { n: 1 } }])
  expect((await storeOf().page(pageOf({ shard: secondShard }), call)).items).toMatchObject([{ value: { n: 2 } }])
})

test('what DynamoDB leaves unprocessed is a throttle of that item, and exactly the others are in', async () => {
  behind.gateway.faults = { leaveOut: 0.4 }
  const answers = await append(many)
  behind.gateway.faults = {}
  const failed = answers.filter(({ status }) => status === 'failed')
  expect(failed.length).toBeGreaterThan(2)
  expect(failed.length).toBeLessThan(23)
  for (const answer of failed)
    expect(answer).toMatchObject({
      error: { kind: 'throttled', throttle: { reason: 'UnprocessedItems', scope: 'other' } },
    })
  expect(await stored()).toEqual(many.filter((_, i) => answers[i]?.status === 'done').map(({ sort }) => sort))
  const units = answers.map((answer) => (answer.status === 'done' ? (answer.units ?? 0) : 0))
  expect(units.reduce((total, each) => total + each, 0)).toBeCloseTo(25 - failed.length)
})

describe('when DynamoDB refuses the whole batch', () => {
  test('for lack of capacity, it rejects with the reason', async () => {
    behind.gateway.faults = { leaveOut: 1 }
    await expect(append(many)).rejects.toMatchObject({
      kind: 'throttled',
      throttle: { reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' },
    })
    expect(await stored()).toEqual([])
  })

  test('for one item, that one alone fails', async () => {
    const large = put('large', { text: 'x'.repeat(400 * 1_024) }, 1)
    const answers = await append([many[0]!, large, many[1]!])
    expect(answers).toMatchObject([
      { status: 'done' },
      { status: 'failed', error: { kind: 'invalid' } },
      { status: 'done' },
    ])
    expect(await stored()).toEqual(['item 00', 'item 01'])
  })

  test('for an attribute that is an index’s key and has another type, too', async () => {
    table = `${table}-indexed`
    await behind.direct.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: keySchema('pk', 'sk'),
        AttributeDefinitions: ['pk', 'sk', 'actor'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        GlobalSecondaryIndexes: [
          { IndexName: 'by-actor', KeySchema: keySchema('actor', 'sk'), Projection: { ProjectionType: 'ALL' } },
        ],
      }),
    )
    const answers = await append([put('a', { actor: 'ann' }, 1), put('b', { actor: 5 }, 1), put('c', {}, 1)])
    expect(answers.map(({ status }) => status)).toEqual(['done', 'failed', 'done'])
    expect(await stored()).toEqual(['a', 'c'])
    await expect(append([put('b', { actor: 5 }, 1)])).rejects.toMatchObject({ kind: 'invalid' })
  })
})

test('an item that DynamoDB cannot have fails alone, and is not sent', async () => {
  const answers = await append([put('a', { n: 1e200 }, 1), put('b', { n: 1 }, 1), put('record', {}, 1), put('', {}, 1)])
  expect(answers).toMatchObject([
    { status: 'failed', error: { kind: 'invalid', message: expect.stringContaining('item.n') as string } },
    { status: 'done' },
    { status: 'failed', error: { kind: 'invalid' } },
    { status: 'failed', error: { kind: 'invalid' } },
  ])
  expect([...behind.gateway.requests]).toEqual([['BatchWriteItem', 1]])
})

describe('when the answer is lost', () => {
  test('every item says that it may be in', async () => {
    behind.gateway.plan.push({ resetsAfter: true })
    const answers = await append(many)
    expect(answers).toMatchObject(many.map(() => ({ status: 'failed', error: { kind: 'unknown' } })))
    expect(await stored()).toHaveLength(25)
    expect((await append(many)).every(({ status }) => status === 'done')).toBe(true)
  })

  test('the SDK may send it again; throttles on the way are told once', async () => {
    behind.gateway.plan.push({ errsAfter: true }, { isThrottled: true })
    const answers = await append(many.slice(0, 3), patient)
    expect(answers.map((answer) => answer.status === 'done' && answer.throttles?.length)).toEqual([
      1,
      undefined,
      undefined,
    ])
    behind.gateway.plan.push({ isThrottled: true }, { resetsAfter: true }, { isThrottled: true })
    const failed = await append(many.slice(0, 3), patient)
    const throttles = failed.map(
      (answer) => answer.status === 'failed' && (answer.error as { throttles: unknown[] }).throttles,
    )
    expect(throttles.map((of) => of && of.length)).toEqual([2, 0, 0])
    expect(failed).toMatchObject(failed.map(() => ({ error: { kind: 'unknown' } })))
  })
})

test('replaces what is there, whatever its stamp: it is for sort values that are never written twice', async () => {
  await storeOf().put(put('a', { n: 9 }, 9), call)
  await append([put('a', { n: 1 }, 1)])
  expect((await storeOf().page(pageOf(), call)).items).toEqual([{ sort: 'a', stamp: stampAt(1), value: { n: 1 } }])
})

test('25 items of the greatest size fit one batch', async () => {
  const text = 'x'.repeat(350 * 1_024)
  const answers = await append(many.map(({ sort }) => put(sort, { text }, 1)))
  expect(answers.every(({ status }) => status === 'done')).toBe(true)
  expect([...behind.gateway.requests]).toEqual([['BatchWriteItem', 1]])
})

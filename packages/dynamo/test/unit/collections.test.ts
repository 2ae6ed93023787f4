import type { CollectionStore } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { describe, expect, test } from 'vitest'

import { deletion, pageOf, put, stampAt } from '../fixtures/items.js'
import { call } from '../fixtures/records.js'
import { ScriptedClient, sdkError } from '../fixtures/scripted-client.js'

function storeOf(client: ScriptedClient): CollectionStore {
  return dynamo({ client, table: 't', sortKey: 'sk', sortValue: 'record' }).collections!
}

const refusal = (item?: object) => sdkError('ConditionalCheckFailedException', { ...(item && { Item: item }) })

/** An item as it is stored with the `n`-th stamp. */
async function stored(n: number): Promise<object> {
  const client = new ScriptedClient({})
  await storeOf(client).put(put('a', {}, n), call)
  return client.sent[0]?.input['Item'] as object
}

describe('a condition that fails although nothing newer is found', () => {
  test('is tried again: what was newer has gone', async () => {
    const client = new ScriptedClient(
      refusal(),
      { ConsumedCapacity: { CapacityUnits: 1 } },
      { ConsumedCapacity: { CapacityUnits: 1 } },
    )
    expect(await storeOf(client).put(put('a', {}, 1), call)).toMatchObject({ status: 'done', units: 2 })
    expect(client.sent.map(({ name }) => name)).toEqual(['PutItemCommand', 'GetItemCommand', 'PutItemCommand'])
    expect(client.sent[1]?.input).toMatchObject({ ConsistentRead: true, ProjectionExpression: '#v' })
  })

  test('is given up after a while, with nothing done', async () => {
    const older = [await stored(1), await stored(2)]
    const client = new ScriptedClient(...Array.from({ length: 9 }, (_, i) => refusal(older[i % 2])))
    await expect(storeOf(client).delete(deletion('a', 'remove', 5), call)).rejects.toMatchObject({
      kind: 'unavailable',
    })
    expect(client.sent).toHaveLength(4)
  })

  test('twice over the same item is given up at once', async () => {
    const client = new ScriptedClient(refusal(await stored(1)))
    await expect(storeOf(client).put(put('a', {}, 5), call)).rejects.toThrow('nothing there has changed')
    expect(client.sent).toHaveLength(2)
  })

  test('and whose cause cannot be read says what became of the put', async () => {
    const lost = sdkError('ConditionalCheckFailedException', {}, 2) // a first copy may be in
    for (const [first, kind] of [
      [refusal(), 'unavailable'],
      [lost, 'unknown'],
    ] as const) {
      const client = new ScriptedClient(first, sdkError('InternalServerError', {}, 1, 500))
      await expect(storeOf(client).put(put('a', {}, 5), call)).rejects.toMatchObject({ kind })
    }
  })
})

test('what is newer is told by its stamp alone, also where the item says nothing else', async () => {
  const newer = await stored(9)
  const client = new ScriptedClient(refusal(newer))
  expect(await storeOf(client).put(put('a', {}, 5), call)).toMatchObject({ status: 'newer', stamp: stampAt(9) })
  expect(client.sent).toHaveLength(1)
})

async function input(asked: Parameters<typeof pageOf>[0]) {
  const client = new ScriptedClient({})
  await storeOf(client).page(pageOf(asked), call)
  expect(client.sent).toHaveLength(1)
  return client.sent[0]?.input
}

const at = (sort: string, isIncluded: boolean) => ({ sort, isIncluded })

describe('a page is one Query', () => {
  test('of the whole shard', async () => {
    expect(await input({ limit: 7, consistency: 'eventual' })).toEqual({
      TableName: 't',
      KeyConditionExpression: '#p = :p',
      ExpressionAttributeNames: { '#p': 'pk' },
      ExpressionAttributeValues: { ':p': { S: 'k' } },
      ScanIndexForward: true,
      Limit: 7,
      ConsistentRead: false,
      ReturnConsumedCapacity: 'TOTAL',
    })
  })

  test.each([
    [{ lower: at('b', true) }, '#s >= :l', undefined],
    [{ lower: at('b', false) }, '#s > :l', undefined],
    [{ upper: at('c', true) }, '#s <= :u', undefined],
    [{ upper: at('c', false) }, '#s < :u', undefined],
    [{ lower: at('b', true), upper: at('c', false) }, '#s BETWEEN :l AND :u', undefined],
    [{ lower: at('b', false), upper: at('c', false) }, '#s BETWEEN :l AND :u', 'b'],
    [{ lower: at('b', false), upper: at('c', false), order: 'descending' }, '#s BETWEEN :l AND :u', 'c'],
    [{ lower: at('', true) }, undefined, undefined],
  ] as const)('of %o', async (range, condition, start) => {
    const sent = await input(range)
    expect(sent?.['KeyConditionExpression']).toBe(condition === undefined ? '#p = :p' : `#p = :p AND ${condition}`)
    const key = start === undefined ? undefined : { pk: { S: 'k' }, sk: { S: start } }
    expect(sent?.['ExclusiveStartKey']).toEqual(key)
    expect(sent?.['ScanIndexForward']).toBe(!('order' in range))
  })

  test('that goes on after an empty answer, and ends where the last key is the end', async () => {
    const going = { Items: [], LastEvaluatedKey: { pk: { S: 'k' }, sk: { S: 'bb' } } }
    const [lower, upper] = [at('b', false), at('c', true)]
    const page = (answer: object) => storeOf(new ScriptedClient(answer)).page(pageOf({ lower, upper }), call)
    expect(await page(going)).toMatchObject({ items: [], next: 'bb' })
    expect(await page({ ...going, LastEvaluatedKey: { pk: { S: 'k' }, sk: { S: 'c' } } })).toMatchObject({
      next: undefined,
    })
  })
})

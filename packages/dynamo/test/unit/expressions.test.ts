import { at, latest, max, mergeRule, sum, type FieldChange, type ShardRef } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { describe, expect, test } from 'vitest'

import { call, change, field, own, stamp } from '../fixtures/records.js'
import { ScriptedClient, sdkError } from '../fixtures/scripted-client.js'
import { stampText } from '../../src/stamp-text.js'

const total = field('total', sum())
const second: ShardRef = { key: 'k', index: 1, generation: { number: 7, nonce: 7 } }
const later = stamp('abcdefghij12', 5)

/** The first UpdateItem that a write sends. `found` is the item that is read before it. */
async function updateOf(shard: ShardRef, changes: FieldChange[], number: typeof later | undefined, found: object = {}) {
  const client = new ScriptedClient({ Item: found })
  await dynamo({ client, table: 't' }).records.write({ shard, changes, stamp: number }, call)
  const { input } = client.sent.find(({ name }) => name === 'UpdateItemCommand')!
  return input as { UpdateExpression: string; ConditionExpression?: string }
}

describe('without a number', () => {
  test('a sum is a plain ADD on shard 0, with no condition at all', async () => {
    expect(await updateOf(own('k'), [change(total, 2)], undefined)).toEqual({
      TableName: 't',
      Key: { pk: { S: 'k' } },
      UpdateExpression: 'ADD #0 :0',
      ExpressionAttributeNames: { '#0': 'total' },
      ExpressionAttributeValues: { ':0': { N: '2' } },
      ReturnConsumedCapacity: 'TOTAL',
    })
  })

  test('a sum asks other shards for nothing but the seal', async () => {
    expect(await updateOf(second, [change(total, 2)], undefined)).toMatchObject({
      UpdateExpression: 'ADD #1 :0',
      ConditionExpression: 'attribute_not_exists(#0)',
      ExpressionAttributeNames: { '#0': '~z', '#1': 'total' },
    })
  })
})

test('shard 0, whose writes do not ask for a seal, is not sealed', async () => {
  const client = new ScriptedClient({})
  const seal = dynamo({ client, table: 't' }).records.seal(own('k'), [total], call)
  await expect(seal).rejects.toMatchObject({ kind: 'invalid' })
  expect(client.sent).toEqual([])
})

function sums(count: number): FieldChange[] {
  return Array.from({ length: count }, (_, i) => change(field(`s${i}`, sum()), 1))
}

function latests(count: number, value = 'b'): FieldChange[] {
  return Array.from({ length: count }, (_, i) => change(field(`l${i}`, latest()), at(value, 1_000)))
}

function maxima(count: number): FieldChange[] {
  return Array.from({ length: count }, (_, i) => change(field(`l${i}`, max()), 2))
}

function stored(count: number, value: object): object {
  return Object.fromEntries(latests(count).map(({ name }) => [name, value]))
}

describe('the largest writes fit an expression, which has 4,096 bytes and 300 operators', () => {
  const product = field(
    'product',
    mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
  )
  const tie = { M: { '~j': { S: '"a"' }, '~s': { S: stampText({ timeMs: 1_000, order: 0, writer: 'test' }) } } }

  test.each([
    ['32 latest without a look', [...latests(32), ...sums(223), change(product, 2)], {}],
    ['64 latest that were never written', [...latests(64), ...sums(191), change(product, 2)], {}],
    ['64 latest that stand in attributes of before', [...latests(64), ...sums(192)], stored(64, { S: 'old' })],
    ['64 latest that stand in maps of before', [...latests(64), ...sums(192)], stored(64, { M: { a: { S: 'old' } } })],
    ['64 latest that win ties', [...latests(64), ...sums(192)], stored(64, tie)],
    ['64 max above what is stored', [...maxima(64), ...sums(192)], stored(64, { N: '1' })],
  ])('%s', async (_, changes, found) => {
    const { UpdateExpression, ConditionExpression = '' } = await updateOf(second, changes, later, found)
    expect(UpdateExpression.length).toBeLessThanOrEqual(4_096)
    expect(ConditionExpression.length).toBeLessThanOrEqual(4_096)
    const operators =
      ConditionExpression.match(/attribute_not_exists|attribute_exists|attribute_type|AND|OR|NOT|[<>]=?|=/g) ?? []
    expect(operators.length).toBeGreaterThan(64)
    expect(operators.length).toBeLessThanOrEqual(300)
  })

  test('and one more is refused before anything is sent', async () => {
    const client = new ScriptedClient({})
    const changes = [...latests(64), change(field('one-more', max()), 1)]
    const write = dynamo({ client, table: 't' }).records.write({ shard: second, changes, stamp: later }, call)
    await expect(write).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('at most 64') as string,
    })
    expect(client.sent).toEqual([])
  })
})

test('no condition nests parentheses', async () => {
  const changes = [change(total, 1), change(field('m', max()), 1), change(field('l', latest()), at('b', 1_000))]
  const { ConditionExpression = '' } = await updateOf(second, changes, later)
  expect(ConditionExpression.replaceAll(/attribute_(not_exists|type)\([^()]*\)/g, '')).not.toMatch(/\([^)]*\(/)
})

test('a client that shows no copies of its own tells of no throttles: how many attempts it took does not say why', async () => {
  const client = new ScriptedClient({ $metadata: { attempts: 3 } })
  const { records } = dynamo({ client, table: 't' })
  const answer = await records.write({ shard: own('k'), changes: [change(total, 1)], stamp: later }, call)
  expect(answer).toEqual({ status: 'done', units: 0 })
  const lost = new ScriptedClient(sdkError('ThrottlingException', {}, 3, 400))
  const write = dynamo({ client: lost, table: 't' }).records.write(
    { shard: own('k'), changes: [change(total, 1)], stamp: later },
    call,
  )
  await expect(write).rejects.toMatchObject({ kind: 'unknown', throttle: { reason: 'ThrottlingException' } })
})

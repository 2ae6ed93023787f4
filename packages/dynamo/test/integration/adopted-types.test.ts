import { GetItemCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import { at, latest, max, mergeRule, min, sum, union } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

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
const views = field('views', sum())
const product = mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number })

const values: Readonly<Record<string, AttributeValue>> = {
  S: { S: '7' },
  N: { N: '5' },
  BOOL: { BOOL: true },
  NULL: { NULL: true },
  L: { L: [{ S: 'a' }] },
  M: { M: { a: { S: 'b' } } },
  SS: { SS: ['a', 'b'] },
  NS: { NS: ['1', '2'] },
  B: { B: new Uint8Array([1]) },
  BS: { BS: [new Uint8Array([1])] },
  'a list with a set': { L: [{ SS: ['a'] }] },
  'a map with a foreign ~s': { M: { '~s': { N: '1' } } },
}

async function put(was: AttributeValue): Promise<void> {
  await behind.direct.send(new PutItemCommand({ TableName: table, Item: { ...Key, was } }))
}

async function stored() {
  return (await behind.direct.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
}

function write(rule: unknown, value: unknown, extra: ReturnType<typeof change>[] = []) {
  const changes = [change(field('was', rule), value), change(views, 1), ...extra]
  return dynamo({ client, table }).records.write({ shard: own('k'), changes, stamp: stamp('w', 5) }, call)
}

const rules = [
  ['latest', latest(), at('x', 1_000), ['S', 'N', 'BOOL', 'NULL', 'L', 'M']],
  ['max', max(), 9, ['N']],
  ['min', min(), 1, ['N']],
  ['sum', sum(), 1, ['N']],
  ['union', union(), ['c'], ['SS']],
  ['a rule of the user’s own', product, 2, ['S']],
] as const
const cases = rules.flatMap(([name, rule, value, takenOver]) =>
  Object.keys(values).map((type) => ({
    name,
    rule,
    value,
    type,
    isTaken: (takenOver as readonly string[]).includes(type),
  })),
)

const refused = { kind: 'invalid', message: expect.stringContaining('Field "was"') as string }

describe('an attribute of a type that the rule cannot take over is not overwritten, and the write names its field', () => {
  test.each(cases.filter(({ isTaken }) => !isTaken))('$name over $type', async ({ rule, value, type }) => {
    await put(values[type]!)
    await expect(write(rule, value)).rejects.toMatchObject(refused)
    expect(await stored()).toEqual({ ...Key, was: values[type] })
  })

  test('nor by a write of so many fields that it reads first', async () => {
    await put(values['SS']!)
    const many = Array.from({ length: 40 }, (_, i) => change(field(`f${i}`, max()), 1))
    await expect(write(latest(), at('x', 1_000), many)).rejects.toMatchObject(refused)
    expect(await stored()).toEqual({ ...Key, was: values['SS'] })
  })
})

describe('an attribute that the rule can take over', () => {
  test.each(cases.filter(({ isTaken }) => isTaken))('$name over $type', async ({ name, rule, value, type }) => {
    await put(values[type]!)
    expect(await write(rule, value)).toMatchObject({ status: 'done' })
    expect(await stored()).toMatchObject({ views: { N: '1' } })
    const isSeenFirst = name === 'latest' && type !== 'S' && type !== 'N'
    expect(behind.gateway.requests.get('UpdateItem')).toBe(isSeenFirst ? 2 : 1)
  })

  test('latest over one of its own stamps, or over nothing, is one request', async () => {
    await behind.direct.send(new PutItemCommand({ TableName: table, Item: Key }))
    for (const n of [1, 2, 3]) {
      behind.gateway.requests.clear()
      const changes = [change(field('was', latest()), at(n, n))]
      await dynamo({ client, table }).records.write({ shard: own('k'), changes, stamp: stamp('w', n) }, call)
      expect(behind.gateway.requests.get('UpdateItem')).toBe(1)
      expect(behind.gateway.requests.has('GetItem')).toBe(false)
    }
    expect((await stored())?.['was']?.M?.['~j']).toEqual({ S: '3' })
  })
})

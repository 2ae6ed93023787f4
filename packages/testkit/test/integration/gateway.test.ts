import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClientConfig,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb'
import {
  dynamoAccess,
  startDynalite,
  startGateway,
  type DynamoEngine,
  type Gateway,
  type GatewayOptions,
} from '@spillway/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const table = `testkit-${process.pid}-${Date.now()}`
const sorted = `${table}-sorted`
let engine: DynamoEngine
const open: { close(): unknown }[] = []

beforeAll(async () => {
  engine = await startDynalite()
  await clientFor(engine.endpoint).send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    }),
  )
  await clientFor(engine.endpoint).send(
    new CreateTableCommand({
      TableName: sorted,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    }),
  )
})

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

afterAll(async () => {
  for (const TableName of [table, sorted]) await clientFor(engine.endpoint).send(new DeleteTableCommand({ TableName }))
  for (const one of open.splice(0)) await one.close()
  await engine.close()
})

function clientFor(endpoint: string, config: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({ endpoint, ...dynamoAccess(), maxAttempts: 1, ...config })
  open.push({ close: () => client.destroy() })
  return client
}

async function opened(options: Omit<GatewayOptions, 'endpoint'> = {}): Promise<[Gateway, DynamoDBClient]> {
  const gateway = await startGateway({ endpoint: engine.endpoint, ...options })
  open.push(gateway)
  return [gateway, clientFor(gateway.endpoint)]
}

function add(key: string, more: object = {}): UpdateItemCommand {
  return new UpdateItemCommand({
    TableName: table,
    Key: { pk: { S: key } },
    UpdateExpression: 'ADD n :one',
    ExpressionAttributeValues: { ':one': { N: '1' } },
    ...more,
  })
}

async function countOf(key: string): Promise<string | undefined> {
  const read = new GetItemCommand({ TableName: table, Key: { pk: { S: key } }, ConsistentRead: true })
  return (await clientFor(engine.endpoint).send(read)).Item?.['n']?.N
}

describe('partitions', () => {
  test('serve their rate and a second saved up, and refuse the rest with a reason', async () => {
    let nowMs = 0
    const partitions = { count: 1, writeUnitsPerSecond: 5, readUnitsPerSecond: 4 }
    const [gateway, client] = await opened({ partitions, nowMs: () => nowMs })
    for (let i = 0; i < 5; i++) await client.send(add('rate'))
    const reason = {
      reason: 'TableWriteKeyRangeThroughputExceeded',
      resource: expect.stringContaining(table) as string,
    }
    await expect(client.send(add('rate'))).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
      ThrottlingReasons: [reason],
    })
    nowMs += 400
    await client.send(add('rate'))
    await client.send(add('rate'))
    await expect(client.send(add('rate'))).rejects.toThrow('KeyRange')
    expect(await countOf('rate')).toBe('7')
    expect(gateway.throttledCount).toBe(2)
  })

  test('leave keys of a batch unprocessed, and refuse it only when none is left', async () => {
    const partitions = { count: 1, readUnitsPerSecond: 4 }
    const [, client] = await opened({ partitions, nowMs: () => 0, mode: 'onDemand' })
    const Keys = Array.from({ length: 6 }, (_, i) => ({ pk: { S: `batch ${i}` } }))
    const read = () =>
      client.send(new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }))
    expect((await read()).UnprocessedKeys).toEqual({ [table]: { Keys: Keys.slice(4), ConsistentRead: true } })
    await expect(read()).rejects.toMatchObject({
      name: 'ThrottlingException',
      throttlingReasons: [{ reason: 'TableReadKeyRangeThroughputExceeded' }],
    })
  })
})

const item = (sk: string) => ({ pk: { S: 'one' }, sk: { S: sk } })
const put = (sk: string, more: object = {}) => new PutItemCommand({ TableName: sorted, Item: item(sk), ...more })
const query = (more: object = {}) =>
  new QueryCommand({
    TableName: sorted,
    KeyConditionExpression: '#p = :p AND sk >= :s',
    ExpressionAttributeNames: { '#p': 'pk' },
    ExpressionAttributeValues: { ':p': { S: 'one' }, ':s': { S: 'a' } },
    ...more,
  })

describe('items under one partition key', () => {
  test('lie in one partition, whose rate is shared by puts, batches and queries', async () => {
    const partitions = { count: 64, writeUnitsPerSecond: 4, readUnitsPerSecond: 1 }
    const [, client] = await opened({ partitions, nowMs: () => 0 })
    await client.send(put('a'))
    await client.send(put('b'))
    const requests = ['c', 'd', 'e'].map((sk) => ({ PutRequest: { Item: item(sk) } }))
    const batch = () => client.send(new BatchWriteItemCommand({ RequestItems: { [sorted]: requests } }))
    expect((await batch()).UnprocessedItems).toEqual({ [sorted]: [{ PutRequest: { Item: item('e') } }] })
    await expect(batch()).rejects.toMatchObject({
      ThrottlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded' }],
    })
    await expect(client.send(put('f'))).rejects.toThrow('KeyRange')
    expect((await client.send(query())).Items).toEqual(['a', 'b', 'c', 'd'].map(item))
    await client.send(query())
    await expect(client.send(query())).rejects.toMatchObject({
      ThrottlingReasons: [{ reason: 'TableReadKeyRangeThroughputExceeded' }],
    })
  })

  test('come back with the failed condition of a put', async () => {
    const [, client] = await opened()
    await client.send(put('met'))
    const ConditionExpression = 'attribute_not_exists(pk)'
    const failing = put('met', { ConditionExpression, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
    await expect(client.send(failing)).rejects.toMatchObject({ Item: item('met') })
  })

  test.each([true, false])('come whole through empty pages, forwards: %s', async (ScanIndexForward) => {
    const [gateway, client] = await opened({ faults: { emptyPage: 1 } })
    const all = (await clientFor(engine.endpoint).send(query({ ScanIndexForward }))).Items
    const found: unknown[] = []
    let [emptyCount, from]: [number, QueryCommandOutput['LastEvaluatedKey']] = [0, undefined]
    do {
      const page: QueryCommandOutput = await client.send(query({ ScanIndexForward, Limit: 1, ExclusiveStartKey: from }))
      found.push(...(page.Items ?? []))
      if (page.Items?.length === 0 && page.LastEvaluatedKey !== undefined) emptyCount += 1
      from = page.LastEvaluatedKey
    } while (from !== undefined)
    expect(found).toEqual(all)
    expect(found.length).toBeGreaterThan(2)
    expect(emptyCount).toBeGreaterThan(1)
    expect(gateway.requests.get('Query')).toBeGreaterThan(found.length + 1)
  })
})

describe('a failed condition', () => {
  const impossible = { ConditionExpression: 'n > :one', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }

  test('brings the item along, where it is asked for and there is one', async () => {
    const [, client] = await opened()
    await client.send(add('item'))
    await expect(client.send(add('item', impossible))).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { pk: { S: 'item' }, n: { N: '1' } },
    })
    await expect(client.send(add('no item', impossible))).rejects.toMatchObject({ Item: undefined })
  })

  test('does not, where the gateway is told so', async () => {
    const [, client] = await opened({ sendsItem: false })
    await client.send(add('silent'))
    await expect(client.send(add('silent', impossible))).rejects.toMatchObject({ Item: undefined })
  })
})

describe('faults', () => {
  test.each([
    ['an answer lost behind an error', { errsAfter: true }, '1'],
    ['an answer lost with its connection', { resetsAfter: true }, '1'],
    ['a request lost with its connection', { resetsBefore: true }, undefined],
    ['a throttle', { isThrottled: true }, undefined],
  ])('%s', async (what, fate, count) => {
    const [gateway, client] = await opened()
    gateway.plan.push(fate)
    await expect(client.send(add(what))).rejects.toBeInstanceOf(Error)
    expect(await countOf(what)).toBe(count)
    await client.send(add(what))
  })

  test('are the same for the same seed', async () => {
    const outcomes: boolean[][] = []
    for (let run = 0; run < 2; run++) {
      const [, client] = await opened({ seed: 5, faults: { throttle: 0.5 } })
      const answers: boolean[] = []
      for (let i = 0; i < 12; i++) {
        answers.push(
          await client.send(add('seeded')).then(
            () => true,
            () => false,
          ),
        )
      }
      outcomes.push(answers)
    }
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(new Set(outcomes[0])).toEqual(new Set([true, false]))
  })

  test('are met by the SDK’s own retries, which count a plain ADD twice', async () => {
    const [gateway] = await opened()
    gateway.plan.push({ errsAfter: true })
    await clientFor(gateway.endpoint, { maxAttempts: 3 }).send(add('twice'))
    expect(await countOf('twice')).toBe('2')
  })
})

test('in an outage requests fail and have no effect, until it is lifted', async () => {
  const [gateway, client] = await opened()
  await client.send(add('outage'))
  const lift = await gateway.outage()
  await expect(client.send(add('outage'))).rejects.toBeInstanceOf(Error) // the connection from before is cut
  await expect(clientFor(gateway.endpoint).send(add('outage'))).rejects.toThrow('ECONNREFUSED')
  await lift()
  await client.send(add('outage'))
  expect(await countOf('outage')).toBe('2')
})

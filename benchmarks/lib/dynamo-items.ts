// Ordered items in a running DynamoDB, read by the AWS SDK: under one partition key, and by hand from several.

import {
  BatchWriteItemCommand,
  DynamoDBClient,
  QueryCommand,
  type AttributeValue,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb'
import { type Backend, directoryPlace } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'

import { clientConfig } from './dynamo-place.js'
import type { Spent } from './reading.js'
import { type Post, posts, type ReadRun, type RunStart } from './timeline.js'

/** Batches of DynamoDB take so many items. */
const itemsPerBatchMax = 25

/** A table with a sort key, `pk` and `sk`. */
export interface DynamoItems {
  readonly table: string
  connect(): ItemConnection
}

/** A client and what it has cost: requests but for those that keep the directory; units and items of queries. */
export interface ItemConnection {
  readonly client: DynamoDBClient
  /** The partition keys of the queries that were sent, once each. */
  readonly places: ReadonlySet<string>
  readonly spent: () => Spent
}

/** Makes a table at an endpoint. */
export async function dynamoItems(endpoint: string): Promise<DynamoItems> {
  const table = `spillway-bench-items-${process.pid}-${Date.now().toString(36)}`
  const config = clientConfig(endpoint)
  await createTable({ client: new DynamoDBClient(config), table, sortKey: 'sk' })
  return { table, connect: () => connectionOf(new DynamoDBClient(config)) }
}

/** A backend over a connection. */
export function itemBackendOn({ table }: DynamoItems, { client }: ItemConnection): Backend {
  return dynamo({ client, table, sortKey: 'sk', sortValue: '!record' })
}

function connectionOf(client: DynamoDBClient): ItemConnection {
  let [requests, units, itemsRead] = [0, 0, 0]
  const places = new Set<string>()
  client.middlewareStack.add((next, { commandName }) => async (args) => {
    const { Key, ExpressionAttributeValues: values } = args.input as Partial<Record<string, Attributes>>
    if (Key?.['pk']?.S !== directoryPlace) requests += 1
    const result = await next(args)
    if (commandName !== 'QueryCommand') return result
    const { ScannedCount, ConsumedCapacity } = result.output as QueryCommandOutput
    units += ConsumedCapacity?.CapacityUnits ?? Number.NaN
    itemsRead += ScannedCount ?? Number.NaN
    places.add(values?.[':p']?.S ?? '')
    return result
  })
  return { client, places, spent: () => ({ requests, units, itemsRead }) }
}

type Attributes = Record<string, AttributeValue>

/** Fills a key with all items, as anybody would. */
export async function fillPlain({ table }: DynamoItems, { client }: ItemConnection, key: string): Promise<void> {
  for (let from = 0; from < posts.length; from += itemsPerBatchMax) {
    const requests = posts.slice(from, from + itemsPerBatchMax).map(({ sort, item }) => ({
      PutRequest: { Item: attributesOf(key, sort, item) },
    }))
    const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }))
    if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error('DynamoDB did not write all items.')
  }
}

/** An item as its application stores it. */
export function attributesOf(key: string, sort: string, { author, text, likes }: Post): Attributes {
  return { pk: { S: key }, sk: { S: sort }, author: { S: author }, text: { S: text }, likes: { N: String(likes) } }
}

/** Reads a key by plain queries. */
export function plainRuns({ table }: DynamoItems, { client }: ItemConnection, key: string): ReadRun {
  return async (start, limit) => (await queryRun(client, table, key, start, limit)).map(({ sort }) => sort)
}

/** Everything under a key: queries that end where the store ends them, after 1 MB. */
export async function plainIteration(
  { table }: DynamoItems,
  { client }: ItemConnection,
  key: string,
): Promise<readonly string[]> {
  const got: string[] = []
  let after: Attributes | undefined
  do {
    const { Items, LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :p',
        ExpressionAttributeValues: { ':p': { S: key } },
        ExclusiveStartKey: after,
        ConsistentRead: true,
        ReturnConsumedCapacity: 'TOTAL',
      }),
    )
    got.push(...(Items ?? []).map((attributes) => postOf(attributes).sort))
    after = LastEvaluatedKey
  } while (after !== undefined)
  return got
}

/** The usual way over shards: every shard is asked for as many as are wanted, then sorted and cut. */
export function sortedRuns({ table }: DynamoItems, { client }: ItemConnection, places: ReadonlySet<string>): ReadRun {
  return async (start, limit) => {
    const runs = await Promise.all([...places].map((place) => queryRun(client, table, place, start, limit)))
    const all = runs.flat().toSorted((a, b) => (a.sort < b.sort ? -1 : 1))
    return all.slice(0, limit).map(({ sort }) => sort)
  }
}

async function queryRun(
  client: DynamoDBClient,
  table: string,
  place: string,
  { sort, isIncluded }: RunStart,
  limit: number,
): Promise<(Post & { readonly sort: string })[]> {
  const { Items, LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: `pk = :p AND sk ${isIncluded ? '>=' : '>'} :s`,
      ExpressionAttributeValues: { ':p': { S: place }, ':s': { S: sort } },
      Limit: limit,
      ConsistentRead: true,
      ReturnConsumedCapacity: 'TOTAL',
    }),
  )
  const items = (Items ?? []).map(postOf)
  if (items.length < limit && LastEvaluatedKey !== undefined) throw new Error('DynamoDB ended a page early.')
  return items
}

/** An item as its application reads it. */
export function postOf({ sk, author, text, likes }: Attributes): Post & { readonly sort: string } {
  return { sort: sk?.S ?? '', author: author?.S ?? '', text: text?.S ?? '', likes: Number(likes?.N) }
}

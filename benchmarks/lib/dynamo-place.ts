// A running DynamoDB, and clients of the AWS SDK with its defaults on a table of the benchmark's own.

import {
  BatchGetItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'

import type { Counted } from './counter.js'

/** Batches of DynamoDB take so many keys. */
const keysPerBatchMax = 100

/** A table. */
export interface DynamoPlace {
  readonly table: string
  /** A client of its own, and what it counts. */
  connect(): DynamoConnection
}

/** A client, and the writes that it has sent. */
export interface DynamoConnection extends Counted {
  readonly client: DynamoDBClient
  /** Counts one under a key, as anybody would. */
  add(key: string): Promise<unknown>
}

/** Makes a table at an endpoint. */
export async function dynamoPlace(endpoint: string): Promise<DynamoPlace> {
  const table = `spillway-bench-${process.pid}-${Date.now().toString(36)}`
  const config = clientConfig(endpoint)
  await createTable({ client: new DynamoDBClient(config), table })
  const control = new DynamoDBClient(config)
  return { table, connect: () => connectionOf(new DynamoDBClient(config), table, control) }
}

/** What clients are configured with: nothing but what a local engine needs, and a thousand callers. */
export function clientConfig(endpoint: string): DynamoDBClientConfig {
  return {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: { socketAcquisitionWarningTimeout: 3_600_000 }, // a thousand callers do queue for its 50 sockets
  }
}

/** A backend over a connection. */
export function backendOn({ table }: DynamoPlace, { client }: DynamoConnection) {
  return dynamo({ client, table })
}

function connectionOf(client: DynamoDBClient, table: string, control: DynamoDBClient): DynamoConnection {
  let sentCount = 0
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName === 'UpdateItemCommand') sentCount += 1
        return next(args)
      },
    { step: 'finalizeRequest', priority: 'low' }, // inside of the SDK's retries: each copy counts
  )
  return {
    client,
    add: (key) =>
      client.send(
        new UpdateItemCommand({
          TableName: table,
          Key: { pk: { S: key } },
          UpdateExpression: 'ADD n :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
        }),
      ),
    requestCount: () => Promise.resolve(sentCount),
    totalOf: async (keys) => {
      let total = 0
      for (let from = 0; from < keys.length; from += keysPerBatchMax)
        total += await totalOfBatch(control, table, keys.slice(from, from + keysPerBatchMax))
      return total
    },
  }
}

async function totalOfBatch(client: DynamoDBClient, table: string, keys: readonly string[]): Promise<number> {
  const Keys = keys.map((key) => ({ pk: { S: key } }))
  const { Responses, UnprocessedKeys } = await client.send(
    new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
  )
  if (Object.keys(UnprocessedKeys ?? {}).length > 0) throw new Error('DynamoDB did not read all keys.')
  return (Responses?.[table] ?? []).reduce((sum, { n }) => sum + Number(n?.N ?? 0), 0)
}

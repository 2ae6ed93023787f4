import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Backend } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'
import { redis } from '@spillway/redis'
import { dynamoAccess, startDynalite, startRedis } from '@spillway/testkit'
import { Redis } from 'ioredis'

/** A store that test processes write to. */
export interface Store {
  /** What `connected` takes. */
  readonly address: string
  close(): Promise<void>
}

/** The way of one process to a store. */
export interface Connection {
  readonly backend: Backend
  close(): void
}

const table = 'spooled'

/** A Redis of the test's own. */
export async function startRedisStore(): Promise<Store> {
  const server = await startRedis()
  return { address: `redis://${server.host}:${server.port}`, close: () => server.close() }
}

/** A DynamoDB of the test's own, with a table. */
export async function startDynamoStore(): Promise<Store> {
  const engine = await startDynalite()
  const client = new DynamoDBClient({ endpoint: engine.endpoint, ...dynamoAccess() })
  await createTable({ client, table })
  client.destroy()
  return { address: engine.endpoint, close: () => engine.close() }
}

/** Connects to the store of an address. */
export function connected(address: string): Connection {
  if (address.startsWith('redis:')) {
    const client = new Redis(address)
    return { backend: redis({ client }), close: () => client.disconnect() }
  }
  const client = new DynamoDBClient({ endpoint: address, ...dynamoAccess() })
  return { backend: dynamo({ client, table }), close: () => client.destroy() }
}

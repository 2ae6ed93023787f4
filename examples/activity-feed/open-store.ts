import { DynamoDBClient, type DynamoDBClientConfig, ResourceInUseException } from '@aws-sdk/client-dynamodb'
import { type Backend, memory } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'
import { redis } from '@spillway/redis'
import { dynamoAccess, startDynalite, startRedis } from '@spillway/testkit'
import { Redis } from 'ioredis'

/** Where the feeds live. */
export interface Store {
  readonly backend: Backend
  /** Closes the connections, and the engine if it was started for this. */
  close(): Promise<void>
}

/** The stores, by the name that `--backend` gives. Without an address an engine is started that forgets everything at its end. */
export const stores = {
  memory: () => Promise.resolve({ backend: memory(), close: () => Promise.resolve() }),
  redis: openRedis,
  dynamodb: openDynamo,
} as const satisfies Record<string, (address: string | undefined) => Promise<Store>>

async function openRedis(address: string | undefined): Promise<Store> {
  const server = address === undefined ? await startRedis({ isOwn: true }) : undefined
  const client = new Redis(address ?? `redis://127.0.0.1:${server?.port}`, { socketTimeout: 5_000 })
  client.on('error', (error) => console.error(`Redis: ${error.message}`))
  return {
    backend: redis({ client }),
    async close() {
      client.disconnect()
      await server?.close()
    },
  }
}

const table = 'activity-feed'

/** At an address, region and credentials are those of the environment, as the SDK finds them. */
async function openDynamo(address: string | undefined): Promise<Store> {
  const engine = address === undefined ? await startDynalite() : undefined
  const access: DynamoDBClientConfig =
    engine === undefined ? { endpoint: address as string } : { endpoint: engine.endpoint, ...dynamoAccess() }
  const client = new DynamoDBClient({ ...access, maxAttempts: 1 }) // retries are Spillway's
  await createTable({ client, table, sortKey: 'sk' }).catch((error: unknown) => {
    if (!(error instanceof ResourceInUseException)) throw error // it is there already
  })
  return {
    // Deleted events leave tombstones: in a table of your own, name its TTL attribute, so that they expire.
    backend: dynamo({ client, table, sortKey: 'sk', sortValue: 'record' }),
    async close() {
      client.destroy()
      await engine?.close()
    },
  }
}

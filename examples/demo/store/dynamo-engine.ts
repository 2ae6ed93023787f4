// Problem: the same replay, but on DynamoDB itself, or on what comes nearest to it at home.
// Scheme: dynalite in a process of its own, behind the test kit's gateway, which adds partitions that throttle and answers that
//   are lost; or the endpoint that was given, as it is. A table for each strategy; a client of the SDK for each of the fleet.
// Invariants: every attempt is counted where it leaves, also those that the SDK makes by itself; tables are removed at the end.
// Cost: dynalite, the gateway and the SDK together manage some hundred requests a second on two cores. So all is slower by one
//   factor than in the demo's own store: the lines, and the limits of a partition.

import { DeleteTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { dynamo } from '@spillway/dynamo'
import { createTable } from '@spillway/dynamo/setup'
import { dynamoAccess } from '@spillway/testkit'

import { ArgumentError } from '../argument-error.js'
import { count } from '../format.js'
import type { DemoEngine, DemoStore, StoreContext } from './demo-store.js'
import { meter } from './dynamo-meter.js'
import { DynamoPlainClient } from './dynamo-plain-client.js'
import { startHost, type EngineHost } from './start-host.js'
import { noCounts } from './store-counts.js'

const slowdown = 40
const partitions = { count: 16, writeUnitsPerSecond: 1_000 / slowdown, readUnitsPerSecond: 3_000 / slowdown }
const lostAnswerChance = 0.001

/** An engine on a machine that does other things, too, may be silent for seconds; and a refresh of every client is a request. */
const options = { routing: { refreshMs: 500, leaseMs: 2_000 }, limits: { requestTimeoutMs: 5_000 } }

/** Starts a DynamoDB, or takes the one at `address`. Throws `ArgumentError` when nobody answers there. */
export async function dynamoEngine(address: string | undefined): Promise<DemoEngine> {
  const host = address === undefined ? await startHost({ engine: 'dynamodb', lostAnswerChance, partitions }) : undefined
  const endpoint = host?.address ?? address ?? ''
  if (host === undefined) await probe(endpoint)
  return {
    description: {
      real: [
        `${host === undefined ? 'DynamoDB' : 'dynalite, a DynamoDB that runs at home, started for this run'} at ${endpoint}, and the AWS SDK v3`,
      ],
      simulated: host === undefined ? [] : gatewayLines(),
      plainWrite:
        'one UpdateItem a line (ADD, and the last edit on condition that it is newer), retried blindly by the AWS SDK v3, 3 attempts',
      tenPlacesRead: 'in one BatchGetItem',
      options,
    },
    lost: host?.lost ?? new Promise(() => undefined),
    open: (context) => openStore(endpoint, host, context),
    close: async () => host?.close(),
  }
}

function gatewayLines(): readonly string[] {
  return [
    `limits: a gateway before it throttles as AWS documents it, on ${partitions.count} partitions of ${partitions.writeUnitsPerSecond} write and ${partitions.readUnitsPerSecond} read units a second each:`,
    `a ${slowdown}th of DynamoDB's, as the lines come at a ${slowdown}th of the demo's usual speed; Spillway is told these limits`,
    `answers: the gateway answers 1 UpdateItem in ${count(1 / lostAnswerChance)} with HTTP 500 after it took effect`,
  ]
}

async function probe(endpoint: string): Promise<void> {
  const client = clientFor(endpoint, 1)
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }), { requestTimeout: 5_000 })
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error)
    throw new ArgumentError(
      `--address must name a DynamoDB that can be reached, but was ${JSON.stringify(endpoint)}: ${why}`,
    )
  } finally {
    client.destroy()
  }
}

function clientFor(endpoint: string, maxAttempts?: number): DynamoDBClient {
  const access = dynamoAccess({ ...process.env, SPILLWAY_DYNAMODB_ENDPOINT: endpoint })
  return new DynamoDBClient({ endpoint, ...access, ...(maxAttempts !== undefined && { maxAttempts }) })
}

async function openStore(
  endpoint: string,
  host: EngineHost | undefined,
  { strategy, random, onThrottle }: StoreContext,
): Promise<DemoStore> {
  const table = `spillway-demo-${process.pid}-${Date.now().toString(36)}-${strategy}`
  const admin = clientFor(endpoint)
  await createTable({ client: admin, table })
  const counts = noCounts()
  const clients: DynamoDBClient[] = []
  const connect = (maxAttempts?: number) => {
    const client = clientFor(endpoint, maxAttempts)
    meter(client, counts, onThrottle)
    clients.push(client)
    return client
  }
  const lostBefore = (await host?.lostCount()) ?? NaN
  const limits = host === undefined ? undefined : { partition: partitions }
  const backendOf = (client: DynamoDBClient) => {
    const backend = dynamo({ client, table })
    return { ...backend, capabilities: { ...backend.capabilities, ...limits } }
  }
  return {
    prefix: '',
    partitionWriteUnits: backendOf(admin).capabilities.partition.writeUnitsPerSecond,
    options,
    backend: () => backendOf(connect(1)), // retries are Spillway's
    plain: () => new DynamoPlainClient(connect(), table, random),
    counts: () => ({ ...counts }),
    answersLost: async () => ((await host?.lostCount()) ?? NaN) - lostBefore,
    close: async () => {
      await admin.send(new DeleteTableCommand({ TableName: table }))
      for (const client of [admin, ...clients]) client.destroy()
    },
  }
}

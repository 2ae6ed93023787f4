// What it costs to read a key that stands in 16 or 64 shards, by one caller. In DynamoDB beside the bare BatchGetItem of the
// same items (their keys and the one attribute, read strongly), in Redis Cluster beside one pipeline of HMGETs a primary, each
// as one would write it by hand for this very key. `read()` is the whole of Spillway; `backend.records.read()` is the
// adapter's part of it. For context, one item alone and all of them in parallel.

import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import type { Backend, ShardAnswer } from '@spillway/core'
import { Cluster } from 'ioredis'

import { closeCounters, counterOn } from '../lib/counter.js'
import * as dynamo from '../lib/dynamo-place.js'
import { startEngines } from '../lib/engine-process.js'
import { compareUnderLoad, type LoadGoal } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'
import * as redis from '../lib/redis-place.js'
import { type SpreadCounter, spreadCounter } from '../lib/spread-counter.js'

const shardCounts = [16, 64]
const options = { callerCount: 1, rounds: 25, sliceMs: 150 }
const goals = {
  dynamo: [{ peer: 'Spillway read()', cpuRatioMax: 1.05 }],
  redis: [{ peer: 'Spillway read()', ratioMin: 0.91, cpuRatioMax: 1.1 }],
} satisfies Record<string, LoadGoal[]>

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('dynamodb', 'redis-cluster')
  try {
    const { dynamodb = '', 'redis-cluster': cluster = '' } = engines.addresses
    const table = await dynamo.dynamoPlace(dynamodb)
    const clustered = await redis.clusteredRedis(cluster)
    const tables = []
    for (const shardCount of shardCounts) {
      const [inItems, inHashes] = [await onDynamo(table, shardCount), await onCluster(clustered, shardCount)]
      const title = (where: string) => `A read of ${shardCount} shards, ${where}`
      tables.push(await compareUnderLoad(title('DynamoDB (dynalite)'), inItems, goals.dynamo, options))
      tables.push(await compareUnderLoad(title('six-node Redis Cluster'), inHashes, goals.redis, options))
    }
    return { tables }
  } finally {
    await closeCounters()
    await engines.close()
  }
}

async function onDynamo(place: dynamo.DynamoPlace, shardCount: number): Promise<readonly Peer[]> {
  const key = `gathered:${shardCount}`
  const spy = place.connect()
  const places: string[] = []
  spy.client.middlewareStack.add((next) => async (args) => {
    const { RequestItems = {} } = args.input as { RequestItems?: Record<string, { Keys: { pk: { S: string } }[] }> }
    const { Keys = [] } = RequestItems[place.table] ?? {}
    if (Keys.length === shardCount) places.splice(0, Infinity, ...Keys.map(({ pk }) => pk.S))
    return next(args)
  })
  const spread = await spreadCounter(dynamo.backendOn(place, spy), key, shardCount)
  const { client } = place.connect()
  const readBatch = () => batchTotal(client, place.table, places)
  const readOne = (pk: string) => itemValue(client, place.table, pk)
  const peers = await spillwayPeers(dynamo.backendOn(place, place.connect()), key, spread)
  return [
    totalPeer('BatchGetItem by hand', readBatch, spread.total),
    ...peers,
    totalPeer('one GetItem', () => readOne(key), 1),
    totalPeer('GetItems in parallel', async () => sumOf(await Promise.all(places.map(readOne))), spread.total),
  ]
}

async function batchTotal(client: DynamoDBClient, table: string, places: readonly string[]): Promise<number> {
  const Keys = places.map((pk) => ({ pk: { S: pk } }))
  const command = new BatchGetItemCommand({
    RequestItems: { [table]: { Keys, ConsistentRead: true, ProjectionExpression: 'pk, n' } },
  })
  const { Responses } = await client.send(command)
  return sumOf((Responses?.[table] ?? []).map(({ n }) => Number(n?.N)))
}

async function itemValue(client: DynamoDBClient, table: string, pk: string): Promise<number> {
  const command = new GetItemCommand({
    TableName: table,
    Key: { pk: { S: pk } },
    ConsistentRead: true,
    ProjectionExpression: 'n',
  })
  const { Item } = await client.send(command)
  return Number(Item?.['n']?.N)
}

async function onCluster(place: redis.RedisPlace, shardCount: number): Promise<readonly Peer[]> {
  const key = `gathered:${shardCount}`
  const spy = await clusterOf(place)
  let keys: string[] = []
  const call = spy.call.bind(spy) as (...command: string[]) => Promise<unknown>
  Object.assign(spy, {
    call: (...command: string[]) => {
      if (command[0] === 'hmget') keys.push(String(command[1]))
      return call(...command)
    },
  })
  const spyBackend = redis.backendOf(spy)
  const spread = await spreadCounter(spyBackend, key, shardCount)
  keys = []
  await spyBackend.records.read(spread.asked, { signal: new AbortController().signal })
  const client = await clusterOf(place)
  const pipelines = await byPrimary(client, keys)
  const readAll = async () => sumOf(await Promise.all(pipelines.map((keys) => pipelineTotal(client, keys))))
  const readOne = async (shard: string) => Number(await client.hget(shard, 'n'))
  const peers = await spillwayPeers(redis.backendOf(await clusterOf(place)), key, spread)
  return [
    totalPeer(`${pipelines.length} pipelines by hand, one a primary`, readAll, spread.total),
    ...peers,
    totalPeer('one HGET', () => readOne(key), 1),
    totalPeer('HGETs in parallel', async () => sumOf(await Promise.all(pipelines.flat().map(readOne))), spread.total),
  ]
}

/** Keys that one primary serves, together. */
async function byPrimary(client: Cluster, keys: readonly string[]): Promise<readonly (readonly string[])[]> {
  const slots = await Promise.all(keys.map((key) => client.cluster('KEYSLOT', key)))
  const groups = new Map<string, string[]>()
  for (const [i, key] of keys.entries()) {
    const primary = String(client.slots[Number(slots[i])]?.[0])
    groups.set(primary, [...(groups.get(primary) ?? []), key])
  }
  return [...groups.values()]
}

async function pipelineTotal(client: Cluster, keys: readonly string[]): Promise<number> {
  const pipeline = client.pipeline()
  for (const key of keys) pipeline.hmget(key, 'n')
  const answers = (await pipeline.exec()) ?? []
  return sumOf(
    answers.map(([error, values]) => {
      if (error !== null) throw error
      return Number((values as [string])[0])
    }),
  )
}

async function clusterOf(place: redis.RedisPlace): Promise<Cluster> {
  const client = await place.ioredis()
  if (client instanceof Cluster) return client
  throw new Error(`${place.name} is no cluster`)
}

/** The adapter alone, and Spillway as it is used. */
async function spillwayPeers(backend: Backend, key: string, { total, asked, options: found }: SpreadCounter) {
  const records = await counterOn(backend, found)
  const { signal } = new AbortController()
  return [
    totalPeer(
      'backend.records.read()',
      async () => sumOf((await backend.records.read(asked, { signal })).map(stateIn)),
      total,
    ),
    totalPeer('Spillway read()', async () => (await records.read(key)).n, total),
  ]
}

function stateIn(answer: ShardAnswer): number {
  return answer.status === 'read' ? Number(answer.states[0]) : Number.NaN
}

/** A peer whose every operation must bring back the same number. */
function totalPeer(name: string, read: () => Promise<number | bigint>, total: number): Peer {
  return {
    name,
    operate: async () => {
      const got = await read()
      if (Number(got) !== total) throw new Error(`${name}: read ${got}, and not ${total}`)
    },
    check: () => Promise.resolve(),
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0)
}

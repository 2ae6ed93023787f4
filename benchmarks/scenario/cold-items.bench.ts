// Items under cold keys, by 64 callers: a put, a get, and a page of 20 of a key that holds 20. Nothing to spread and nothing to
// merge, so what is seen is what a collection costs where it is of no use. Beside the plain client: PutItem without a condition,
// GetItem and Query, both strong; in Redis ZADD and HSET, HGET, ZRANGEBYLEX and HMGET. All with default options.

import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Backend, Collection } from '@spillway/core'

import * as dynamo from '../lib/dynamo-items.js'
import { startEngines } from '../lib/engine-process.js'
import { keyTexts } from '../lib/fresh-keys.js'
import { compareUnderLoad, type LoadTable } from '../lib/load-report.js'
import type { Peer } from '../lib/load.js'
import type { Spent } from '../lib/reading.js'
import * as redis from '../lib/redis-items.js'
import { coldTimelineOn, type Post, posts, type ReadRun, sorts } from '../lib/timeline.js'

const keyCount = 1_000
const pagedKeyCount = 100
const pagedItems = posts.slice(0, 20)
const options = { callerCount: 64, rounds: 15, sliceMs: 300 }
const goals = [{ peer: 'Spillway', requestsMax: 1 }]

/** The three operations, by one client, on keys that nobody else uses. */
interface Ways {
  readonly name: string
  readonly put: (key: string, sort: string, item: Post) => Promise<unknown>
  readonly get: (key: string, sort: string) => Promise<Post | undefined>
  /** All items of a key. */
  readonly page: (key: string, limit: number) => Promise<readonly string[]>
  readonly spent: () => Spent
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('dynamodb', 'redis')
  try {
    const { dynamodb = '', redis: single = '' } = engines.addresses
    const tables: LoadTable[] = []
    for (const [where, ways] of [
      ['DynamoDB (dynalite)', await onDynamo(dynamodb)],
      ['single Redis', await onRedis(single)],
    ] as const) {
      const compare = async (title: string, peerOf: (own: Ways) => Promise<Peer>) =>
        tables.push(
          await compareUnderLoad(
            `${title} of a cold key, ${where}`,
            await Promise.all(ways.map(peerOf)),
            goals,
            options,
          ),
        )
      await compare('put', puts)
      await compare('get', gets)
      await compare(`page of ${pagedItems.length}`, pages)
    }
    return { keyCount, pagedKeyCount, tables }
  } finally {
    await engines.close()
  }
}

/** Goes round keys with new items. */
async function puts({ name, put, page, spent }: Ways): Promise<Peer> {
  const keys = keyTexts(keyCount).map((text) => `put:${name}:${text}`)
  let next = 0
  return {
    name,
    requestCount: () => Promise.resolve(spent().requests),
    operate: () => {
      const turn = next++
      return put(keys[turn % keyCount] as string, sorts[Math.floor(turn / keyCount)] as string, posts[0]?.item as Post)
    },
    check: async (operationCount) => {
      let stored = 0
      for (const key of keys) stored += (await page(key, 1_000)).length
      if (stored !== operationCount)
        throw new Error(`${name}: ${operationCount} were acknowledged, ${stored} are stored`)
    },
  }
}

/** Goes round keys that have one item each. */
async function gets({ name, put, get, spent }: Ways): Promise<Peer> {
  const { sort, item } = posts[1] as (typeof posts)[number]
  const keys = keyTexts(keyCount).map((text) => `get:${name}:${text}`)
  for (const key of keys) await put(key, sort, item)
  let next = 0
  return {
    name,
    requestCount: () => Promise.resolve(spent().requests),
    operate: async () => {
      const got = await get(keys[next++ % keyCount] as string, sort)
      if (got?.text !== item.text) throw new Error(`${name}: an item is missing`)
    },
    check: () => Promise.resolve(),
  }
}

/** Goes round keys that have a page of items each. */
async function pages({ name, put, page, spent }: Ways): Promise<Peer> {
  const keys = keyTexts(pagedKeyCount).map((text) => `page:${name}:${text}`)
  for (const key of keys) await Promise.all(pagedItems.map(({ sort, item }) => put(key, sort, item)))
  let next = 0
  return {
    name,
    requestCount: () => Promise.resolve(spent().requests),
    operate: async () => {
      const got = await page(keys[next++ % pagedKeyCount] as string, pagedItems.length)
      if (got.length !== pagedItems.length) throw new Error(`${name}: a page has ${got.length} items`)
    },
    check: () => Promise.resolve(),
  }
}

async function spillway(backend: Backend, spent: () => Spent): Promise<Ways> {
  const timeline: Collection<Post> = await coldTimelineOn(backend)
  return {
    name: 'Spillway',
    put: (key, sort, item) => timeline.put(key, sort, item),
    get: (key, sort) => timeline.get(key, sort),
    page: async (key, limit) => (await timeline.page(key, { limit })).items.map(({ sort }) => sort),
    spent,
  }
}

async function onDynamo(endpoint: string): Promise<readonly Ways[]> {
  const items = await dynamo.dynamoItems(endpoint)
  const [plain, own] = [items.connect(), items.connect()] as const
  const { client } = plain
  const { table: TableName } = items
  const plainWays: Ways = {
    name: 'plain client',
    put: (key, sort, item) =>
      client.send(new PutItemCommand({ TableName, Item: dynamo.attributesOf(key, sort, item) })),
    get: async (key, sort) => {
      const Key = { pk: { S: key }, sk: { S: sort } }
      const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))
      return Item && dynamo.postOf(Item)
    },
    page: (key, limit) => fromStart(dynamo.plainRuns(items, plain, key), limit),
    spent: plain.spent,
  }
  return [plainWays, await spillway(dynamo.itemBackendOn(items, own), own.spent)]
}

async function onRedis(address: string): Promise<readonly Ways[]> {
  const [plain, own] = [await redis.redisItems(address), await redis.redisItems(address)] as const
  const { client } = plain
  const plainWays: Ways = {
    name: 'plain client',
    put: (key, sort, item) =>
      Promise.all([
        client.hset(redis.itemsOf(key), sort, JSON.stringify(item)),
        client.zadd(redis.orderOf(key), 0, sort),
      ]),
    get: async (key, sort) => redis.parsed(await client.hget(redis.itemsOf(key), sort)),
    page: (key, limit) => fromStart(redis.plainRuns(plain, key), limit),
    spent: plain.spent,
  }
  return [plainWays, await spillway(redis.itemBackendOn(own), own.spent)]
}

function fromStart(readRun: ReadRun, limit: number): Promise<readonly string[]> {
  return readRun({ sort: sorts[0] as string, isIncluded: true }, limit)
}

// A page of 50 items, and all 4,096 of a key, from 1 to 64 shards, by one caller. Beside the plain client's on an unspread key
// (a strong Query; ZRANGEBYLEX and HMGET), and beside the usual way to read shards by hand: ask each of them for as many as are
// wanted, sort, cut. In DynamoDB that is done on the very shards of Spillway, in Redis on a layout of its own. Pages begin at
// every 50th item in turn. All engines' shards are on one machine here: what spreading gains is not in these numbers, only
// what reading costs.

import { dynamoItems, fillPlain, itemBackendOn, plainIteration, plainRuns, sortedRuns } from '../lib/dynamo-items.js'
import { startEngines } from '../lib/engine-process.js'
import { compareReading, type ReadingGoal, type ReadingTable } from '../lib/reading-report.js'
import type { Reader, Spent } from '../lib/reading.js'
import * as redis from '../lib/redis-items.js'
import {
  fillSpread,
  handIteration,
  handPage,
  pageSorts,
  sorts,
  spillwayIteration,
  spillwayPage,
  timelineOn,
} from '../lib/timeline.js'

const shardCounts = [1, 4, 16, 64]
const pages = { rounds: 9, readsPerRound: 20 }
const iterations = { rounds: 9, readsPerRound: 3 }
/** At 16 shards. */
const goals = { page: 3, iteration: 1.5 }

/** The two things that are read, by one way. */
interface Way {
  readonly name: string
  readonly page: (part: number) => Promise<readonly string[]>
  readonly iterate: () => Promise<readonly string[]>
  readonly spent: () => Spent
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const engines = await startEngines('dynamodb', 'redis')
  try {
    const { dynamodb = '', redis: single = '' } = engines.addresses
    const tables: ReadingTable[] = []
    for (const [where, waysOf] of [
      ['DynamoDB (dynalite)', await onDynamo(dynamodb)],
      ['single Redis', await onRedis(single)],
    ] as const) {
      for (const shardCount of shardCounts) {
        const ways = await waysOf(shardCount)
        const title = `${shardCount} ${shardCount === 1 ? 'shard' : 'shards'}, ${where}`
        tables.push(await readPages(`A page of 50, ${title}`, ways, goalAt(shardCount, goals.page)))
        tables.push(await readAll(`All of ${sorts.length}, ${title}`, ways, goalAt(shardCount, goals.iteration)))
      }
    }
    return { tables }
  } finally {
    await engines.close()
  }
}

function goalAt(shardCount: number, readPerItemMax: number): readonly ReadingGoal[] {
  return shardCount === 16 ? [{ peer: 'Spillway', readPerItemMax }] : []
}

function readPages(title: string, ways: readonly Way[], wanted: readonly ReadingGoal[]): Promise<ReadingTable> {
  const readers = ways.map(({ name, page, spent }): Reader => ({ name, read: page, spent }))
  return compareReading(title, readers, pageSorts, wanted, pages)
}

function readAll(title: string, ways: readonly Way[], wanted: readonly ReadingGoal[]): Promise<ReadingTable> {
  const readers = ways.map(({ name, iterate, spent }): Reader => ({ name, read: iterate, spent }))
  return compareReading(title, readers, () => sorts, wanted, iterations)
}

function spreadKey(shardCount: number): string {
  return `spread:${shardCount}`
}

async function onDynamo(endpoint: string): Promise<(shardCount: number) => Promise<readonly Way[]>> {
  const items = await dynamoItems(endpoint)
  const [plain, byHand, own] = [items.connect(), items.connect(), items.connect()] as const
  await fillPlain(items, plain, 'plain')
  await fillSpread(itemBackendOn(items, items.connect()), new Map(shardCounts.map((n) => [spreadKey(n), n])))
  const timeline = await timelineOn(itemBackendOn(items, own))
  const plainRun = plainRuns(items, plain, 'plain')
  return async (shardCount) => {
    const key = spreadKey(shardCount)
    const before = own.places.size
    await spillwayPage(timeline, key, 0)
    const places = new Set([...own.places].slice(before))
    if (places.size !== shardCount) throw new Error(`${key} was read from ${[...places].join()}`)
    const handRun = sortedRuns(items, byHand, places)
    return [
      {
        name: 'plain client, unspread key',
        page: (part) => handPage(plainRun, part),
        iterate: () => plainIteration(items, plain, 'plain'),
        spent: plain.spent,
      },
      {
        name: 'every shard, sort, cut, by hand',
        page: (part) => handPage(handRun, part),
        iterate: () => handIteration(handRun),
        spent: byHand.spent,
      },
      {
        name: 'Spillway',
        page: (part) => spillwayPage(timeline, key, part),
        iterate: () => spillwayIteration(timeline, key),
        spent: own.spent,
      },
    ]
  }
}

async function onRedis(address: string): Promise<(shardCount: number) => Promise<readonly Way[]>> {
  const connect = () => redis.redisItems(address)
  const [plain, byHand, own] = [await connect(), await connect(), await connect()] as const
  const [plainPlace = ''] = redis.placesOf('plain', 1)
  await redis.fillPlaces(plain, [plainPlace])
  await fillSpread(redis.itemBackendOn(await connect()), new Map(shardCounts.map((n) => [spreadKey(n), n])))
  const timeline = await timelineOn(redis.itemBackendOn(own))
  const plainRun = redis.plainRuns(plain, plainPlace)
  return async (shardCount) => {
    const key = spreadKey(shardCount)
    const places = redis.placesOf(`hand:${shardCount}`, shardCount)
    await redis.fillPlaces(byHand, places)
    const handRun = redis.sortedRuns(byHand, places)
    return [
      {
        name: 'plain client, unspread key',
        page: (part) => handPage(plainRun, part),
        iterate: () => handIteration(plainRun),
        spent: plain.spent,
      },
      {
        name: 'every shard, sort, cut, by hand',
        page: (part) => handPage(handRun, part),
        iterate: () => handIteration(handRun),
        spent: byHand.spent,
      },
      {
        name: 'Spillway',
        page: (part) => spillwayPage(timeline, key, part),
        iterate: () => spillwayIteration(timeline, key),
        spent: own.spent,
      },
    ]
  }
}

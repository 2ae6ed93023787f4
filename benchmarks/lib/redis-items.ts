// Ordered items in a running Redis, as people keep them: a sorted set of scores 0 for the order, a hash for the items; under
// one key, and by hand under several.

import type { Backend } from '@spillway/core'
import { redis } from '@spillway/redis'
import { Redis } from 'ioredis'

import type { Spent } from './reading.js'
import { type Post, posts, type ReadRun, type RunStart } from './timeline.js'

/** A client and what it has cost. */
export interface RedisItems {
  readonly client: Redis
  /** Notes what the store has handed over. */
  readonly countRead: (items: number) => void
  readonly spent: () => Spent
}

/** A client at `redis://host:port`. Its commands are counted, but for those that keep the directory. */
export async function redisItems(address: string): Promise<RedisItems> {
  const client = new Redis(address, { lazyConnect: true })
  client.on('error', () => undefined) // engines go down before their clients do
  await client.connect()
  let [requests, itemsRead] = [0, 0]
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, ...rest) => {
    if (!command.args.some((arg) => String(arg).endsWith('~directory'))) requests += 1
    return send(command, ...rest)
  }
  return {
    client,
    countRead: (items) => (itemsRead += items),
    spent: () => ({ requests, units: undefined, itemsRead }),
  }
}

/** A backend over a client, which counts the items that its pages bring. */
export function itemBackendOn({ client, countRead }: RedisItems): Backend {
  const backend = redis({ client })
  const { collections } = backend
  if (collections === undefined) throw new Error('Redis keeps collections')
  const page = collections.page.bind(collections)
  collections.page = async (asked, call) => {
    const answer = await page(asked, call)
    countRead(answer.items.length)
    return answer
  }
  return backend
}

/** Where the items of each shard of a key stand, kept by hand. */
export function placesOf(key: string, shardCount: number): readonly string[] {
  return Array.from({ length: shardCount }, (_, i) => (shardCount === 1 ? key : `${key}:${i}`))
}

/** Deals all items out to places. */
export async function fillPlaces({ client }: RedisItems, places: readonly string[]): Promise<void> {
  const pipeline = client.pipeline()
  for (const [i, { sort, item }] of posts.entries()) {
    const place = places[i % places.length] as string
    pipeline.zadd(orderOf(place), 0, sort).hset(itemsOf(place), sort, JSON.stringify(item))
  }
  await pipeline.exec()
}

/** The sorted set of a place. */
export function orderOf(place: string): string {
  return `${place}:order`
}

/** The hash of a place. */
export function itemsOf(place: string): string {
  return `${place}:items`
}

/** Reads one place in two steps. */
export function plainRuns(items: RedisItems, place: string): ReadRun {
  return async (start, limit) => {
    const sorts = await items.client.zrangebylex(orderOf(place), boundOf(start), '+', 'LIMIT', 0, limit)
    items.countRead(sorts.length)
    const texts = sorts.length === 0 ? [] : await items.client.hmget(itemsOf(place), ...sorts)
    for (const text of texts) parsed(text)
    return sorts
  }
}

/** The usual way over shards: every shard is asked for as many as are wanted, then sorted and cut; then the items that are left. */
export function sortedRuns(items: RedisItems, places: readonly string[]): ReadRun {
  const { client } = items
  return async (start, limit) => {
    const ranges = client.pipeline()
    for (const place of places) ranges.zrangebylex(orderOf(place), boundOf(start), '+', 'LIMIT', 0, limit)
    const found = (await answersOf(ranges)).flatMap((sorts, i) =>
      (sorts as string[]).map((sort) => ({ sort, place: places[i] as string })),
    )
    items.countRead(found.length)
    const wanted = found.toSorted((a, b) => (a.sort < b.sort ? -1 : 1)).slice(0, limit)
    const byPlace = new Map<string, string[]>()
    for (const { sort, place } of wanted) byPlace.set(place, [...(byPlace.get(place) ?? []), sort])
    const fetches = client.pipeline()
    for (const [place, own] of byPlace) fetches.hmget(itemsOf(place), ...own)
    for (const texts of await answersOf(fetches)) for (const text of texts as string[]) parsed(text)
    return wanted.map(({ sort }) => sort)
  }
}

function boundOf({ sort, isIncluded }: RunStart): string {
  return `${isIncluded ? '[' : '('}${sort}`
}

async function answersOf(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, value]) => {
    if (error !== null) throw error
    return value
  })
}

/** An item as its application reads it. Throws when there is none. */
export function parsed(text: string | null): Post {
  if (text === null) throw new Error('an item is missing')
  return JSON.parse(text) as Post
}

import type { ShardRef } from '../operation.js'
import { type Route, shardOf, shardsToRead } from './route.js'

/** The shard that an item with this hash is written to. */
export function homeOf(key: string, route: Route | undefined, hash: number): ShardRef {
  if (route === undefined) return shardOf(key, undefined, 0)
  return shardsToRead(key, route)[hash & (route.write - 1)] as ShardRef
}

/**
 * Every shard where an item with this hash may be, its home first: one for each fanout under which it was, is or may just be
 * written (rule every-candidate). Shard 0 is always among them, since every key was once at one shard.
 */
export function candidatesOf(key: string, route: Route | undefined, hash: number): readonly ShardRef[] {
  if (route === undefined) return [shardOf(key, undefined, 0)]
  const shards = shardsToRead(key, route)
  const indexes = new Set<number>([hash & (route.write - 1), 0])
  for (const fanout of route.writeHistory) if (fanout <= route.read) indexes.add(hash & (fanout - 1))
  indexes.add(hash & (route.read - 1))
  return Array.from(indexes, (index) => shards[index] as ShardRef)
}

import { type Generation, ownGeneration, type ShardRef } from '../operation.js'

/** Where a route stands in its life; `phases.ts` says what may follow what. */
export type Phase = 'cold' | 'announced' | 'active' | 'draining' | 'settled'

/** Where the shards of one key are. A key without a route is cold. */
export interface Route {
  /** Where it stands in its life. */
  readonly phase: Phase
  /** Reads cover shards 0 … read-1. A power of two. */
  readonly read: number
  /** Writes go to shards 0 … write-1. A power of two, at most `read`. */
  readonly write: number
  /** The opening of shard 1, of shards 2-3, of shards 4-7, … : one for each doubling. */
  readonly generations: readonly Generation[]
  /** The write fanouts since the key was last at 1, oldest first. */
  readonly writeHistory: readonly number[]
  /** Drawn from the directory's counter at every change. */
  readonly revision: number
}

/** Whether two routes of a key are the same. Revisions alone do not tell: where a store has lost a change, one may be drawn twice. */
export function isSameRoute(one: Route, other: Route): boolean {
  const [mine, theirs] = [one.generations.at(-1), other.generations.at(-1)]
  return (
    one.revision === other.revision &&
    one.phase === other.phase &&
    one.read === other.read &&
    one.write === other.write &&
    one.writeHistory.length === other.writeHistory.length &&
    one.writeHistory.at(-1) === other.writeHistory.at(-1) &&
    mine?.number === theirs?.number &&
    mine?.nonce === theirs?.nonce
  )
}

/** The place of shard `index` of a key under a route. */
export function shardOf(key: string, route: Route | undefined, index: number): ShardRef {
  if (index === 0) return { key, index: 0, generation: ownGeneration }
  const generation = route?.generations[doublingOf(index)]
  if (generation === undefined)
    throw new RangeError(`shard ${index} is not part of the route of ${JSON.stringify(key)}`)
  return { key, index, generation }
}

/** What is left of the shards that a settled route has given up. */
export function remainsOf(key: string, route: Route): readonly ShardRef[] {
  const openedCount = 2 ** route.generations.length
  return Array.from({ length: openedCount - route.read }, (_, i) => shardOf(key, route, route.read + i))
}

/** The shards of routes that were used: the same objects every time, so that adapters may keep what they make of them. */
const shardsOfRoutes = new WeakMap<Route, readonly ShardRef[]>()

/** All places that a read of a key must cover; the same array for the same route. */
export function shardsToRead(key: string, route: Route | undefined): readonly ShardRef[] {
  if (route === undefined) return [shardOf(key, undefined, 0)]
  let shards = shardsOfRoutes.get(route)
  if (shards === undefined) {
    shards = Array.from({ length: route.read }, (_, index) => shardOf(key, route, index))
    shardsOfRoutes.set(route, shards)
  }
  return shards
}

/** The one place that a writer with this hash writes to: always the same while the fanout is. */
export function shardToWrite(key: string, route: Route | undefined, writerHash: number): ShardRef {
  if (route === undefined) return shardOf(key, undefined, 0)
  return shardsToRead(key, route)[writerHash & (route.write - 1)] as ShardRef
}

/** Which doubling opened shard `index`: 0 for shard 1, 1 for shards 2-3, 2 for shards 4-7. */
function doublingOf(index: number): number {
  return 31 - Math.clz32(index)
}

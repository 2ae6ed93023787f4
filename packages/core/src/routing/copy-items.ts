// Problem: items of shards that are given up must stand in those that stay, while they are read, replaced and deleted.
// Scheme: page through a shard, and put every item and every tombstone, with its own stamp, where the route's write fanout says.
// Invariants: only where the route has been draining for a whole lease (rule drain-wait), so that nobody puts into the shard any
//   more; a copy counts only if the lease still holds, and still shows this revision of the route, when its answer is in; what
//   is newer at home stays (rule newest-wins).
// Cost: one read a page and one write an item.
// Source: docs/routing.md, «Rules for collections».

import pLimit from 'p-limit'

import type { CollectionStore, StoredItem } from '../backend/collection-store.js'
import type { SortType } from '../item/sort-value.js'
import type { Stamp } from '../merge/stamp.js'
import type { ShardRef } from '../operation.js'
import type { ItemHash } from './item-hash.js'
import { homeOf } from './placement.js'
import type { Route } from './route.js'
import { eachItem, type ShardRequests } from './shard-requests.js'

/** How many copies are under way at once, for one key. */
const concurrencyMax = 8

/** Whoever wrote an item before Spillway gave it no stamp; any other is newer. */
export const oldest: Stamp = Object.freeze({ timeMs: 0, order: 0, writer: '' })

/** What copying needs. */
export interface CopyParts {
  readonly store: CollectionStore
  readonly requests: ShardRequests
  readonly hash: ItemHash
  readonly hashSeed: number
  /** See `ItemDeletion.retentionMs`. */
  readonly tombstoneMs: number
}

/** Copies the items of a shard to where they belong under the route's write fanout. Answers with how many there were. */
export async function copyItems(
  parts: CopyParts,
  key: string,
  route: Route,
  shard: ShardRef,
  sortType: SortType,
): Promise<number> {
  const limit = pLimit(concurrencyMax)
  const copies: Promise<void>[] = []
  let count = 0
  for await (const items of eachItem(parts.store, parts.requests, shard, sortType)) {
    count += items.length
    for (const item of items) copies.push(limit(() => copy(parts, homeFor(parts, key, route, item), item)))
    await Promise.all(copies.splice(0))
  }
  return count
}

function homeFor({ hash, hashSeed }: CopyParts, key: string, route: Route, { sort }: StoredItem): ShardRef {
  return homeOf(key, route, hash(sort, hashSeed))
}

async function copy(
  { store, requests, tombstoneMs }: CopyParts,
  shard: ShardRef,
  { sort, stamp = oldest, value }: StoredItem,
): Promise<void> {
  await requests.send((call) =>
    value === undefined
      ? store.delete({ shard, sort, stamp, mode: 'tombstone', retentionMs: tombstoneMs }, call)
      : store.put({ shard, sort, value, stamp }, call),
  )
}

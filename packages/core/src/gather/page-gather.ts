// Problem: a page must be exactly what an unspread key would give, and an iteration must go on through every change of its route.
// Scheme: a page is one merge under one lease, thrown away and made anew when the lease ends. An iteration is a chain of such
//   pages that keeps what it has read ahead while the key's route stays the same and for at most a lease; its place is a sort
//   value and nothing else, so any route can go on from it.
// Invariants: nothing is handed out before the lease of the snapshot it was read under has been found to hold; nothing is read
//   before the caller asks for it.
// Cost: that of the merge; what an iteration had read ahead is read again after a change of the route.
// Source: docs/routing.md, rule lease-at-end.

import type { StoredItem } from '../backend/collection-store.js'
import { ReadFailedError } from '../errors/read-error.js'
import type { SortValue } from '../item/sort-value.js'
import { forgottenBy, restoreRoute } from './forgotten-route.js'
import { attemptsMax, type ItemReadParts, readUnderLease } from './item-request.js'
import { revisionOf, ShardMerge } from './shard-merge.js'
import { behind, type SortRange } from './shard-reader.js'

/** A page to be read. */
export interface PageRequest {
  readonly key: string
  readonly range: SortRange
  /** So many items at most. */
  readonly limit: number
  /** So many sort values at most are looked at. */
  readonly examinedMax: number
  readonly signal: AbortSignal | undefined
  /** Which items are wanted. */
  keep(item: StoredItem): boolean
}

/** A page as it was read. */
export interface GatheredPage {
  readonly items: readonly StoredItem[]
  /** Where the next page begins, behind this value; undefined when nothing is left. */
  readonly last: SortValue | undefined
  readonly shardCount: number
}

/** Reads a page. Rejects as a read does. */
export function gatherPage(parts: ItemReadParts, request: PageRequest): Promise<GatheredPage> {
  const { key, range, limit, examinedMax, signal } = request
  return readUnderLease(parts, key, async (snapshot, untilMs) => {
    const merge = new ShardMerge(parts, key, snapshot.route(key), range)
    const items: StoredItem[] = []
    while (items.length < limit && merge.examinedCount < examinedMax) {
      const before = merge.examinedCount
      const left = examinedMax - before
      const aheadMin = Math.min(before - items.length, left)
      const taking = { count: limit - items.length, examinedMax: left, aheadMin, untilMs, signal }
      for (const item of await merge.take(taking)) if (request.keep(item)) items.push(item)
      if (merge.examinedCount === before) break
    }
    return [{ items, last: merge.isAtEnd ? undefined : merge.last, shardCount: merge.shardCount }, merge.route]
  })
}

/**
 * So many items an iteration reads ahead at first, and at most: it doubles from chunk to chunk. A chunk ends after as many
 * tombstones, too, so that no crowd of them outlasts the lease.
 */
const aheadMin = 64
const aheadMax = 1_024

/** Reads all items of a range, in chunks. Rejects as a read does. */
export async function* gatherAll(
  parts: ItemReadParts,
  key: string,
  range: SortRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly StoredItem[], void, void> {
  const { routing, clock, options, leaseMs } = parts
  let rest = range
  let merge: ShardMerge | undefined
  let count = aheadMin
  let failures = 0
  while (failures < attemptsMax) {
    const snapshot = routing.currentAt(clock.nowMs()) ?? (await routing.ready(options.shardTimeoutMs))
    const route = snapshot.route(key)
    const nowMs = clock.nowMs()
    if (merge?.revision !== revisionOf(route) || nowMs - merge.heldSinceMs >= leaseMs)
      merge = new ShardMerge(parts, key, route, rest)
    const untilMs = nowMs + options.shardTimeoutMs
    const items = await merge.take({ count, examinedMax: aheadMax, aheadMin: count, untilMs, signal })
    const stamp = forgottenBy(snapshot, key, merge.route)
    if (stamp !== undefined) await restoreRoute(parts, key, stamp, untilMs)
    if (stamp !== undefined || !snapshot.isValidAt(clock.nowMs())) {
      merge = undefined
      failures += 1
      continue
    }
    failures = 0
    yield items
    if (merge.isAtEnd || merge.last === undefined) return
    rest = behind(range, merge.last)
    count = Math.min(aheadMax, count * 2)
  }
  throw new ReadFailedError(key, `The lease on the routes ended during each of ${attemptsMax} attempts to go on.`)
}

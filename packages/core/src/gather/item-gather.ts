// Problem: an item stands where its hash put it when it was written, and its key may have grown since.
// Scheme: ask every place where it may be at once, and take the newest version that is there.
// Invariants: the lease holds at the end of the read; a tombstone that is newer hides every older copy; a place that could not
//   be read fails the read.
// Cost: one request for a key without a route; else one for each `shardsPerReadMax` of at most log2(fanout) + 1 places.
// Source: docs/routing.md, rules every-candidate, newest-wins and lease-at-end.

import type { ItemAnswer, StoredItem } from '../backend/collection-store.js'
import { asBackendError } from '../backend/backend-error.js'
import { unitsOf } from '../backend/guarded-backend.js'
import type { RouteStamp } from '../backend/request.js'
import { together } from '../internal/together.js'
import type { SortValue } from '../item/sort-value.js'
import { compareStamps } from '../merge/stamp.js'
import type { ShardRef } from '../operation.js'
import { candidatesOf } from '../routing/placement.js'
import type { Snapshot } from '../routing/snapshot.js'
import { type ItemReadParts, readUnderLease, requestItems } from './item-request.js'

/** Reads an item; its tombstone, or undefined, where there is none. Rejects as a read does. */
export function gatherItem(
  parts: ItemReadParts,
  key: string,
  sort: SortValue,
  signal: AbortSignal | undefined,
): Promise<StoredItem | undefined> {
  return readUnderLease(parts, key, async (snapshot, untilMs) => {
    const answers = await readPlaces(parts, key, sort, placesOf(parts, key, sort, snapshot), untilMs, signal)
    let newest: StoredItem | undefined
    let stamp: RouteStamp | undefined
    for (const answer of answers) {
      if (answer.status === 'failed') continue
      if (answer.item !== undefined) newest = newerOf(newest, answer.item)
      stamp ??= answer.route
    }
    return [newest, stamp]
  })
}

/** Of two versions of an item; one without a stamp is older than any. */
export function newerOf(a: StoredItem | undefined, b: StoredItem): StoredItem {
  if (a === undefined || a.stamp === undefined) return b
  return b.stamp === undefined || compareStamps(a.stamp, b.stamp) >= 0 ? a : b
}

function placesOf({ hash }: ItemReadParts, key: string, sort: SortValue, snapshot: Snapshot): readonly ShardRef[] {
  const route = snapshot.route(key)
  return candidatesOf(key, route, route === undefined ? 0 : hash(sort, snapshot.directory.hashSeed))
}

async function readPlaces(
  parts: ItemReadParts,
  key: string,
  sort: SortValue,
  places: readonly ShardRef[],
  untilMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly ItemAnswer[]> {
  const { shardsPerReadMax, options } = parts
  if (places.length <= shardsPerReadMax) return readBatch(parts, key, sort, places, untilMs, signal)
  const batches: (readonly ShardRef[])[] = []
  for (let from = 0; from < places.length; from += shardsPerReadMax)
    batches.push(places.slice(from, from + shardsPerReadMax))
  const reads = batches.map((shards) => (end: AbortSignal) => readBatch(parts, key, sort, shards, untilMs, end))
  const answers = await together(reads, options.concurrencyMax, signal)
  return answers.flat()
}

/** Reads places until all have been read; those that have been are not asked again. */
async function readBatch(
  parts: ItemReadParts,
  key: string,
  sort: SortValue,
  shards: readonly ShardRef[],
  untilMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly ItemAnswer[]> {
  const read = new Map<ShardRef, ItemAnswer>()
  const request = { key, shardIndex: shards[0]?.index ?? 0, untilMs, signal }
  return requestItems(parts, request, async (call) => {
    const asked = shards.filter((shard) => !read.has(shard))
    if (asked.length === 0) return [...read.values()] // an attempt that was given up has been answered meanwhile
    const answers = await parts.store.get({ shards: asked, sort, consistency: parts.consistency }, call)
    parts.onRequest(key, unitsOfAll(answers))
    for (const [i, shard] of asked.entries()) {
      const answer = answers[i]
      if (answer?.status !== 'read') continue
      read.set(shard, answer)
      for (const throttle of answer.throttles ?? []) parts.onThrottle(key, shard.index, throttle)
    }
    const failed = answers.find(({ status }) => status === 'failed')
    if (failed?.status === 'failed') throw asBackendError(failed.error)
    return [...read.values()]
  })
}

function unitsOfAll(answers: readonly ItemAnswer[]): number | undefined {
  let units: number | undefined
  for (const answer of answers) {
    const consumed = answer.status === 'read' ? unitsOf(answer) : undefined
    if (consumed !== undefined) units = (units ?? 0) + consumed
  }
  return units
}

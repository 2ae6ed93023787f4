// Problem: a page of L items over N shards must come in order without reading L items of each, for nobody knows beforehand in
//   which shards the first L stand.
// Scheme: a k-way merge over readers that read ahead by what is to be expected: the hash deals items out evenly, so L of them
//   leave L/N in each shard, give or take the deviation of a binomial distribution. When a reader runs dry, it and all
//   that hold less than their part of the rest read at once. Where most is not wanted – tombstones, or what a filter leaves
//   out – they read as many as were looked at in vain so far, so that few requests lead past them.
// Invariants: no item is handed out before every shard that may have an earlier one has shown its first; of one sort value the
//   newest version counts, and a tombstone hides it.
// Cost: about L + 2.5·√(L·N) items read for the first L in about one round of requests, and nothing twice; with one shard just
//   L; behind X that are not wanted, at most about twice X more in log2(X) rounds. Handing out takes log2(N) comparisons an item.
// Source: Knuth, «The Art of Computer Programming», vol. 3, 5.4.1; docs/routing.md, «Rules for collections».

import type { StoredItem } from '../backend/collection-store.js'
import type { RouteStamp } from '../backend/request.js'
import { together } from '../internal/together.js'
import { compareSort, type SortValue } from '../item/sort-value.js'
import { type Route, shardsToRead } from '../routing/route.js'
import { HeadHeap } from './head-heap.js'
import { newerOf } from './item-gather.js'
import type { ItemReadParts } from './item-request.js'
import { ShardReader, type SortRange } from './shard-reader.js'

/** So many standard deviations above the mean are read ahead: one shard in a hundred runs dry before the rest. */
const deviations = 2.5

/** How much to take. */
export interface Taking {
  /** So many items at most. */
  readonly count: number
  /** So many sort values at most are looked at, those of tombstones included. */
  readonly examinedMax: number
  /** So many are read ahead at least, whatever is left of `count`: what was looked at in vain before, or what the next taking wants. */
  readonly aheadMin: number
  readonly untilMs: number
  readonly signal: AbortSignal | undefined
}

/** Items of all shards of a key in one order. */
export class ShardMerge {
  /** The revision of the route that it follows. */
  readonly revision: number
  /** The last sort value that was looked at. */
  last: SortValue | undefined
  /** How many sort values were looked at. */
  examinedCount = 0
  readonly #parts: ItemReadParts
  readonly #readers: readonly ShardReader[]
  readonly #heads: HeadHeap
  /** Whether a reader has nothing left to show, and is not at its end. */
  #isDry = true

  constructor(parts: ItemReadParts, key: string, route: Route | undefined, range: SortRange) {
    this.#parts = parts
    this.revision = revisionOf(route)
    this.#readers = shardsToRead(key, route).map((shard) => new ShardReader(parts, shard, range))
    this.#heads = new HeadHeap(range.order === 'ascending' ? 1 : -1)
  }

  /** Whether every item of the range has been taken. */
  get isAtEnd(): boolean {
    return this.#readers.every((reader) => reader.isAtEnd && reader.heldCount === 0)
  }

  /** How many shards it reads. */
  get shardCount(): number {
    return this.#readers.length
  }

  /** When the oldest of the items that it holds began to be read. */
  get heldSinceMs(): number {
    return this.#readers.reduce((oldest, { heldSinceMs }) => Math.min(oldest, heldSinceMs), Infinity)
  }

  /** The stamp that shard 0 brought back. */
  get route(): RouteStamp | undefined {
    return this.#readers[0]?.route
  }

  /** The next items, in order. Rejects as a read does. */
  async take({ count, examinedMax, aheadMin, untilMs, signal }: Taking): Promise<StoredItem[]> {
    const taken: StoredItem[] = []
    const began = this.examinedCount
    const examinedEnd = began + examinedMax
    while (taken.length < count && this.examinedCount < examinedEnd) {
      if (this.#isDry) {
        const inVain = this.examinedCount - began - taken.length
        const wanted = Math.min(count - taken.length, examinedEnd - this.examinedCount)
        await this.#readAhead(Math.max(wanted, aheadMin + inVain), untilMs, signal)
      }
      const item = this.#next()
      if (item === undefined) break
      if (item.value !== undefined) taken.push(item)
    }
    return taken
  }

  async #readAhead(wanted: number, untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { store, options } = this.#parts
    const part = 1 / this.#readers.length
    const mean = wanted * part
    const most = Math.ceil(mean + deviations * Math.sqrt(mean * (1 - part)))
    const due = this.#readers.filter(({ heldCount, isAtEnd }) => !isAtEnd && (heldCount === 0 || heldCount < mean))
    const reads = due.map((reader) => (end: AbortSignal | undefined) => {
      return reader.fetch(Math.min(store.limits.itemsPerPageMax, most - reader.heldCount), untilMs, end)
    })
    const [first] = reads
    if (reads.length === 1 && first !== undefined) await first(signal)
    else await together(reads, options.concurrencyMax, signal)
    this.#heads.fill(this.#readers)
    this.#isDry = false
  }

  /** Every reader that is not at its end shows its first item. */
  #next(): StoredItem | undefined {
    const sort = this.#heads.first?.head?.sort
    if (sort === undefined) return undefined
    let newest: StoredItem | undefined
    for (let reader = this.#heads.first; reader !== undefined; reader = this.#heads.first) {
      const { head } = reader
      if (head === undefined || compareSort(head.sort, sort) !== 0) break
      newest = newerOf(newest, head)
      reader.drop()
      if (reader.heldCount === 0 && !reader.isAtEnd) this.#isDry = true
      this.#heads.settle()
    }
    this.last = sort
    this.examinedCount += 1
    return newest
  }
}

/** The revision of a route; 0 of a key without one. */
export function revisionOf(route: Route | undefined): number {
  return route?.revision ?? 0
}

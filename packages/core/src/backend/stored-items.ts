// Problem: items of one place must come back in order, and of two versions of an item the newer one must stay, whatever arrives
//   late or twice.
// Scheme: an array in the order of the sort values, changed only synchronously and found by bisection.
// Invariants: no two entries have the same sort value; a stamp is only ever followed by a greater one, unless the entry went.
// Cost: a bisection a request; an insertion moves what is behind it.
// Source: collection-store.ts.

import type { ItemValue } from '../item/item-value.js'
import type { SortBound } from '../item/sort-bound.js'
import { compareSort, type SortType, type SortValue, sortTypeOf } from '../item/sort-value.js'
import { compareStamps, type Stamp } from '../merge/stamp.js'
import { BackendError } from './backend-error.js'
import type { ItemDeletion, ItemPut, ShardPage, StoredItem } from './collection-store.js'

interface Entry {
  readonly sort: SortValue
  readonly stamp: Stamp
  /** Undefined for a tombstone. */
  readonly value: ItemValue | undefined
  /** When a tombstone may go. */
  readonly goneMs: number
}

/** So many expired tombstones a write takes away in passing. */
const sweptMax = 4

/** The items of one place. */
export class StoredItems {
  #entries: Entry[] = []
  /** Tombstones in the order in which they came. */
  readonly #tombstones = new Set<Entry>()

  /** Whether there is neither an item nor a tombstone. */
  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Stores an item; answers with the stamp of what is newer and stays. */
  put({ sort, stamp, value }: ItemPut): Stamp | undefined {
    return this.#replace({ sort: ownSort(sort), stamp, value, goneMs: Infinity })
  }

  /** Takes an item away; answers with the stamp of what is newer and stays. */
  delete({ sort, stamp, mode, retentionMs }: ItemDeletion, nowMs: number): Stamp | undefined {
    this.#sweep(nowMs)
    if (mode === 'tombstone')
      return this.#replace({ sort: ownSort(sort), stamp, value: undefined, goneMs: nowMs + retentionMs })
    const known = this.#entryAt(sort)
    if (known === undefined) return undefined
    if (compareStamps(known.stamp, stamp) > 0) return known.stamp
    this.#remove(known)
    return undefined
  }

  /** The item or tombstone with a sort value. */
  get(sort: SortValue): StoredItem | undefined {
    const entry = this.#entryAt(sort)
    return entry && shown(entry)
  }

  /** Up to `limit` of them, and the last value that was looked at; undefined when nothing is behind it. */
  page(page: ShardPage): { items: readonly StoredItem[]; next: SortValue | undefined } {
    const { sortType, lower, upper, order, limit } = page
    this.#requireType(sortType)
    const from = lower === undefined ? 0 : this.#indexFrom(lower, !lower.isIncluded)
    const to = upper === undefined ? this.#entries.length : this.#indexFrom(upper, upper.isIncluded)
    const isAscending = order === 'ascending'
    const entries = isAscending
      ? this.#entries.slice(from, Math.min(to, from + limit))
      : this.#entries.slice(Math.max(from, to - limit), Math.max(from, to)).toReversed()
    const isWhole = to - from <= limit
    const items = entries.map(shown)
    return { items, next: isWhole ? undefined : items.at(-1)?.sort }
  }

  #entryAt(sort: SortValue): Entry | undefined {
    this.#requireType(sortTypeOf(sort))
    const entry = this.#entries[this.#indexOf(sort)]
    return entry !== undefined && compareSort(entry.sort, sort) === 0 ? entry : undefined
  }

  #replace(entry: Entry): Stamp | undefined {
    this.#requireType(sortTypeOf(entry.sort))
    const index = this.#indexOf(entry.sort)
    const known = this.#entries[index]
    const isThere = known !== undefined && compareSort(known.sort, entry.sort) === 0
    if (isThere && compareStamps(known.stamp, entry.stamp) > 0) return known.stamp
    if (isThere) this.#tombstones.delete(known)
    this.#entries.splice(index, isThere ? 1 : 0, entry)
    if (entry.value === undefined) this.#tombstones.add(entry)
    return undefined
  }

  #remove(entry: Entry): void {
    this.#tombstones.delete(entry)
    this.#entries.splice(this.#indexOf(entry.sort), 1)
  }

  #sweep(nowMs: number): void {
    let looked = 0
    for (const tombstone of this.#tombstones) {
      if (looked++ === sweptMax) return
      if (tombstone.goneMs <= nowMs) this.#remove(tombstone)
    }
  }

  #indexFrom({ sort }: SortBound, isBehind: boolean): number {
    this.#requireType(sortTypeOf(sort))
    const index = this.#indexOf(sort)
    const entry = this.#entries[index]
    return isBehind && entry !== undefined && compareSort(entry.sort, sort) === 0 ? index + 1 : index
  }

  /** Where the first entry stands that does not come before a sort value. */
  #indexOf(sort: SortValue): number {
    let from = 0
    let to = this.#entries.length
    while (from < to) {
      const middle = (from + to) >> 1
      if (compareSort((this.#entries[middle] as Entry).sort, sort) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  #requireType(type: SortType): void {
    const [first] = this.#entries
    if (first === undefined || sortTypeOf(first.sort) === type) return
    throw new BackendError(
      'invalid',
      `The key has items with sort values of type ${sortTypeOf(first.sort)}, but was asked for ${type}.`,
    )
  }
}

function shown({ sort, stamp, value }: Entry): StoredItem {
  return { sort: ownSort(sort), stamp, value: value && structuredClone(value) }
}

/** Bytes are copied on their way in and out: somebody may change them. */
function ownSort(sort: SortValue): SortValue {
  return sort instanceof Uint8Array ? Uint8Array.from(sort) : sort
}

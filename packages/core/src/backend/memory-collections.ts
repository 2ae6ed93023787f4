// Problem: the contract for collections needs a reference that can be read in one screen.
// Scheme: a map from place to stored items. JavaScript runs one call at a time, so what happens inside a call is atomic.
// Invariants: those of the contract; a request is applied inside the call.
// Cost: a map look-up and a bisection; an answer copies the items that it gives, and writes them out as JSON to tell its units.
// Source: collection-store.ts, stored-items.ts.

import type { ShardRef } from '../operation.js'
import type { Stamp } from '../merge/stamp.js'
import type { Clock } from '../time/clock.js'
import { asBackendError, BackendError } from './backend-error.js'
import { deleteUnits, readUnitsOf, writeUnitsOf } from './capacity-unit.js'
import type {
  AppendAnswer,
  CollectionLimits,
  CollectionStore,
  ItemAnswer,
  ItemAppend,
  ItemDeletion,
  ItemPut,
  ItemRead,
  ItemWriteAnswer,
  ShardPage,
  ShardPageAnswer,
} from './collection-store.js'
import { itemBytes } from './item-bytes.js'
import { placeOf } from './place.js'
import type { RouteStamp } from './request.js'
import { StoredItems } from './stored-items.js'

/** DynamoDB's, so that what works here works there. */
const limits: CollectionLimits = Object.freeze({
  sortTypes: Object.freeze(['string', 'number', 'bytes'] as const),
  sortBytesMax: 1_024, // of a sort key: ServiceQuotas.html
  itemBytesMax: 350 * 1024, // an item has 400 KB with all its names; the rest is for keys and what Spillway keeps
  itemsPerPageMax: 1_000, // a Query has no such limit; a page of 1 MB is rarely more
  itemsPerAppendMax: 25, // of one BatchWriteItem: ServiceQuotas.html
  mayShareKeys: true,
})

/** Collections in this process's memory. */
export class MemoryCollections implements CollectionStore {
  readonly limits = limits
  readonly #places = new Map<string, StoredItems>()
  readonly #shardsPerReadMax: number
  readonly #clock: Clock
  readonly #routeAt: (place: string) => RouteStamp | undefined

  /** `routeAt` gives the stamp of a place. */
  constructor(shardsPerReadMax: number, clock: Clock, routeAt: (place: string) => RouteStamp | undefined) {
    this.#shardsPerReadMax = shardsPerReadMax
    this.#clock = clock
    this.#routeAt = routeAt
  }

  put(put: ItemPut): Promise<ItemWriteAnswer> {
    return answered(() => answerOf(this.#at(put.shard).put(put), writeUnitsOf(itemBytes(put.shard, put))))
  }

  delete(deletion: ItemDeletion): Promise<ItemWriteAnswer> {
    return answered(() => {
      const place = placeOf(deletion.shard)
      const items = this.#at(deletion.shard)
      const answer = answerOf(items.delete(deletion, this.#clock.nowMs()), deleteUnits)
      if (items.isEmpty) this.#places.delete(place)
      return { ...answer, route: this.#routeAt(place) }
    })
  }

  get({ shards, sort, consistency }: ItemRead): Promise<readonly ItemAnswer[]> {
    return answered(() => {
      requireCount('A read', shards.length, this.#shardsPerReadMax, 'shards')
      return shards.map((shard): ItemAnswer => {
        const item = this.#places.get(placeOf(shard))?.get(sort)
        const units = readUnitsOf(item === undefined ? 0 : itemBytes(shard, item), consistency)
        return { status: 'read', item, route: this.#routeAt(placeOf(shard)), units }
      })
    })
  }

  page(page: ShardPage): Promise<ShardPageAnswer> {
    return answered(() => {
      requireCount('A page', page.limit, limits.itemsPerPageMax, 'items')
      const place = placeOf(page.shard)
      const { items, next } = this.#places.get(place)?.page(page) ?? { items: [], next: undefined }
      const bytes = items.reduce((sum, item) => sum + itemBytes(page.shard, item), 0)
      return { items, next, route: this.#routeAt(place), units: readUnitsOf(bytes, page.consistency) }
    })
  }

  append({ items }: ItemAppend): Promise<readonly AppendAnswer[]> {
    return answered(() => {
      requireCount('An append', items.length, limits.itemsPerAppendMax, 'items')
      return items.map((item): AppendAnswer => {
        this.#at(item.shard).put(item)
        return { status: 'done', units: writeUnitsOf(itemBytes(item.shard, item)) }
      })
    })
  }

  #at(shard: ShardRef): StoredItems {
    const place = placeOf(shard)
    let items = this.#places.get(place)
    if (items === undefined) {
      items = new StoredItems()
      this.#places.set(place, items)
    }
    return items
  }
}

function answerOf(newer: Stamp | undefined, units: number): ItemWriteAnswer {
  return newer === undefined ? { status: 'done', units } : { status: 'newer', stamp: newer, units }
}

function requireCount(what: string, given: number, most: number, things: string): void {
  if (given >= 1 && given <= most) return
  throw new BackendError('invalid', `${what} takes 1 to ${most} ${things}, but came with ${given}.`)
}

function answered<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(asBackendError(error))
  }
}

// Problem: what people keep under a hot key is often a list of items, of which no two can be merged into one write.
// Scheme: an item stands in one shard of its key, under its sort value, with a stamp; a delete may leave a tombstone. The core
//   chooses the shard and merges pages of several shards; an adapter makes the naive calls under one condition: the greater
//   stamp stays.
// Invariants: a change of one item is atomic; a strong read sees every acknowledged change; what a request finds to be newer than
//   its own stamp it leaves alone and says so; the same request twice has the effect of one.
// Cost: one request to the store for each put, delete, get and page.
// Source: docs/routing.md, «Rules for collections».

import type { ItemValue } from '../item/item-value.js'
import type { SortBound } from '../item/sort-bound.js'
import type { SortType, SortValue } from '../item/sort-value.js'
import type { Stamp } from '../merge/stamp.js'
import type { ShardRef } from '../operation.js'
import type { ThrottleDetail } from './backend-error.js'
import type { Call, RouteStamp, ShardFailure } from './request.js'

/** Collections: items under a key, ordered by a sort value. A facet that a backend may leave out. */
export interface CollectionStore {
  /** What it can do, as data. The core refuses what goes beyond before anything is sent. */
  readonly limits: CollectionLimits
  /** Stores an item unless an item or a tombstone with a greater stamp is there. An item without a stamp is older than any. */
  put(put: ItemPut, call: Call): Promise<ItemWriteAnswer>
  /** Takes an item away, in one of two ways. */
  delete(deletion: ItemDeletion, call: Call): Promise<ItemWriteAnswer>
  /** Reads one sort value in several shards; one answer for each, in the order asked. Rejects only when no shard could be read at all. */
  get(read: ItemRead, call: Call): Promise<readonly ItemAnswer[]>
  /** Reads items and tombstones of one shard in the order of their sort values. */
  page(page: ShardPage, call: Call): Promise<ShardPageAnswer>
  /**
   * Stores items of one key whose sort values are never written twice, without any condition: one answer for each, in the order
   * given. For stores whose batches know no conditions; where it is missing, the core puts them one by one. Rejects only when
   * nothing at all was stored.
   */
  append?(append: ItemAppend, call: Call): Promise<readonly AppendAnswer[]>
}

/** A store's limits on collections. */
export interface CollectionLimits {
  /** Which types of sort values it orders. */
  readonly sortTypes: readonly SortType[]
  /** The most bytes that a sort value may take: of UTF-8 for a string, 8 for a number. */
  readonly sortBytesMax: number
  /** The most bytes that an item may take as JSON. */
  readonly itemBytesMax: number
  /** The most items that one page may be asked for. */
  readonly itemsPerPageMax: number
  /** How many items one `append` takes; 1 where there is none. */
  readonly itemsPerAppendMax: number
  /** Whether one key may hold items and a record's fields. Where it may not, `seal` of a place of items, and `page` of a place of fields, fail as `invalid`. */
  readonly mayShareKeys: boolean
}

/** An item on its way to a shard. */
export interface ItemPut {
  readonly shard: ShardRef
  readonly sort: SortValue
  /** Never changed by anybody. */
  readonly value: ItemValue
  readonly stamp: Stamp
}

/** How an item is taken away. */
export interface ItemDeletion {
  readonly shard: ShardRef
  readonly sort: SortValue
  readonly stamp: Stamp
  /**
   * - `tombstone`: what is there gives way to a tombstone with the stamp, also where nothing is, unless something newer is there.
   * - `remove`: what is there goes, unless it is newer; nothing stays.
   */
  readonly mode: 'tombstone' | 'remove'
  /** A tombstone may go by the store's own expiry, or in passing, no sooner than so many milliseconds from now. Of no matter to a removal. */
  readonly retentionMs: number
}

/** What became of a put or a delete that was answered. */
export type ItemWriteAnswer = ItemWriteDone | ItemWriteNewer

/** It is in: by this attempt or an earlier one. */
export interface ItemWriteDone {
  readonly status: 'done'
  /** Of a delete in shard 0: the stamp that `RecordStore.stampRoute` left there. Undefined stands for none. */
  readonly route?: RouteStamp | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** Something with a greater stamp is there and was left alone. */
export interface ItemWriteNewer {
  readonly status: 'newer'
  /** The stamp that is there. */
  readonly stamp: Stamp
  /** Of a delete in shard 0: the stamp that `RecordStore.stampRoute` left there. Undefined stands for none. */
  readonly route?: RouteStamp | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** An item, or its tombstone, as it is stored. */
export interface StoredItem {
  readonly sort: SortValue
  /** Undefined for an item that was there before Spillway: it is older than any. */
  readonly stamp: Stamp | undefined
  /** Undefined for a tombstone. The reader's own: it may be changed. */
  readonly value: ItemValue | undefined
}

/** A read of one item where it may be. */
export interface ItemRead {
  /** Of one key; at least one, at most `shardsPerReadMax`. */
  readonly shards: readonly ShardRef[]
  readonly sort: SortValue
  /** `strong` sees every acknowledged write; `eventual` may be cheaper. */
  readonly consistency: 'strong' | 'eventual'
}

/** What a read says of one shard. */
export type ItemAnswer = ItemContents | ShardFailure

/** The shard was read. */
export interface ItemContents {
  readonly status: 'read'
  /** The item or its tombstone; undefined when neither is there. */
  readonly item: StoredItem | undefined
  /** Of shard 0: the stamp that `RecordStore.stampRoute` left there. Undefined stands for none. */
  readonly route?: RouteStamp | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** A read of items of one shard. */
export interface ShardPage {
  readonly shard: ShardRef
  /** The type of the collection's sort values, for stores that keep them as bytes. */
  readonly sortType: SortType
  /** Nothing before it is read. Undefined: from the first. */
  readonly lower: SortBound | undefined
  /** Nothing behind it is read. Undefined: to the last. */
  readonly upper: SortBound | undefined
  readonly order: 'ascending' | 'descending'
  /** At most so many items and tombstones; at least 1, at most `itemsPerPageMax`. */
  readonly limit: number
  readonly consistency: 'strong' | 'eventual'
}

/** A part of a shard's items. */
export interface ShardPageAnswer {
  /** In the order asked for. There may be fewer than `limit`, or none, with more behind them. */
  readonly items: readonly StoredItem[]
  /** Undefined when the range ends here. Else everything up to this value, it included, has been looked at: the next page begins behind it. */
  readonly next: SortValue | undefined
  /** Of shard 0: the stamp that `RecordStore.stampRoute` left there. Undefined stands for none. */
  readonly route?: RouteStamp | undefined
  /** Capacity units consumed, where the store tells. */
  readonly units?: number | undefined
  /** Attempts of this request that the store throttled and that the client repeated by itself. @default none */
  readonly throttles?: readonly ThrottleDetail[] | undefined
}

/** Items whose sort values are never written twice. */
export interface ItemAppend {
  /** Of one key; no two with the same shard and sort value; at most `itemsPerAppendMax`. */
  readonly items: readonly ItemPut[]
}

/** What became of one item of an `append`. */
export type AppendAnswer = ItemWriteDone | ShardFailure

// Problem: no two items of a hot key can be merged into one write, and they have to come back in order.
// Scheme: an item of a collection is an item of the table, under its shard's place and its sort value; a put is one conditional
//   PutItem, a page one Query.
// Invariants: those of the contract; the item under `sortValue` is the record's, and no collection's.
// Cost: a request for each, as the operations say.
// Source: collection-store.ts of @spillway/core.

import type { CollectionLimits, CollectionStore } from '@spillway/core'

import type { CollectionParts } from './collection-parts.js'
import type { ItemParts } from './item-parts.js'
import { itemBytesMax, itemsPerBatchMax, itemsPerPageMax, sortKeyBytesMax } from './limits.js'
import { append } from './operations/append.js'
import { deleteItem } from './operations/delete-item.js'
import { getItems } from './operations/get-items.js'
import { page } from './operations/page.js'
import { putItem } from './operations/put-item.js'
import { sortTypeOf } from './sort-attribute.js'

/** The collections of a table; undefined where it has no sort key. */
export function collectionsOf(items: ItemParts): CollectionStore | undefined {
  const { sortKey } = items.table
  if (sortKey === undefined) return undefined
  const parts: CollectionParts = { ...items, sortKey }
  const limits: CollectionLimits = Object.freeze({
    sortTypes: Object.freeze([sortTypeOf(sortKey.record)]),
    sortBytesMax: sortKeyBytesMax,
    itemBytesMax,
    itemsPerPageMax,
    itemsPerAppendMax: itemsPerBatchMax,
    mayShareKeys: true,
  })
  return {
    limits,
    put: (put, call) => putItem(parts, put, call),
    delete: (deletion, call) => deleteItem(parts, deletion, call),
    get: (read, call) => getItems(parts, read, call),
    page: (asked, call) => page(parts, asked, call),
    append: (appended, call) => append(parts, appended, call),
  }
}

import { BackendError, type SortValue, type Stamp, type StoredItem } from '@spillway/core'

import { itemStampAttribute, tombstoneAttribute } from './attributes.js'
import { valueOf } from './item-attributes.js'
import { isStampText, stampOf } from './stamp-text.js'
import { attributeIn, textIn, type Item } from './table.js'

/** The item of a collection, or its tombstone, under a sort value. Throws `BackendError` where its stamp is none of Spillway's. */
export function storedItem(sort: SortValue, item: Item, keys: ReadonlySet<string>): StoredItem {
  const isTombstone = attributeIn(item, tombstoneAttribute) !== undefined
  return { sort, stamp: stampIn(item), value: isTombstone ? undefined : valueOf(item, keys) }
}

/** The stamp of an item; undefined where it was there before Spillway. Throws `BackendError` where it is none of Spillway's. */
export function stampIn(item: Item): Stamp | undefined {
  const text = textIn(item, itemStampAttribute)
  if (text === undefined) return undefined
  if (isStampText(text)) return stampOf(text)
  throw new BackendError(
    'invalid',
    `Attribute ${JSON.stringify(itemStampAttribute)} is Spillway's own and has a stamp, but was found with ${JSON.stringify(text.slice(0, 40))}: names with ~ are taken, so rename yours.`,
  )
}

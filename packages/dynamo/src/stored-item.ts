import { BackendError, type SortValue, type Stamp, type StoredItem } from '@spillway/core'

import { itemStampAttribute, tombstoneAttribute } from './attributes.js'
import { valueOf } from './item-attributes.js'
import { isStampText, stampOf } from './stamp-text.js'
import { attributeIn, textIn, type Item } from './table.js'

/** The item of a collection, or its tombstone, under a sort value. Throws `BackendError` where its stamp is none of Spillway's. */
export function storedItem(sort: SortValue, item: Item, keys: ReadonlySet<string>): StoredItem {
  const stamp = stampIn(item)
  const mark = attributeIn(item, tombstoneAttribute)
  if (stamp === undefined && mark !== undefined) throw foreign(tombstoneAttribute, Object.keys(mark).join(', '))
  return { sort, stamp, value: mark === undefined ? valueOf(item, keys) : undefined }
}

/** The stamp of an item; undefined where it was there before Spillway. Throws `BackendError` where it is none of Spillway's. */
export function stampIn(item: Item): Stamp | undefined {
  const text = textIn(item, itemStampAttribute)
  if (text === undefined) return undefined
  if (isStampText(text)) return stampOf(text)
  throw foreign(itemStampAttribute, JSON.stringify(text.slice(0, 40)))
}

function foreign(attribute: string, found: string): BackendError {
  const name = JSON.stringify(attribute)
  return new BackendError(
    'invalid',
    `Attribute ${name} is Spillway's own, but was found with ${found} that it has not written: names with ~ are taken, so rename yours.`,
  )
}

import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { placeOf, type Call, type ItemPut, type ItemWriteAnswer } from '@spillway/core'

import { itemStampAttribute } from '../attributes.js'
import type { CollectionParts } from '../collection-parts.js'
import { attributesOf } from '../item-attributes.js'
import { requireItemSort } from '../sort-attribute.js'
import { stampText } from '../stamp-text.js'
import type { Item } from '../table.js'
import { changeItem } from './change-item.js'

/** Stores an item unless something newer is there. Rejects with `BackendError`. */
export async function putItem(parts: CollectionParts, put: ItemPut, call: Call): Promise<ItemWriteAnswer> {
  const Item = itemOf(parts, put)
  return changeItem(parts, put, (guard) => new PutItemCommand({ TableName: parts.table.name, Item, ...guard }), call)
}

/** An item as it is stored. Throws `BackendError` where DynamoDB cannot have it. */
export function itemOf({ table, sortKey }: CollectionParts, { shard, sort, value, stamp }: ItemPut): Item {
  requireItemSort(sortKey, sort)
  return {
    ...attributesOf(value, table.keyNames),
    ...table.key(placeOf(shard), sort),
    [itemStampAttribute]: { S: stampText(stamp) },
  }
}

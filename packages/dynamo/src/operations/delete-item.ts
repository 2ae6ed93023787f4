// Problem: an item has to go so that no older version of it that arrives late brings it back.
// Scheme: a tombstone with a stamp takes its place, under the condition of a put; or the item alone goes, where nothing can
//   arrive late.
// Invariants: what is newer stays; a tombstone stays for `retentionMs`, by this machine's clock, and for good where the table
//   has no TTL attribute.
// Cost: one request.
// Source: docs/routing.md, «Rules for collections»; howitworks-ttl.html: an expired item goes within a few days.

import { DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { placeOf, type Call, type ItemDeletion, type ItemWriteAnswer } from '@spillway/core'

import { itemStampAttribute, tombstoneAttribute } from '../attributes.js'
import type { CollectionParts } from '../collection-parts.js'
import { requireItemSort } from '../sort-attribute.js'
import { stampText } from '../stamp-text.js'
import type { Item } from '../table.js'
import { epochSeconds } from '../time/epoch-seconds.js'
import { changeItem } from './change-item.js'

/** Takes an item away unless something newer is there. Rejects with `BackendError`. */
export async function deleteItem(parts: CollectionParts, deletion: ItemDeletion, call: Call): Promise<ItemWriteAnswer> {
  const { shard, sort, mode } = deletion
  const { table } = parts
  requireItemSort(parts.sortKey, sort)
  const key = table.key(placeOf(shard), sort)
  switch (mode) {
    case 'tombstone': {
      const Item = { ...key, ...tombstoneOf(deletion, table.ttlAttribute) }
      return changeItem(parts, deletion, (guard) => new PutItemCommand({ TableName: table.name, Item, ...guard }), call)
    }
    case 'remove': {
      const commandOf = (guard: object) => new DeleteItemCommand({ TableName: table.name, Key: key, ...guard })
      return changeItem(parts, deletion, commandOf, call)
    }
    default:
      return mode satisfies never
  }
}

function tombstoneOf({ stamp, retentionMs }: ItemDeletion, ttlAttribute: string | undefined): Item {
  return {
    [itemStampAttribute]: { S: stampText(stamp) },
    [tombstoneAttribute]: { BOOL: true },
    ...(ttlAttribute !== undefined && { [ttlAttribute]: { N: String(epochSeconds(retentionMs)) } }),
  }
}

import { compareSort, type Call, type ItemAnswer, type ItemContents, type ItemRead } from '@spillway/core'

import type { CollectionParts } from '../collection-parts.js'
import { isKeyValue, requireSortType } from '../sort-attribute.js'
import { storedItem } from '../stored-item.js'
import { readEach } from './read-each.js'

/** Reads one sort value in several shards. Rejects with `BackendError` when none could be read. */
export async function getItems(parts: CollectionParts, asked: ItemRead, call: Call): Promise<readonly ItemAnswer[]> {
  const { shards, sort, consistency } = asked
  const { table, sortKey } = parts
  requireSortType(sortKey, sort)
  // Where records stand, and where no key can be, no item is.
  if (!isKeyValue(sort) || compareSort(sort, sortKey.record) === 0)
    return shards.map(() => ({ status: 'read', item: undefined }))
  return readEach<ItemContents>(
    parts,
    {
      shards,
      sort,
      consistency,
      answerOf: (item, units, throttles) => ({
        status: 'read',
        item: item && storedItem(sort, item, table.keyNames),
        units,
        throttles,
      }),
    },
    call,
  )
}

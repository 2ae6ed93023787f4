import { byteLength } from '../internal/byte-length.js'
import { sortBytes } from '../item/sort-value.js'
import type { ShardRef } from '../operation.js'
import type { StoredItem } from './collection-store.js'
import { placeOf } from './place.js'

/** About how many bytes an item of a shard takes in a store: its place, its sort value and its JSON, of which a tombstone has none. */
export function itemBytes(shard: ShardRef, { sort, value }: Pick<StoredItem, 'sort' | 'value'>): number {
  const valueBytes = value === undefined ? 0 : byteLength(JSON.stringify(value))
  return byteLength(placeOf(shard)) + sortBytes(sort).length + valueBytes
}

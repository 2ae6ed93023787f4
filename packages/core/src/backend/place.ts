import type { ShardRef } from '../operation.js'

/** What stands between a key and a shard's suffix. Keys that contain it are Spillway's own. */
export const reservedMark = '~spillway~'

/** How many bytes a suffix takes at most: the mark, an index below 10,000, a generation, a nonce and the dots between them. */
export const suffixBytesMax = 40

/** Where stores without a place of its own for it keep the directory. */
export const directoryPlace = `${reservedMark}directory`

/**
 * Where a shard stands, as text: shard 0 is the key itself, byte for byte; any other is the key with a suffix of index and
 * generation, such as `user~spillway~3.lx2k9f.00c0ffee`. No two shards of keys without the mark share a place: the suffix
 * has no `~`, so the last one always ends the mark.
 */
export function placeOf(shard: ShardRef): string {
  if (shard.index === 0) return shard.key
  let place = places.get(shard)
  if (place === undefined) {
    const { number, nonce } = shard.generation
    place = `${shard.key}${reservedMark}${shard.index}.${number.toString(36)}.${nonce.toString(16).padStart(8, '0')}`
    places.set(shard, place)
  }
  return place
}

/** Of shards of routes, which are the same objects as long as the route is. */
const places = new WeakMap<ShardRef, string>()

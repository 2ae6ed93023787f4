import type { Capabilities, ShardRef } from '@spillway/core'

import * as limits from './limits.js'

/** What stands between a key and a shard's suffix. Keys that contain it are Spillway's own. */
export const reservedMark = '~spillway~'

/** The mark, an index below 10,000, a generation in base 36, a nonce and the dots between them take at most so many bytes. */
const suffixBytesMax = 40

/** The partition key of the item that holds the directory. */
export const directoryPlace = `${reservedMark}directory`

/**
 * The partition key of a shard's item: shard 0 is the key itself, byte for byte; any other is the key with a suffix of index
 * and generation, such as `user~spillway~3.lx2k9f.00c0ffee`. No two shards of keys without the mark share one.
 */
export function placeOf(shard: ShardRef): string {
  if (shard.index === 0) return shard.key
  const { number, nonce } = shard.generation
  return `${shard.key}${reservedMark}${shard.index}.${number.toString(36)}.${nonce.toString(16).padStart(8, '0')}`
}

/** What DynamoDB can do, as the core asks for it. */
export const capabilities: Capabilities = Object.freeze({
  keyBytesMax: limits.partitionKeyBytesMax - suffixBytesMax,
  changeBytesMax: limits.changeBytesMax,
  shardsPerReadMax: limits.keysPerBatchMax,
  integerMax: limits.integerMax,
  reservedMark,
  partition: Object.freeze({
    writeUnitsPerSecond: limits.writeUnitsPerSecond,
    readUnitsPerSecond: limits.readUnitsPerSecond,
  }),
})

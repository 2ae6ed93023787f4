// unstorage, src/drivers/redis.ts: `getItems` sends one MGET for all keys, in cluster mode as well, which Redis Cluster refuses
// as soon as they lie in different slots. Its tests run on a mock that knows no slots.

import { BackendError, placeOf, type ShardRef } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { withRecords } from '../mutants/mutant.js'
import type { KnownFault } from './known-fault.js'

/** Where a cluster keeps a place; three slots are enough to lie apart. */
function slotOf(shard: ShardRef): number {
  let sum = 0
  for (const byte of Buffer.from(placeOf(shard))) sum = (sum * 31 + byte) % 16_381
  return sum % 3
}

export const crossSlot: KnownFault = {
  seenIn: 'unstorage, the redis driver’s getItems()',
  fault: 'a batch is one command, which fails as a whole when its keys lie in different slots',
  breaks: ['batch-order', 'batch-absorbed', 'batch-largest', 'partial-neighbours'],
  harness: troubled(
    withRecords((records) => ({
      read(read, call) {
        if (new Set(read.shards.map(slotOf)).size === 1) return records.read(read, call)
        const message = "CROSSSLOT Keys in request don't hash to the same slot"
        return Promise.reject(new BackendError('invalid', message))
      },
    })),
  ),
}

import { BackendError, placeOf, type Call, type Field, type ShardContents, type ShardRef } from '@spillway/core'

import { sealedAttribute } from '../attributes.js'
import { contended } from '../contention.js'
import { Expression } from '../expression.js'
import type { Parts } from '../parts.js'
import { contentsOf } from './contents.js'
import { update } from './update.js'

/**
 * Freezes a shard, also one that was never written, and answers with what it holds: one write, which brings the item back as
 * it left it. Rejects with `BackendError`, of kind `invalid` for shard 0, whose writes do not ask for a seal.
 */
export async function seal(
  parts: Parts,
  shard: ShardRef,
  fields: readonly Field[],
  call: Call,
): Promise<ShardContents> {
  if (shard.index === 0) throw new BackendError('invalid', 'Shard 0 is the key itself and is never sealed.')
  const place = placeOf(shard)
  const expression = new Expression()
  expression.set(sealedAttribute, { N: '1' })
  const outcome = await update(parts, place, expression, true, call)
  if (outcome.status === 'conditionFailed') throw contended(place) // there is no condition
  const { Attributes, ConsumedCapacity } = outcome.output
  const item = Attributes ?? {}
  return {
    ...contentsOf(parts.table, fields, item, ConsumedCapacity?.CapacityUnits, outcome.throttles),
    otherFields: parts.table.otherFields(fields, item),
  }
}

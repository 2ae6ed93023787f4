import type { Call, Field, ShardContents, ShardRef } from '@spillway/core'

import { sealedAttribute } from '../attributes.js'
import { Expression } from '../expression.js'
import type { Parts } from '../parts.js'
import { contended } from '../change-plan.js'
import { placeOf } from '../physical-key.js'
import { contentsOf } from './contents.js'
import { update } from './update.js'

/**
 * Freezes a shard, also one that was never written, and answers with what it holds: one write, which brings the item back as
 * it left it. Rejects with `BackendError`.
 */
export async function seal(
  parts: Parts,
  shard: ShardRef,
  fields: readonly Field[],
  call: Call,
): Promise<ShardContents> {
  const place = placeOf(shard)
  const expression = new Expression()
  expression.set(sealedAttribute, { N: '1' })
  const outcome = await update(parts, place, expression, 'ALL_NEW', call)
  if (outcome.status === 'conditionFailed') throw contended(place) // there is no condition
  const { Attributes, ConsumedCapacity } = outcome.output
  return contentsOf(parts.table, fields, Attributes ?? {}, ConsumedCapacity?.CapacityUnits)
}

import { BackendError, type Call, type ShardRef } from '@spillway/core'

import { isOwnAttribute, sealedAttribute } from '../attributes.js'
import { contended } from '../change-plan.js'
import { isSealed } from '../dedupe.js'
import { Expression } from '../expression.js'
import { roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import { placeOf } from '../physical-key.js'
import { epochSeconds } from '../time/epoch-seconds.js'
import { look } from './look.js'
import { update } from './update.js'

/**
 * Takes every field out of a sealed shard's item and sets the table's TTL attribute, if it has one: a strong read and one
 * write. Rejects with `BackendError`, of kind `rejected` when the shard is not sealed.
 */
export async function clear(
  parts: Parts,
  shard: ShardRef,
  retentionMs: number,
  call: Call,
): Promise<'expires' | 'stays'> {
  const place = placeOf(shard)
  const { table } = parts
  const { ttlAttribute } = table
  for (let round = 0; round < roundsMax; round++) {
    const { item } = await look(parts, place, call)
    if (!isSealed(item)) throw new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.')
    const expression = new Expression()
    expression.require(`attribute_exists(${expression.name(sealedAttribute)})`)
    for (const attribute of Object.keys(item))
      if (!table.isTaken(attribute) && !isOwnAttribute(attribute)) expression.remove(attribute)
    if (ttlAttribute !== undefined && !Object.hasOwn(item, ttlAttribute))
      expression.set(ttlAttribute, { N: String(epochSeconds(retentionMs)) })
    if (expression.isEmpty) return ttlAttribute === undefined ? 'stays' : 'expires'
    const outcome = await update(parts, place, expression, 'NONE', call)
    if (outcome.status === 'answered') return ttlAttribute === undefined ? 'stays' : 'expires'
  }
  throw contended(place)
}

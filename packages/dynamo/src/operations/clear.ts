// Problem: a shard that was merged back is read by nobody, and yet has to refuse what may still arrive for it.
// Scheme: take every field out of its item, leave what is Spillway's own, and set the table's TTL attribute, if it has one.
// Invariants: only a sealed shard is touched; the item goes no sooner than `retentionMs` after the first clear, by this
//   machine's clock, whatever its writes said; without a TTL attribute its remains stay.
// Cost: one strong read and one write; one more of each for every 512 fields beyond the first.
// Source: docs/routing.md, «Rules for records»; howitworks-ttl.html: an expired item goes within a few days.

import { BackendError, placeOf, type Call, type ShardRef } from '@spillway/core'

import { sealedAttribute } from '../attributes.js'
import { contended } from '../contention.js'
import { isSealed } from '../dedupe.js'
import { Effort, withThrottles } from '../effort.js'
import { Expression } from '../expression.js'
import { removedAtOnceMax, roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import { attributeIn, type Item, type Table } from '../table.js'
import { epochSeconds } from '../time/epoch-seconds.js'
import { lookFor } from './look.js'
import { update } from './update.js'

/**
 * Takes every field out of a sealed shard's item and sets the table's TTL attribute, if it has one. Rejects with
 * `BackendError`, of kind `rejected` when the shard is not sealed.
 */
export async function clear(
  parts: Parts,
  shard: ShardRef,
  retentionMs: number,
  call: Call,
): Promise<'expires' | 'stays'> {
  const effort = new Effort()
  try {
    return await cleared(parts, shard, retentionMs, call, effort)
  } catch (error) {
    throw withThrottles(error, effort.throttles)
  }
}

async function cleared(
  parts: Parts,
  shard: ShardRef,
  retentionMs: number,
  call: Call,
  effort: Effort,
): Promise<'expires' | 'stays'> {
  const place = placeOf(shard)
  const answer = parts.table.ttlAttribute === undefined ? 'stays' : 'expires'
  for (let round = 0; round < roundsMax; round++) {
    const item = await lookFor(parts, place, call, effort)
    if (!isSealed(shard, item))
      throw new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.')
    const fields = parts.table.fieldAttributes(item)
    const now = fields.slice(0, removedAtOnceMax)
    const expression = clearing(parts.table, item, now, retentionMs)
    if (expression.isEmpty) return answer
    const { status, throttles } = await update(parts, place, expression, false, call)
    effort.spend(0, throttles)
    if (status === 'answered' && now.length === fields.length) return answer
  }
  throw contended(place)
}

function clearing(table: Table, item: Item, fields: readonly string[], retentionMs: number): Expression {
  const expression = new Expression()
  expression.require(`attribute_exists(${expression.name(sealedAttribute)})`)
  for (const field of fields) expression.remove(field)
  const { ttlAttribute } = table
  // Whoever clears twice does not keep the item for longer.
  const isDue = ttlAttribute !== undefined && (fields.length > 0 || attributeIn(item, ttlAttribute) === undefined)
  if (isDue) expression.set(ttlAttribute, { N: String(epochSeconds(retentionMs)) })
  return expression
}

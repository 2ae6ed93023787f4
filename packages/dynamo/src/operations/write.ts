// Problem: a merged change has to be in once, in one request, whoever else writes the item at the same moment.
// Scheme: the whole change goes as one UpdateItem whose condition holds the dedupe rule, the seal and what max, min and latest
//   need. When it fails, the item says why (the service sends it along, or one strong read fetches it): the change is in, or the
//   shard is sealed, or a number is too old, or fields have lost, and then the rest goes once more without them.
// Invariants: those of dedupe.ts and change-plan.ts; each further round has a field less or a rival's write to follow. Once a
//   copy of any round may still be on its way, no failure of a later one says that nothing was done. Shard 0 is never sealed:
//   sums that go there without a number have no condition at all, and are a plain ADD. A write that is done has set its expiry,
//   by this machine's clock, also if all of its fields have lost.
// Cost: one request; one more for fields that lose; one strong read before it for a rule of the user's own, and for more than
//   32 max, min and latest fields.
// Source: API_UpdateItem.html, on ReturnValuesOnConditionCheckFailure.

import { BackendError, placeOf, type Call, type ShardWrite, type WriteAnswer } from '@spillway/core'

import { applyChanges, needsReading, requireOneRequest, withoutLosers } from '../change-plan.js'
import { afterCollision, contended } from '../contention.js'
import { judgementOf, requireNew, requireOpen } from '../dedupe.js'
import { Effort, failureAfter } from '../effort.js'
import { Expression } from '../expression.js'
import { roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import type { Item } from '../table.js'
import { epochSeconds } from '../time/epoch-seconds.js'
import { lookFor } from './look.js'
import { update } from './update.js'
import { withFieldNamed } from './wrong-type.js'

/** Merges a change into one shard. Rejects with `BackendError`. */
export async function write(parts: Parts, asked: ShardWrite, call: Call): Promise<WriteAnswer> {
  if (asked.changes.length === 0)
    throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
  requireOneRequest(asked.changes)
  const effort = new Effort()
  try {
    const { status, forgottenUpTo } = await written(parts, asked, call, effort)
    if (status === 'expired' && effort.hasLostCopies)
      throw new BackendError(
        'unknown',
        'The number of this write is forgotten, and a copy of it may have been applied.',
      )
    return { status, forgottenUpTo, units: effort.units, throttles: effort.throttles }
  } catch (error) {
    throw failureAfter(effort, await withFieldNamed(parts, asked, error, call, effort))
  }
}

async function written(parts: Parts, asked: ShardWrite, call: Call, effort: Effort): Promise<WriteAnswer> {
  const { shard, changes, stamp, expiresInMs } = asked
  const { table, housekeeping } = parts
  const isExpiring = expiresInMs !== undefined && table.ttlAttribute !== undefined
  const place = placeOf(shard)
  let remaining = changes
  let known: Item | undefined
  if (needsReading(changes)) {
    known = await lookFor(parts, place, call, effort)
    const judgement = judgementOf(shard, known, stamp)
    if (judgement !== undefined) return judgement
    remaining = withoutLosers(table, remaining, known)
  }
  for (let round = 0; round < roundsMax; round++) {
    if (remaining.length === 0 && !isExpiring) break
    const expression = new Expression()
    if (shard.index > 0) requireOpen(expression)
    if (stamp !== undefined) requireNew(expression, stamp)
    applyChanges(expression, table, remaining, known)
    if (isExpiring) expression.set(table.ttlAttribute, { N: String(epochSeconds(expiresInMs)) })
    const isLooking = stamp !== undefined && housekeeping.wantsToLook(stamp)
    const outcome = await update(parts, place, expression, isLooking, call)
    if (outcome.status === 'answered') {
      const { Attributes, ConsumedCapacity } = outcome.output
      if (isLooking && Attributes !== undefined) housekeeping.tidy(place, Attributes, stamp)
      effort.spend(ConsumedCapacity?.CapacityUnits, outcome.throttles)
      return { status: 'done' }
    }
    effort.spend(0, outcome.throttles)
    effort.hasLostCopies ||= outcome.hasLostCopies
    const [builtOn, count] = [known, remaining.length]
    known = outcome.item ?? (await lookFor(parts, place, call, effort))
    const judgement = judgementOf(shard, known, stamp)
    if (judgement !== undefined) return judgement
    remaining = withoutLosers(table, remaining, known)
    if (remaining.length === count) await afterCollision({ place, round, builtOn, found: known }, call)
  }
  if (remaining.length > 0 || isExpiring) throw contended(place)
  return { status: 'done' } // all that is left has lost: what is stored stands above it
}

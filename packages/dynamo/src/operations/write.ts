// Problem: a merged change has to be in once, in one request, whoever else writes the item at the same moment.
// Scheme: the whole change goes as one UpdateItem whose condition holds the dedupe rule, the seal and what max, min and latest
//   need. When it fails, the item says why (the service sends it along, or one strong read fetches it): the change is in, or the
//   shard is sealed, or a number is too old, or fields have lost, and then the rest goes once more without them.
// Invariants: those of dedupe.ts and change-plan.ts; each further round has a field less or a rival's revision to follow.
// Cost: one request; one more for fields that lose; one strong read before it for a rule of the user's own.
// Source: API_UpdateItem.html, on ReturnValuesOnConditionCheckFailure.

import {
  BackendError,
  type Call,
  type FieldChange,
  type ShardWrite,
  type WriteAnswer,
  type WriteStamp,
} from '@spillway/core'

import { applyChanges, contended, needsReading, portionsOf, withoutLosers } from '../change-plan.js'
import { judgementOf, requireNew } from '../dedupe.js'
import { Expression } from '../expression.js'
import { roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import { placeOf } from '../physical-key.js'
import type { Item } from '../table.js'
import { look, type Looked } from './look.js'
import { update } from './update.js'

/** Merges a change into one shard. Rejects with `BackendError`. */
export async function write(parts: Parts, { shard, changes, stamp }: ShardWrite, call: Call): Promise<WriteAnswer> {
  if (changes.length === 0)
    throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
  const place = placeOf(shard)
  const portions = portionsOf(changes)
  let units = 0
  for (const [i, portion] of portions.entries()) {
    const isLast = i === portions.length - 1
    const answer = await writePortion(parts, place, portion, isLast ? stamp : undefined, call)
    units += answer.units ?? 0
    if (isLast || answer.status !== 'done') return { ...answer, units }
  }
  throw contended(place) // there is at least one portion
}

async function writePortion(
  parts: Parts,
  place: string,
  changes: readonly FieldChange[],
  stamp: WriteStamp | undefined,
  call: Call,
): Promise<WriteAnswer> {
  const { table, housekeeping } = parts
  let units = 0
  let remaining = changes
  let known: Item | undefined
  const learn = async (item: Item | undefined, hasLostCopies: boolean) => {
    const seen = item === undefined ? await lookFor(parts, place, call, hasLostCopies) : { item, units: 0 }
    units += seen.units
    known = seen.item
    remaining = withoutLosers(table, remaining, known)
    return judgementOf(known, stamp)
  }
  if (needsReading(changes)) {
    const judgement = await learn(undefined, false)
    if (judgement !== undefined) return { ...judgement, units }
  }
  for (let round = 0; round < roundsMax && remaining.length > 0; round++) {
    const expression = new Expression()
    requireNew(expression, stamp)
    applyChanges(expression, table, remaining, known)
    const isLooking = stamp !== undefined && housekeeping.wantsToLook(stamp)
    const outcome = await update(parts, place, expression, isLooking ? 'ALL_NEW' : 'NONE', call)
    if (outcome.status === 'answered') {
      const { Attributes, ConsumedCapacity } = outcome.output
      if (isLooking && Attributes !== undefined) housekeeping.tidy(place, Attributes, stamp)
      return { status: 'done', units: units + (ConsumedCapacity?.CapacityUnits ?? 0) }
    }
    const judgement = await learn(outcome.item, outcome.hasLostCopies)
    if (judgement !== undefined) return { ...judgement, units }
  }
  if (remaining.length > 0) throw contended(place)
  return { status: 'done', units } // all that is left has lost: what is stored stands above it
}

/** Why a condition failed. While that is not known, an earlier copy of the write may be the reason: then nobody knows whether it is in. */
async function lookFor(parts: Parts, place: string, call: Call, hasLostCopies: boolean): Promise<Looked> {
  try {
    return await look(parts, place, call)
  } catch (error) {
    if (!hasLostCopies) throw error
    throw new BackendError('unknown', 'A copy of this write may be in: its item could not be read afterwards.', {
      cause: error,
    })
  }
}

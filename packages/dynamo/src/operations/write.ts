// Problem: a merged change has to be in once, in one request, whoever else writes the item at the same moment.
// Scheme: the whole change goes as one UpdateItem whose condition holds the dedupe rule, the seal and what max, min and latest
//   need. When it fails, the item says why (the service sends it along, or one strong read fetches it): the change is in, or the
//   shard is sealed, or a number is too old, or fields have lost, and then the rest goes once more without them.
// Invariants: those of dedupe.ts and change-plan.ts; each further round has a field less or a rival's write to follow. Shard 0
//   is never sealed: sums that go there without a number have no condition at all, and are a plain ADD.
// Cost: one request; one more for fields that lose; one strong read before it for a rule of the user's own, and for more than
//   32 max, min and latest fields.
// Source: API_UpdateItem.html, on ReturnValuesOnConditionCheckFailure.

import { BackendError, placeOf, type Call, type ShardWrite, type WriteAnswer } from '@spillway/core'

import { applyChanges, contended, needsReading, requireOneRequest, withoutLosers } from '../change-plan.js'
import { judgementOf, requireNew, requireOpen } from '../dedupe.js'
import { Expression } from '../expression.js'
import { roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import type { HiddenThrottles } from '../requests.js'
import type { Item } from '../table.js'
import { look, type Looked } from './look.js'
import { update } from './update.js'

/** Merges a change into one shard. Rejects with `BackendError`. */
export async function write(parts: Parts, asked: ShardWrite, call: Call): Promise<WriteAnswer> {
  const { shard, changes, stamp } = asked
  if (changes.length === 0)
    throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
  requireOneRequest(changes)
  const { table, housekeeping } = parts
  const place = placeOf(shard)
  const spent = new Spent()
  let remaining = changes
  let known: Item | undefined
  if (needsReading(changes)) {
    known = spent.on(await look(parts, place, call)).item
    const judgement = judgementOf(known, stamp)
    if (judgement !== undefined) return spent.with(judgement)
    remaining = withoutLosers(table, remaining, known)
  }
  for (let round = 0; round < roundsMax && remaining.length > 0; round++) {
    const expression = new Expression()
    if (shard.index > 0) requireOpen(expression)
    if (stamp !== undefined) requireNew(expression, stamp)
    applyChanges(expression, table, remaining, known)
    const isLooking = stamp !== undefined && housekeeping.wantsToLook(stamp)
    const outcome = await update(parts, place, expression, isLooking, call)
    if (outcome.status === 'answered') {
      const { Attributes, ConsumedCapacity } = outcome.output
      if (isLooking && Attributes !== undefined) housekeeping.tidy(place, Attributes, stamp)
      spent.add(ConsumedCapacity?.CapacityUnits, outcome.throttles)
      return spent.with({ status: 'done' })
    }
    spent.add(0, outcome.throttles)
    known = outcome.item ?? spent.on(await lookFor(parts, place, call, outcome.hasLostCopies)).item
    const judgement = judgementOf(known, stamp)
    if (judgement !== undefined) return spent.with(judgement)
    remaining = withoutLosers(table, remaining, known)
  }
  if (remaining.length > 0) throw contended(place)
  return spent.with({ status: 'done' }) // all that is left has lost: what is stored stands above it
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

/** What the requests of one write have taken together. */
class Spent {
  #units = 0
  #throttles: HiddenThrottles

  on<T extends { readonly units: number | undefined; readonly throttles: HiddenThrottles }>(request: T): T {
    this.add(request.units, request.throttles)
    return request
  }

  add(units: number | undefined, throttles: HiddenThrottles): void {
    this.#units += units ?? 0
    if (throttles !== undefined) this.#throttles = [...(this.#throttles ?? []), ...throttles]
  }

  with({ status, forgottenUpTo }: WriteAnswer): WriteAnswer {
    return { status, forgottenUpTo, units: this.#units, throttles: this.#throttles }
  }
}

// Problem: frozen contents have to be merged into a lower shard once, however many try at once, and the record of it has to
//   be set in the same step.
// Scheme: read the target, merge as a write does, and swap the record of absorbed shards under the condition that it is still
//   the one that was read. DynamoDB cannot set an entry of a map that is not there, so the record is one text.
// Invariants: merged and recorded in one UpdateItem, or neither; a sealed target takes in nothing new.
// Cost: one strong read and one write; more only while others absorb into the same shard.
// Source: docs/routing.md, rule absorb.

import {
  BackendError,
  placeOf,
  type Absorb,
  type AbsorbedShard,
  type Call,
  type FieldChange,
  type ShardRef,
} from '@spillway/core'

import { absorbedOf, absorbedText, united } from '../absorbed-text.js'
import { absorbedAttribute } from '../attributes.js'
import { applyChanges, portionsOf, withoutLosers } from '../change-plan.js'
import { afterCollision, contended } from '../contention.js'
import { isSealed, requireOpen } from '../dedupe.js'
import { Effort, withThrottles } from '../effort.js'
import { Expression } from '../expression.js'
import { roundsMax } from '../limits.js'
import type { Parts } from '../parts.js'
import { attributeIn, textIn, type Item } from '../table.js'
import { lookFor } from './look.js'
import { update } from './update.js'
import { write } from './write.js'

/** Takes frozen contents into `target`, unless that generation of the source or a later one is recorded there. Rejects with `BackendError`. */
export async function absorb(parts: Parts, asked: Absorb, call: Call): Promise<void> {
  const effort = new Effort()
  try {
    await absorbed(parts, asked, call, effort)
  } catch (error) {
    throw withThrottles(error, effort.throttles)
  }
}

async function absorbed(parts: Parts, asked: Absorb, call: Call, effort: Effort): Promise<void> {
  const { target, source, contents } = asked
  const place = placeOf(target)
  const entry = { index: source.index, generation: source.generation.number }
  let known = await lookFor(parts, place, call, effort)
  if (isRecorded(known, entry)) return
  refuseSealed(target, known)
  const portions = portionsOf(changesOf(asked))
  // Beyond what one condition holds are only fields whose merging may be repeated: they go ahead of the rest.
  for (const changes of portions.slice(0, -1)) {
    const { throttles } = await write(parts, { shard: target, changes, stamp: undefined }, call)
    effort.spend(0, throttles)
  }
  const changes = portions.at(-1) ?? []
  for (let round = 0; round < roundsMax; round++) {
    const expression = new Expression()
    if (target.index > 0) requireOpen(expression)
    applyChanges(expression, parts.table, withoutLosers(parts.table, changes, known), known)
    record(expression, known, united([...recordedIn(known), entry, ...(contents.absorbed ?? [])]))
    const outcome = await update(parts, place, expression, false, call)
    if (outcome.status === 'answered') return
    effort.spend(0, outcome.throttles)
    const builtOn = known
    known = outcome.item ?? (await lookFor(parts, place, call, effort))
    if (isRecorded(known, entry)) return
    refuseSealed(target, known)
    await afterCollision({ place, round, builtOn, found: known }, call)
  }
  throw contended(place)
}

function changesOf({ fields, contents }: Absorb): readonly FieldChange[] {
  return fields
    .map((field, i) => ({ ...field, state: contents.states[i] }))
    .filter(({ state }) => state !== undefined && !(state instanceof Set && state.size === 0))
}

function recordedIn(known: Item): readonly AbsorbedShard[] {
  return absorbedOf(textIn(known, absorbedAttribute)) ?? []
}

function isRecorded(known: Item, { index, generation }: AbsorbedShard): boolean {
  return recordedIn(known).some((entry) => entry.index === index && entry.generation >= generation)
}

function refuseSealed(target: ShardRef, known: Item): void {
  if (!isSealed(target, known)) return
  throw new BackendError(
    'invalid',
    'A sealed shard takes in nothing: absorb into the shard that stays, before it is sealed itself.',
  )
}

function record(expression: Expression, known: Item, entries: readonly AbsorbedShard[]): void {
  const before = attributeIn(known, absorbedAttribute)
  const name = expression.name(absorbedAttribute)
  expression.require(before === undefined ? `attribute_not_exists(${name})` : `${name} = ${expression.value(before)}`)
  expression.set(absorbedAttribute, { S: absorbedText(entries) })
}

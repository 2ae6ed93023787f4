// Problem: one flush has to be one request that merges every field by its rule, or does nothing at all.
// Scheme: sums and unions by ADD; max, min and latest by SET under the condition that the change would be seen; a rule of the
//   user's own by SET under the condition that its revision is still the one that was read. Conditions are loose, so that
//   they hold whatever is stored, or where there are many of them tight: what was read says which half of each is needed.
// Invariants: a condition that fails changes nothing; a field that has lost has lost for good, since what is stored only
//   rises, and is left out of the next request; DynamoDB and `isSeen` agree.
// Cost: a name, a value and for conditional fields about 40 to 100 bytes of expression each; tight ones half of that, and a
//   strong read before.
// Source: Expressions.UpdateExpressions.html, Expressions.OperatorsAndFunctions.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError, type FieldChange, type LatestState } from '@spillway/core'

import { jsonPart, revisionAttribute, stampPart } from './attributes.js'
import type { Expression } from './expression.js'
import { attributeOf, isSeen, ownRule, stateOf } from './field-state.js'
import { conditionalFieldsMax, looseFieldsMax } from './limits.js'
import { stampText } from './stamp-text.js'
import { attributeIn, numberIn, type Item, type Table } from './table.js'

/** Whether the item has to be read before these changes can be written: for a rule of the user's own, and for many conditions. */
export function needsReading(changes: readonly FieldChange[]): boolean {
  return changes.some(isOwnRule) || conditionalIn(changes) > looseFieldsMax
}

/** Throws `BackendError` when no single request can hold these changes: split, they would not be atomic. */
export function requireOneRequest(changes: readonly FieldChange[]): void {
  const count = conditionalIn(changes)
  if (count <= conditionalFieldsMax) return
  throw new BackendError(
    'invalid',
    `A write to DynamoDB changes at most ${conditionalFieldsMax} max, min and latest fields at once, but this one has ${count}: they do not fit one condition. Split the record.`,
  )
}

/** The changes without those that would not be seen beside what is stored. Throws `BackendError`. */
export function withoutLosers(table: Table, changes: readonly FieldChange[], known: Item): readonly FieldChange[] {
  return changes.filter(
    (change) => !isConditional(change) || isSeen(change, attributeIn(known, table.attribute(change))),
  )
}

/**
 * The changes in portions that fit a loose condition; all but the last one have only fields whose merging may be repeated.
 * For contents that are absorbed: as long as they are not recorded, readers merge them from their source as well.
 */
export function portionsOf(changes: readonly FieldChange[]): readonly (readonly FieldChange[])[] {
  const conditional = changes.filter(isConditional)
  const portions: FieldChange[][] = []
  for (let i = 0; i < conditional.length; i += looseFieldsMax) portions.push(conditional.slice(i, i + looseFieldsMax))
  const last = portions.pop() ?? []
  return [...portions, [...last, ...changes.filter((change) => !isConditional(change))]]
}

/**
 * Puts the changes into an update. `known` is the item as it was last seen; it is needed where `needsReading` says so. Throws
 * `BackendError`.
 */
export function applyChanges(
  expression: Expression,
  table: Table,
  changes: readonly FieldChange[],
  known: Item | undefined,
): void {
  const tightly = conditionalIn(changes) > looseFieldsMax ? (known ?? {}) : undefined
  for (const change of changes) {
    const attribute = table.attribute(change)
    switch (change.rule.kind) {
      case 'sum':
      case 'union':
        expression.add(attribute, attributeOf(change))
        break
      case 'max':
      case 'min':
        requireBeyond(expression, attribute, change, tightly)
        expression.set(attribute, attributeOf(change))
        break
      case 'latest':
        requireNewer(expression, attribute, change.state as LatestState, known, tightly !== undefined)
        expression.set(attribute, attributeOf(change))
        break
      case 'custom':
        expression.set(attribute, mergedByHand(change, known && attributeIn(known, attribute)))
        break
      default:
        change.rule.kind satisfies never
    }
  }
  if (changes.some(isOwnRule)) requireRevision(expression, known ?? {})
}

function isConditional({ rule }: FieldChange): boolean {
  return rule.kind === 'max' || rule.kind === 'min' || rule.kind === 'latest'
}

function isOwnRule({ rule }: FieldChange): boolean {
  return rule.kind === 'custom'
}

function conditionalIn(changes: readonly FieldChange[]): number {
  let count = 0
  for (const change of changes) if (isConditional(change)) count += 1
  return count
}

function requireBeyond(
  expression: Expression,
  attribute: string,
  change: FieldChange,
  tightly: Item | undefined,
): void {
  const name = expression.name(attribute)
  const isUnwritten = `attribute_not_exists(${name})`
  if (tightly !== undefined && attributeIn(tightly, attribute) === undefined) return expression.require(isUnwritten)
  const isBeyond = `${name} ${change.rule.kind === 'max' ? '<' : '>'} ${expression.value(attributeOf(change))}`
  if (tightly === undefined) expression.requireAny(isUnwritten, isBeyond)
  else expression.require(isBeyond)
}

/**
 * What is stored without a stamp was there before, and is older than all that have one. Text and numbers are taken over
 * unseen; another type must have been seen, since `latest` cannot take over all of them, and must still be the one.
 */
function requireNewer(
  expression: Expression,
  attribute: string,
  { json, stamp }: LatestState,
  known: Item | undefined,
  isTight: boolean,
): void {
  const stored = known && attributeIn(known, attribute)
  const seen = stored?.M?.[stampPart]?.S
  const text = stampText(stamp)
  const name = expression.name(attribute)
  const ofType = (type: string) => `attribute_type(${name}, ${expression.value({ S: type })})`
  const storedStamp = () => `${name}.${expression.name(stampPart)}`
  const isOlder = () => `${storedStamp()} < ${expression.value({ S: text })}`
  if (seen === text) {
    const isTie = `${storedStamp()} = ${expression.value({ S: text })}`
    const isTieWon = `${isTie} AND ${name}.${expression.name(jsonPart)} < ${expression.value({ S: json })}`
    return isTight ? expression.require(isTieWon) : expression.requireAny(isOlder(), isTieWon)
  }
  if (isTight && seen !== undefined) return expression.require(isOlder())
  const isAbsent = `attribute_not_exists(${name})`
  if (isTight && stored === undefined) return expression.require(isAbsent)
  if (stored === undefined || seen !== undefined)
    return expression.requireAny(isAbsent, ofType('S'), ofType('N'), isOlder())
  // A map is known by its lack of a stamp, for which there is room in every condition; what else it is has been seen.
  const isUnstamped =
    stored.M === undefined ? ofType(Object.keys(stored)[0] as string) : `attribute_not_exists(${storedStamp()})`
  expression.require(isUnstamped)
}

function mergedByHand(change: FieldChange, stored: AttributeValue | undefined): AttributeValue {
  if (stored === undefined) return attributeOf(change)
  const before = stateOf(change, stored)
  return attributeOf({ ...change, state: ownRule(change.name, () => change.rule.merge(before, change.state)) })
}

function requireRevision(expression: Expression, known: Item): void {
  const revision = numberIn(known, revisionAttribute)
  const name = expression.name(revisionAttribute)
  expression.require(
    revision === undefined ? `attribute_not_exists(${name})` : `${name} = ${expression.value({ N: String(revision) })}`,
  )
  expression.set(revisionAttribute, { N: String((revision ?? 0) + 1) })
}

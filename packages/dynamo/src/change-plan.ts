// Problem: one flush has to be one request that merges every field by its rule, or does nothing at all.
// Scheme: sums and unions by ADD; max, min and latest by SET under the condition that the change would be seen; a rule of the
//   user's own by SET under the condition that its revision is still the one that was read.
// Invariants: a condition that fails changes nothing; a field that has lost has lost for good, since what is stored only
//   rises, and is left out of the next request; DynamoDB and `isSeen` agree.
// Cost: a name, a value and for conditional fields about 40 to 80 bytes of expression each.
// Source: Expressions.UpdateExpressions.html, Expressions.OperatorsAndFunctions.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError, type FieldChange, type LatestState } from '@spillway/core'

import { jsonPart, revisionAttribute, stampPart } from './attributes.js'
import type { Expression } from './expression.js'
import { attributeOf, isSeen, ownRule, stateOf } from './field-state.js'
import { conditionalFieldsMax } from './limits.js'
import { stampText } from './stamp-text.js'
import { attributeIn, numberIn, type Item, type Table } from './table.js'

/** Whether DynamoDB can merge these changes only after their fields have been read. */
export function needsReading(changes: readonly FieldChange[]): boolean {
  return changes.some(({ rule }) => rule.kind === 'custom')
}

/** The changes without those that would not be seen beside what is stored. Throws `BackendError`. */
export function withoutLosers(table: Table, changes: readonly FieldChange[], known: Item): readonly FieldChange[] {
  return changes.filter(
    (change) => !isConditional(change) || isSeen(change, attributeIn(known, table.attribute(change))),
  )
}

/**
 * The changes in portions that fit a condition: all that must be done under a dedupe number are in the last one. More than
 * one only where a write changes more max, min and latest fields than one condition holds.
 */
export function portionsOf(changes: readonly FieldChange[]): readonly (readonly FieldChange[])[] {
  const conditional = changes.filter(isConditional)
  if (conditional.length <= conditionalFieldsMax) return [changes]
  const portions: FieldChange[][] = []
  for (let i = 0; i < conditional.length; i += conditionalFieldsMax)
    portions.push(conditional.slice(i, i + conditionalFieldsMax))
  portions.at(-1)?.push(...changes.filter((change) => !isConditional(change)))
  return portions
}

/** Puts the changes into an update. `known` is the item as it was last seen; it is needed for rules of the user's own. Throws `BackendError`. */
export function applyChanges(
  expression: Expression,
  table: Table,
  changes: readonly FieldChange[],
  known: Item | undefined,
): void {
  for (const change of changes) {
    const attribute = table.attribute(change)
    switch (change.rule.kind) {
      case 'sum':
      case 'union':
        expression.add(attribute, attributeOf(change))
        break
      case 'max':
      case 'min':
        setIfBeyond(expression, attribute, attributeOf(change), change.rule.kind === 'max' ? '<' : '>')
        break
      case 'latest':
        setIfNewer(expression, attribute, change)
        break
      case 'custom':
        expression.set(attribute, mergedByHand(change, known && attributeIn(known, attribute)))
        break
      default:
        change.rule.kind satisfies never
    }
  }
  if (needsReading(changes)) requireRevision(expression, known ?? {})
}

function isConditional({ rule }: FieldChange): boolean {
  return rule.kind === 'max' || rule.kind === 'min' || rule.kind === 'latest'
}

function setIfBeyond(expression: Expression, attribute: string, value: AttributeValue, comparison: '<' | '>'): void {
  const [name, given] = [expression.name(attribute), expression.value(value)]
  expression.require(`(attribute_not_exists(${name}) OR ${name} ${comparison} ${given})`)
  expression.set(attribute, value)
}

function setIfNewer(expression: Expression, attribute: string, change: FieldChange): void {
  const { json, stamp } = change.state as LatestState
  const storedStamp = `${expression.name(attribute)}.${expression.name(stampPart)}`
  const storedJson = `${expression.name(attribute)}.${expression.name(jsonPart)}`
  const [given, value] = [expression.value({ S: stampText(stamp) }), expression.value({ S: json })]
  const isOlder = `attribute_not_exists(${storedStamp}) OR ${storedStamp} < ${given}`
  expression.require(`(${isOlder} OR (${storedStamp} = ${given} AND ${storedJson} < ${value}))`)
  expression.set(attribute, attributeOf(change))
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

/** A write whose condition went on failing: nothing was done. */
export function contended(place: string): BackendError {
  return new BackendError('unavailable', `Too many others changed ${JSON.stringify(place)} at the same time.`)
}

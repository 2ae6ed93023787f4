// Problem: a state has to be stored so that DynamoDB itself can merge it, and an attribute that was there before has to be read.
// Scheme: sum, max and min are numbers; union is a string set; latest is a map of JSON and a sortable stamp; a rule of the
//   user's own is its text.
// Invariants: what is read back merges and reads as what was written; whether a stored value beats a change is decided here
//   exactly as the condition in change-plan.ts decides it, or with a tie where the two would read the same.
// Cost: an object or two a field.
// Source: HowItWorks.NamingRulesDataTypes.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError, type Field, type FieldChange, type LatestState } from '@spillway/core'

import { jsonPart, stampPart } from './attributes.js'
import { jsonOfAttribute } from './json-of-attribute.js'
import { numberText, wholeText } from './number-text.js'
import { oldestStamp, stampOf, stampText } from './stamp-text.js'

/** A decimal of so many characters that is read as a whole double is whole. */
const plainDigitsMax = 15

/** A state as an attribute. Throws `BackendError` when DynamoDB has no such value. */
export function attributeOf({ name, rule, state }: FieldChange): AttributeValue {
  switch (rule.kind) {
    case 'sum':
    case 'max':
    case 'min':
      return { N: numberText(state as number | bigint, `Field ${JSON.stringify(name)}`) }
    case 'union':
      return { SS: [...(state as ReadonlySet<string>)] }
    case 'latest': {
      const { json, stamp } = state as LatestState
      return { M: { [jsonPart]: { S: json }, [stampPart]: { S: stampText(stamp) } } }
    }
    case 'custom':
      return { S: ownRule(name, () => rule.encode(state)) }
    default:
      return rule.kind satisfies never
  }
}

/** The state in an attribute; undefined stands for none. Throws `BackendError` when the attribute holds something else. */
export function stateOf(field: Field, attribute: AttributeValue | undefined): unknown {
  if (attribute === undefined) return undefined
  const { name, rule } = field
  switch (rule.kind) {
    case 'sum': {
      if (attribute.N === undefined) break
      const total = Number(attribute.N)
      if (rule.id === 'sum(float)') return total
      if (attribute.N.length <= plainDigitsMax && Number.isSafeInteger(total)) return total + 0 // -0 becomes 0
      const whole = wholeText(attribute.N)
      if (whole !== undefined) return rule.decode(whole)
      break
    }
    case 'max':
    case 'min':
      if (attribute.N === undefined) break
      return Number(attribute.N)
    case 'union':
      if (attribute.SS === undefined) break
      return new Set(attribute.SS)
    case 'latest': {
      const json = attribute.M?.[jsonPart]?.S
      const stamp = attribute.M?.[stampPart]?.S
      if (json !== undefined && stamp !== undefined) return { json, stamp: stampOf(stamp) } satisfies LatestState
      if (attribute.M?.[stampPart] !== undefined) break // somebody else's, under Spillway's name
      return { json: jsonOfAttribute(name, attribute), stamp: oldestStamp } satisfies LatestState
    }
    case 'custom': {
      const text = attribute.S
      if (text === undefined) break
      return ownRule(name, () => rule.decode(text))
    }
    default:
      return rule.kind satisfies never
  }
  const stored = Object.keys(attribute).join(', ')
  throw new BackendError(
    'invalid',
    `Field ${JSON.stringify(name)} is stored as an attribute of type ${stored}, which ${rule.id} cannot take over.`,
  )
}

/** Whether the change would be seen beside what is stored, for rules that DynamoDB merges by a condition. Throws `BackendError`. */
export function isSeen(change: FieldChange, stored: AttributeValue | undefined): boolean {
  const before = stateOf(change, stored)
  if (before === undefined) return true
  if (change.rule.kind === 'max') return (before as number) < (change.state as number)
  if (change.rule.kind === 'min') return (before as number) > (change.state as number)
  const [old, young] = [before as LatestState, change.state as LatestState]
  if (stored?.M?.[stampPart]?.S === undefined) return true
  return compareBytes(stampText(old.stamp), stampText(young.stamp)) < 0 || isTieWon(old, young)
}

/** The same stamp twice: the value decides, as DynamoDB compares strings. */
function isTieWon(old: LatestState, young: LatestState): boolean {
  return stampText(old.stamp) === stampText(young.stamp) && compareBytes(old.json, young.json) < 0
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Runs a rule of the user's own. Throws `BackendError` when it throws: nothing has been sent. */
export function ownRule<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new BackendError('invalid', `The rule of field ${JSON.stringify(name)} threw: ${String(error)}`, {
      cause: error,
    })
  }
}

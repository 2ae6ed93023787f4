// Problem: sort values are the table's sort key, which DynamoDB keeps as strings, decimals or bytes, and not all values fit.
// Scheme: each as the native type, in whose order a Query answers: UTF-8, numbers by value, bytes unsigned.
// Invariants: a value that is stored comes back as the same value; two values of a table that was there before never come back
//   as one.
// Cost: an object a value.
// Source: HowItWorks.NamingRulesDataTypes.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { BackendError, compareSort, type SortType, type SortValue } from '@spillway/core'

import { magnitudeMax, magnitudeMin } from './limits.js'
import { doubleOf } from './number-text.js'

/** The sort key of a table that has one. */
export interface SortKey {
  /** Its attribute. */
  readonly name: string
  /** The sort value under which records stand. */
  readonly record: SortValue
}

/** DynamoDB's letters for the types of sort values. */
export const keyTypes = Object.freeze({ string: 'S', number: 'N', bytes: 'B' } as const satisfies Record<
  SortType,
  string
>)

/** The type of a sort value. */
export function sortTypeOf(sort: SortValue): SortType {
  return typeof sort === 'string' ? 'string' : typeof sort === 'number' ? 'number' : 'bytes'
}

/** A sort value as an attribute. */
export function sortAttribute(sort: SortValue): AttributeValue {
  return typeof sort === 'string' ? { S: sort } : typeof sort === 'number' ? { N: String(sort) } : { B: sort }
}

/** Whether DynamoDB can have the value in a key: nothing empty, and no number beyond its own. */
export function isKeyValue(sort: SortValue): boolean {
  if (typeof sort !== 'number') return sort.length > 0
  const magnitude = Math.abs(sort)
  return sort === 0 || (magnitude >= magnitudeMin && magnitude < magnitudeMax)
}

/** Throws `BackendError` for a sort value of another type than the table's. */
export function requireSortType({ record }: SortKey, sort: SortValue): void {
  const [expected, given] = [sortTypeOf(record), sortTypeOf(sort)]
  if (expected === given) return
  throw new BackendError(
    'invalid',
    `The table orders its items by sort values of type ${expected}, but was given one of type ${given}.`,
  )
}

/** Throws `BackendError` for a sort value under which no item of a collection can stand. */
export function requireItemSort(sortKey: SortKey, sort: SortValue): void {
  requireSortType(sortKey, sort)
  if (!isKeyValue(sort)) {
    const expected = typeof sort === 'number' ? '0, or from 1e-130 to 1e126' : 'not empty'
    throw new BackendError('invalid', `A sort value in DynamoDB must be ${expected}, but was ${shown(sort)}.`)
  }
  if (compareSort(sort, sortKey.record) !== 0) return
  throw new BackendError(
    'invalid',
    `The sort value ${shown(sort)} is where the records of the table stand (the option sortValue): give the item another one.`,
  )
}

/** The sort value in an attribute. Throws `BackendError` where it is none: a decimal of more digits than a double has. */
export function sortOfAttribute(attribute: AttributeValue | undefined): SortValue {
  const { S: text, N: decimal, B: bytes } = attribute ?? {}
  if (text !== undefined) return text
  if (bytes !== undefined) return new Uint8Array(bytes)
  const number = decimal === undefined ? undefined : doubleOf(decimal)
  if (number !== undefined) return number
  throw new BackendError(
    'invalid',
    `An item has the sort value ${decimal}, which no double holds: collections need sort values that are doubles, strings or bytes.`,
  )
}

function shown(sort: SortValue): string {
  return sort instanceof Uint8Array ? `bytes ${Buffer.from(sort).toString('hex')}` : JSON.stringify(sort)
}

// Problem: a Query takes one condition on the sort key: one comparison, or BETWEEN with both ends, and refuses values that no
//   key can have, though they are good ends of a range.
// Scheme: such ends are moved to the nearest value that a key can have. Of two ends, the one that a page begins with is left out
//   by ExclusiveStartKey, and the one that it ends with by whoever reads the page.
// Invariants: the narrowed range has the same items; the start lies within the condition, as DynamoDB wants it.
// Cost: at most one item read that is not asked for.
// Source: Query.KeyConditionExpressions.html; API_Query.html.

import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { compareSort, type ShardPage, type SortBound, type SortValue } from '@spillway/core'

import { magnitudeMax } from './limits.js'
import { isKeyValue, sortAttribute } from './sort-attribute.js'

/** A range of sort values. */
export type SortRange = Pick<ShardPage, 'lower' | 'upper'>

/** The same range with ends that a key can have; undefined when nothing can be in it. */
export function narrowed({ lower, upper }: SortRange): SortRange | undefined {
  const from = lower && (isKeyValue(lower.sort) ? lower : lowerWithin(lower.sort))
  const to = upper && (isKeyValue(upper.sort) ? upper : upperWithin(upper.sort))
  if (from === 'nothing' || to === 'nothing') return undefined
  if (from === undefined || to === undefined) return { lower: from, upper: to }
  const width = compareSort(to.sort, from.sort)
  return width < 0 || (width === 0 && !(from.isIncluded && to.isIncluded)) ? undefined : { lower: from, upper: to }
}

/** Nothing comes before what is empty; a number beside those of DynamoDB has 0 for its neighbour, or none at all. */
function lowerWithin(sort: SortValue): SortBound | 'nothing' | undefined {
  if (typeof sort !== 'number' || sort <= -magnitudeMax) return undefined
  return sort >= magnitudeMax ? 'nothing' : { sort: 0, isIncluded: sort < 0 }
}

function upperWithin(sort: SortValue): SortBound | 'nothing' | undefined {
  if (typeof sort !== 'number' || sort <= -magnitudeMax) return 'nothing'
  return sort >= magnitudeMax ? undefined : { sort: 0, isIncluded: sort > 0 }
}

/** The condition on the attribute `#s`, as a Query has it. */
export interface SortCondition {
  /** Empty where there is none. */
  readonly expression: string
  readonly values: Readonly<Record<string, AttributeValue>>
  /** The page begins behind this. */
  readonly start: SortValue | undefined
}

/** The condition of a narrowed range. */
export function conditionOf({ lower, upper }: SortRange, isAscending: boolean): SortCondition {
  if (lower !== undefined && upper !== undefined) {
    const begin = isAscending ? lower : upper
    return {
      expression: '#s BETWEEN :l AND :u',
      values: { ':l': sortAttribute(lower.sort), ':u': sortAttribute(upper.sort) },
      start: begin.isIncluded ? undefined : begin.sort,
    }
  }
  if (lower !== undefined) return comparison(lower, '>', ':l')
  if (upper !== undefined) return comparison(upper, '<', ':u')
  return { expression: '', values: {}, start: undefined }
}

function comparison({ sort, isIncluded }: SortBound, sign: '<' | '>', placeholder: string): SortCondition {
  return {
    expression: `#s ${sign}${isIncluded ? '=' : ''} ${placeholder}`,
    values: { [placeholder]: sortAttribute(sort) },
    start: undefined,
  }
}

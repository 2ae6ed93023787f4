import { compareSort, type SortValue } from './sort-value.js'

/** An end of a range of sort values. */
export interface SortBound {
  readonly sort: SortValue
  /** Whether the value itself belongs to the range. */
  readonly isIncluded: boolean
}

/** Whether a sort value lies on the other side of a bound: behind it where `direction` is 1, before it where it is -1. */
export function isBeyond(sort: SortValue | undefined, bound: SortBound | undefined, direction: number): boolean {
  if (sort === undefined || bound === undefined) return false
  const distance = direction * compareSort(sort, bound.sort)
  return distance > 0 || (distance === 0 && !bound.isIncluded)
}

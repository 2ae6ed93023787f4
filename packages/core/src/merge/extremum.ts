import { isStorable, notStorable } from './magnitudes.js'
import type { MergeRule } from './merge-rule.js'

/** Keeps the greatest number written. Takes finite numbers, within the backend's `Capabilities.magnitudes`; reads as `undefined` where nothing was written. */
export function max(): MergeRule<number, number, number | undefined> {
  return maximum
}

/** Keeps the least number written. Takes finite numbers, within the backend's `Capabilities.magnitudes`; reads as `undefined` where nothing was written. */
export function min(): MergeRule<number, number, number | undefined> {
  return minimum
}

const maximum = extremum('max', (a, b) => (a > b ? a : b))
const minimum = extremum('min', (a, b) => (a < b ? a : b))

function extremum(
  kind: 'max' | 'min',
  merge: (a: number, b: number) => number,
): MergeRule<number, number, number | undefined> {
  return {
    kind,
    id: kind,
    isIdempotent: true,
    prepare(change, context) {
      if (typeof change !== 'number' || !isStorable(change, context)) throw notStorable(change, context.field, context)
      return change + 0 // -0 becomes 0: the two compare as equal and would make merge depend on the order
    },
    merge,
    fits: () => true,
    view: (state) => state,
    bytes: () => 8,
    encode: String,
    decode: Number,
  }
}

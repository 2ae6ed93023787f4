import { InvalidArgumentError } from '../errors/misuse-error.js'
import { ValueOutOfRangeError } from '../errors/read-error.js'
import { isStorable, notStorable } from './magnitudes.js'
import type { MergeRule, PrepareContext } from './merge-rule.js'

/** A total of whole numbers: a number while it is safe, a bigint beyond, so that no merge ever rounds. */
export type IntegerState = number | bigint

/** Which numbers a `sum()` adds. */
export interface SumOptions<T extends 'integer' | 'bigint' | 'float'> {
  /** `integer`: safe integers, exact. `bigint`: exact. `float`: finite numbers, rounded as IEEE 754 doubles are. @default 'integer' */
  readonly type?: T
}

/**
 * Adds up. Reads as 0 (or 0n) where nothing was written.
 *
 * - `sum()` takes safe integers. A change or a window beyond them is refused; a stored total beyond them is kept exactly
 *   and fails the read with `VALUE_OUT_OF_RANGE`.
 * - `sum({ type: 'bigint' })` takes bigints up to what the backend stores exactly.
 * - `sum({ type: 'float' })` takes finite numbers within the backend's `Capabilities.magnitudes`; a window beyond them is
 *   refused. Additions of doubles round, so totals of the same changes may differ in
 *   the last bits with the order in which they were merged; the error grows with the number of changes, not with fanout.
 */
export function sum(): MergeRule<number, IntegerState, number>
export function sum(options: SumOptions<'integer'>): MergeRule<number, IntegerState, number>
export function sum(options: SumOptions<'bigint'>): MergeRule<bigint, IntegerState, bigint>
export function sum(options: SumOptions<'float'>): MergeRule<number, number, number>
export function sum(
  options: SumOptions<'integer' | 'bigint' | 'float'> = {},
):
  | MergeRule<number, IntegerState, number>
  | MergeRule<bigint, IntegerState, bigint>
  | MergeRule<number, number, number> {
  const given: unknown = options
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('sum(options)', 'an object with type', given)
  for (const name of Object.keys(given)) {
    if (name !== 'type') throw new InvalidArgumentError('sum(options)', 'made of type', name)
  }
  const type: unknown = options.type ?? 'integer'
  if (type === 'integer') return integerSum
  if (type === 'bigint') return bigintSum
  if (type === 'float') return floatSum
  throw new InvalidArgumentError('sum({ type })', "'integer', 'bigint' or 'float'", type)
}

const shared = { kind: 'sum', isIdempotent: false } as const

const integerSum: MergeRule<number, IntegerState, number> = {
  ...shared,
  id: 'sum(integer)',
  prepare(change, context) {
    if (!Number.isSafeInteger(change))
      throw refused(
        context,
        'a safe integer',
        change,
        isOtherNumber(change) ? "Use sum({ type: 'bigint' }) or sum({ type: 'float' }) for other numbers." : undefined,
      )
    return change + 0 // -0 becomes 0
  },
  merge: addExactly,
  fits: (state) => typeof state === 'number',
  view(state, field) {
    if (state === undefined) return 0
    if (typeof state === 'number') return state
    throw new ValueOutOfRangeError(
      field,
      `${state}, beyond the safe integers`,
      "Declare the field as sum({ type: 'bigint' }) to read it.",
    )
  },
  bytes: bytesOfInteger,
  encode: String,
  decode: (text) => canonical(BigInt(text)),
}

const bigintSum: MergeRule<bigint, IntegerState, bigint> = {
  ...shared,
  id: 'sum(bigint)',
  prepare(change, context) {
    if (typeof change !== 'bigint') throw refused(context, 'a bigint', change)
    if (!isWithin(change, context.integerMax)) throw refused(context, `a bigint within ±${context.integerMax}`, change)
    return canonical(change)
  },
  merge: addExactly,
  fits: (state, context) => isWithin(state, context.integerMax),
  view: (state) => BigInt(state ?? 0),
  bytes: bytesOfInteger,
  encode: String,
  decode: (text) => canonical(BigInt(text)),
}

const floatSum: MergeRule<number, number, number> = {
  ...shared,
  id: 'sum(float)',
  prepare(change, context) {
    if (typeof change !== 'number' || !isStorable(change, context)) throw notStorable(change, context.field, context)
    return change + 0
  },
  merge: (a, b) => a + b,
  fits: isStorable,
  view(state, field) {
    if (state === undefined) return 0
    if (Number.isFinite(state)) return state
    throw new ValueOutOfRangeError(field, String(state), 'The total has left the range of doubles.')
  },
  bytes: () => 8,
  encode: String,
  decode: Number,
}

function addExactly(a: IntegerState, b: IntegerState): IntegerState {
  if (typeof a === 'number' && typeof b === 'number') {
    const total = a + b
    if (Number.isSafeInteger(total)) return total
  }
  return canonical(BigInt(a) + BigInt(b))
}

/** One representation for each integer, so that merging stays associative to the letter. */
function canonical(total: bigint): IntegerState {
  return isWithin(total, BigInt(Number.MAX_SAFE_INTEGER)) ? Number(total) : total
}

function isWithin(value: IntegerState, max: bigint): boolean {
  return value <= max && value >= -max
}

/** Too large or a fraction. The change comes from callers without types as well. */
function isOtherNumber(change: unknown): boolean {
  return typeof change === 'bigint' || Number.isFinite(change)
}

function bytesOfInteger(state: IntegerState): number {
  return typeof state === 'number' ? 8 : 8 + (state.toString(16).length >> 1)
}

function refused(context: PrepareContext, expected: string, given: unknown, advice?: string): InvalidArgumentError {
  return new InvalidArgumentError(`change[${JSON.stringify(context.field)}]`, expected, given, advice)
}

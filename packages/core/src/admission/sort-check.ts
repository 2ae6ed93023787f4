import type { CollectionLimits } from '../backend/collection-store.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { byteLength } from '../internal/byte-length.js'
import { isWellFormed } from '../internal/well-formed.js'
import type { SortType, SortValue } from '../item/sort-value.js'

/** DynamoDB's range of numbers, so that what one store takes every store takes: HowItWorks.NamingRulesDataTypes.html. */
const numberLeast = 1e-130
const numberMost = 9.99e125

/**
 * A sort value of Spillway's own, for the caller may change its bytes; -0 is 0. Throws `InvalidArgumentError` for what is not of
 * the collection's type, empty, or longer than the store takes.
 */
export function checkedSort(given: unknown, argument: string, type: SortType, limits: CollectionLimits): SortValue {
  switch (type) {
    case 'string':
      return checkedText(given, argument, limits.sortBytesMax)
    case 'number':
      return checkedNumber(given, argument)
    case 'bytes':
      return checkedBytes(given, argument, limits.sortBytesMax)
    default:
      return type satisfies never
  }
}

function checkedText(given: unknown, argument: string, bytesMax: number): string {
  if (typeof given !== 'string' || given === '')
    throw new InvalidArgumentError(argument, 'a string that is not empty', given)
  if (given.length * 3 > bytesMax && byteLength(given) > bytesMax) {
    const advice = `It takes ${byteLength(given)}.`
    throw new InvalidArgumentError(argument, `at most ${bytesMax} bytes of UTF-8`, given, advice)
  }
  if (isWellFormed(given)) return given
  throw new InvalidArgumentError(argument, 'a well-formed string', given, 'A lone surrogate cannot be stored as UTF-8.')
}

function checkedNumber(given: unknown, argument: string): number {
  if (given === 0) return 0
  const size = typeof given === 'number' ? Math.abs(given) : NaN
  if (size >= numberLeast && size <= numberMost) return given as number
  throw new InvalidArgumentError(argument, `0, or a number whose size is from ${numberLeast} to ${numberMost}`, given)
}

function checkedBytes(given: unknown, argument: string, bytesMax: number): Uint8Array {
  if (!(given instanceof Uint8Array) || given.length === 0)
    throw new InvalidArgumentError(argument, 'a Uint8Array that is not empty', given)
  if (given.length > bytesMax)
    throw new InvalidArgumentError(argument, `at most ${bytesMax} bytes`, `${given.length} bytes`)
  return Uint8Array.from(given)
}

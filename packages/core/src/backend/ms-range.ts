import type { Random } from '../chance/random.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { finiteNumber } from '../internal/finite-number.js'
import { knownOptions } from '../internal/known-options.js'

/** From when to when, in milliseconds; drawn evenly. */
export interface MsRange {
  /** The least. */
  readonly min: number
  /** The most. */
  readonly max: number
}

/** Checks a range. Throws `InvalidArgumentError`. */
export function checkMsRange(path: string, given: unknown): void {
  if (given === undefined) return
  const { min, max } = knownOptions(given, path, ['min', 'max'])
  const least = finiteNumber(`${path}.min`, min, 0)
  if (finiteNumber(`${path}.max`, max, 0) < least)
    throw new InvalidArgumentError(`${path}.max`, `at least ${path}.min = ${least}`, max)
}

/** A time within the range. */
export function drawMs({ min, max }: MsRange, random: Random): number {
  return min + (max - min) * random.next()
}

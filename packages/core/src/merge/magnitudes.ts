import { InvalidArgumentError } from '../errors/misuse-error.js'

/** How large and how small numbers other than 0 may be for a store, without their sign. */
export interface Magnitudes {
  /** The smallest. A positive number of at most 1. */
  readonly least: number
  /** The largest. A finite number of at least 1. */
  readonly most: number
}

interface Within {
  readonly magnitudes?: Magnitudes | undefined
}

/** Whether the backend stores a number as it is: no NaN, nothing infinite, and nothing beyond its `magnitudes`. */
export function isStorable(value: number, { magnitudes }: Within): boolean {
  if (magnitudes === undefined) return Number.isFinite(value)
  const size = Math.abs(value)
  return size === 0 || (size >= magnitudes.least && size <= magnitudes.most)
}

/** What to say of a change that is not storable, or no number at all. */
export function notStorable(change: unknown, field: string, { magnitudes }: Within): InvalidArgumentError {
  const argument = `change[${JSON.stringify(field)}]`
  if (magnitudes === undefined || !Number.isFinite(change))
    return new InvalidArgumentError(argument, 'a finite number', change)
  const expected = `0 or a number from ${magnitudes.least} to ${magnitudes.most}, of either sign`
  return new InvalidArgumentError(argument, expected, change, 'The backend stores no others.')
}

import { InvalidArgumentError } from '../errors/misuse-error.js'

/** The option that `path` ends with, or `byDefault` where it is not given; one without a default must be. Throws `InvalidArgumentError` when it is no number within the bounds. */
export function numberOption(
  options: Record<string, unknown>,
  path: string,
  least: number,
  most: number,
  byDefault: number | undefined,
): number {
  const given = options[path.slice(path.lastIndexOf('.') + 1)]
  const value = given === undefined ? byDefault : given
  if (typeof value !== 'number' || !(value >= least && value <= most))
    throw new InvalidArgumentError(path, `a number from ${least} to ${most}`, value)
  return value
}

/** The same for a whole number. */
export function wholeOption(
  options: Record<string, unknown>,
  path: string,
  least: number,
  most: number,
  byDefault: number,
): number {
  const value = numberOption(options, path, least, most, byDefault)
  if (!Number.isInteger(value)) throw new InvalidArgumentError(path, `a whole number from ${least} to ${most}`, value)
  return value
}

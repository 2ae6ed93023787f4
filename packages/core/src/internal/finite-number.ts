import { InvalidArgumentError } from '../errors/misuse-error.js'

/** A finite number of at least `least`. Throws `InvalidArgumentError`. */
export function finiteNumber(path: string, given: unknown, least = -Infinity): number {
  if (typeof given !== 'number' || !Number.isFinite(given) || given < least) {
    throw new InvalidArgumentError(
      path,
      least === -Infinity ? 'a finite number' : `a finite number of at least ${least}`,
      given,
    )
  }
  return given
}

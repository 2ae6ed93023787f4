import { InvalidArgumentError } from '../errors/misuse-error.js'
import type { Random } from './random.js'

/**
 * A generator (mulberry32) that draws the same numbers for the same seed, a whole number of which the lower 32 bits count.
 * For tests and simulations, not for secrets. Throws `InvalidArgumentError` without such a seed.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('seed', 'a whole number', seed)
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    },
  }
}

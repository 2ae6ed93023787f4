import type { Random } from '../../../src/chance/random.js'

/** A whole number from `least` to `most`, both included. */
export function wholeBetween(random: Random, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1))
}

/** One of several. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)] as T
}

/** Whether something happens that does so with a chance from 0 to 1. Draws nothing where there is none. */
export function happens(random: Random, chance: number): boolean {
  return chance > 0 && random.next() < chance
}

/** The index of one of several, as likely as its weight. */
export function weighted(random: Random, weights: readonly number[]): number {
  let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [i, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return i
  }
  return weights.length - 1
}

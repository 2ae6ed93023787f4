import type { FaultyBackend } from '../../src/testing.js'

/** Faults of four strengths, from none to all at once; `chance` is how likely each is. */
export function faultLevels(chance: number): readonly FaultyBackend['faults'][] {
  return [
    {},
    { delayMs: { min: 1, max: 30 } },
    { delayMs: { min: 1, max: 200 }, loseAnswer: chance, loseRequest: chance, duplicateDelivery: chance },
    {
      delayMs: { min: 1, max: 400 },
      throttle: chance,
      unavailable: chance,
      loseAnswer: 2 * chance,
      loseRequest: chance,
      partialBatch: chance,
      duplicateDelivery: 2 * chance,
      duplicateDelayMs: { min: 1, max: 2_000 },
      directory: chance,
    },
  ]
}

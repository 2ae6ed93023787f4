// The fleet of real clients, each world drawn from a seed. `npm run simulate` runs on from here; docs/simulation.md says how.

import { describe, expect, it } from 'vitest'

import { noCounts } from './counts.js'
import { runSeedAlone } from './run-seeds.js'

const seedCount = 4_000

/** Some 30 s on a core of its own, and many times as long on a machine that is busy. */
const timeoutMs = 300_000

describe('a fleet', () => {
  it(
    'counts every acknowledged write once in every later read, under every fault, while routes grow and drain',
    async () => {
      const total = noCounts()
      for (let seed = 1; seed <= seedCount; seed++) {
        const { violation, counts } = await runSeedAlone(seed)
        expect(violation, `npm run simulate -- --seed ${seed}`).toBeUndefined()
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name]
      }
      // Worlds in which nothing was spread, merged back, lost, unknown or refused would show nothing.
      const numbers: readonly number[] = Object.values(total)
      expect(Math.min(...numbers)).toBeGreaterThan(seedCount / 20)
    },
    timeoutMs,
  )

  it('gives the same world for the same seed', async () => {
    const [once, again] = [await runSeedAlone(7, true), await runSeedAlone(7, true)]
    expect(once.history.length).toBeGreaterThan(100)
    expect(again).toEqual(once)
  })
})

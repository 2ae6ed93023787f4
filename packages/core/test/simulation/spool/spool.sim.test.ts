import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { seededRandom } from '../../../src/testing.js'
import { faultLevels } from '../fault-levels.js'
import { endlessMs, SpoolWorld } from './spool-world.js'

const keys = ['a', 'declared', 'hot']
const ms = (min: number, max: number) => fc.integer({ min, max })
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      key: fc.constantFrom(...keys),
      count: fc.integer({ min: 1, max: 6 }),
      isBuffered: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn > 1),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: ms(0, 60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: ms(200, 1_500) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), downMs: fc.oneof(ms(0, 50), ms(0, 3_000)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), downMs: ms(3_000, 9_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), isCut: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('faults' as const), level: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('outage' as const), ms: ms(100, 3_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('disk' as const),
      commitMs: fc.integer({ min: 0, max: 30 }),
      refusals: fc.constantFrom(0, 0, 0.2, 1),
    }),
  },
)

const steps = fc.array(step, { minLength: 30, maxLength: 120 })
const horizonMs = fc.constantFrom(5_000, endlessMs, endlessMs)

const levels = faultLevels(0.1)

describe('a spool', () => {
  test('has every accepted change written exactly once, wherever the process dies', async () => {
    const total = { lives: 0, accepted: 0, written: 0, refused: 0, unknown: 0, interrupted: 0, lost: 0, replayed: 0 }
    await fc.assert(
      fc.asyncProperty(fc.nat(), horizonMs, steps, async (seed, retryHorizonMs, lived) => {
        const world = new SpoolWorld(seed, retryHorizonMs)
        const random = seededRandom(seed)
        await world.start()
        for (const one of lived) {
          switch (one.kind) {
            case 'write':
              for (let i = 0; i < one.count; i++) world.write(one.key, one.isBuffered ? 'buffered' : 'written')
              break
            case 'advance':
              await world.clock.advance(one.ms)
              break
            case 'crash':
              world.crash()
              await world.clock.advance(one.downMs)
              await world.start()
              break
            case 'stop':
              await world.stop(one.isCut)
              await world.start()
              break
            case 'faults':
              world.setFaults(levels[one.level] ?? {})
              break
            case 'outage':
              world.setFaults({ unavailable: 1 })
              await world.clock.advance(one.ms)
              world.setFaults({})
              break
            case 'disk':
              world.disk.commitMs = one.commitMs
              world.disk.isRefusing = () => random.next() < one.refusals
              break
            default:
              one satisfies never
          }
        }
        await world.audit(keys)
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += world.counts[name]
        expect(world.violations).toEqual([])
      }),
      { numRuns: 300 },
    )
    // A run in which nothing was replayed, refused, interrupted or lost would show nothing.
    expect(Math.min(total.replayed, total.refused, total.interrupted, total.lost)).toBeGreaterThan(20)
    expect(total.unknown).toBeGreaterThan(0)
    console.info(`spool: ${JSON.stringify(total)}`)
  })
})

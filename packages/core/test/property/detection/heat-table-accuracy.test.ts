import { describe, expect, test } from 'vitest'

import { measureAccuracy } from '../../../../../benchmarks/lib/accuracy.js'
import { SkewedStream } from '../../../../../benchmarks/lib/skewed-stream.js'
import { seededRandom } from '../../../src/chance/seeded-random.js'
import { HeatTable } from '../../../src/detection/heat-table.js'

const options = { halfLifeMs: 250, tickMs: 50, hotPerSecond: 400 }
const size = { operationCount: 5_000_000, keyCount: 1_000_000, operationsPerMs: 1_000 }

describe('a table of 64 KB against exact decayed rates: 5 M adds, 1 M keys, the hot set replaced half-way', () => {
  for (const [exponent, oneHitShare] of [
    [0.8, 0],
    [1, 0],
    [1.2, 0],
    [1, 0.5],
  ] as const) {
    const flood = oneHitShare === 0 ? '' : ` and ${oneHitShare * 100} % of one-hit keys`
    test(`finds the top 50 with rates within 1 % for Zipf ${exponent}${flood}`, () => {
      const seed = 20_261_122
      const stream = new SkewedStream({ ...size, seed, exponent, oneHitShare })
      const table = new HeatTable({ ...options, listedPerSecond: options.hotPerSecond / 4 }, seededRandom(seed), 0)
      const isHot = (key: string) => {
        const { perSecond, errorPerSecond } = table.estimate(key)
        return Math.min(perSecond, 2 * (perSecond - errorPerSecond)) >= options.hotPerSecond
      }
      const checkpoints = measureAccuracy(
        stream,
        { add: (key, weight) => table.add(key, weight), tick: (ms) => table.tick(ms), top: (n) => table.top(n), isHot },
        options,
      )
      expect(checkpoints.map(({ halfLivesSince }) => halfLivesSince)).toEqual([undefined, 1, 2, 4, 9.8])
      const wrong = checkpoints.filter((at) => at.recall < 0.99 || at.rateError > 0.01 || at.falselyHotCount > 0)
      expect({ seed, wrong }).toEqual({ seed, wrong: [] })
      const strictRecall = checkpoints.reduce((sum, at) => sum + at.strictRecall, 0) / checkpoints.length
      expect(strictRecall).toBeGreaterThanOrEqual(0.99)
    })
  }
})

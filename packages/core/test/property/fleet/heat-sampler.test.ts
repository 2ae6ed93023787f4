import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeatSampler, type SamplerOptions } from '../../../src/fleet/heat-sampler.js'
import { seededRandom } from '../../../src/testing.js'

const roomy: SamplerOptions = { interval: 22, keysMax: 1_024, bytesMax: 65_536 }
const seedCount = 400

/** What each seed estimates for the first key, of writes that are the same for all. */
function estimates(options: SamplerOptions, writes: readonly (readonly [string, number])[], epochCount = 1): number[] {
  const key = writes[0]?.[0] as string
  return Array.from({ length: seedCount }, (_, seed) => {
    const sampler = new HeatSampler(seededRandom(seed + 1), options)
    let units = 0
    for (let epoch = 0; epoch < epochCount; epoch++) {
      for (const [name, count] of writes) sampler.count(name, count)
      const draws = sampler.take()
      units += (draws?.countByKey.get(key) ?? 0) * (draws?.interval ?? 0)
    }
    return units
  })
}

/** The mean, and its standard error as the estimates themselves show it. */
function meanOf(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, error: Math.sqrt(variance / values.length) }
}

const ones = (key: string, count: number) => Array.from({ length: count }, () => [key, 1] as const)
const others = (keyCount: number) => Array.from({ length: keyCount }, (_, i) => [`other:${i}`, 3] as const)

/** The seeds are fixed: 4 standard errors are no matter of luck, but of one case in 16,000, once. */
describe('what a sampler estimates is what was counted, on average over 400 seeds', () => {
  test.each([
    ['few single units', roomy, ones('key', 10), 1],
    ['many single units', roomy, ones('key', 1_000), 1],
    ['units of several sizes beside other keys', roomy, [...ones('key', 40), ['key', 7.5], ...others(100)], 1],
    ['one write of a thousand intervals', roomy, [['key', 22_000.5]], 1],
    ['epoch after epoch, while the interval becomes finer', roomy, [...ones('key', 60), ...others(200)], 20],
    ['more keys than there is room for', { ...roomy, keysMax: 16 }, [...ones('key', 200), ...others(2_000)], 3],
    ['more bytes than there is room for', { ...roomy, bytesMax: 600 }, [...ones('key', 200), ...others(2_000)], 3],
    ['a key that is there before the others', { ...roomy, keysMax: 4 }, [...ones('key', 900), ...others(3_000)], 1],
    [
      'a key that comes after the others',
      { ...roomy, keysMax: 4 },
      [['key', 1], ...others(3_000), ...ones('key', 900)],
      1,
    ],
  ] as [string, SamplerOptions, [string, number][], number][])('%s', (_, options, writes, epochCount) => {
    const key = writes[0]?.[0]
    const expected = epochCount * writes.reduce((sum, [name, units]) => sum + (name === key ? units : 0), 0)
    const { mean, error } = meanOf(estimates(options, writes, epochCount))
    expect(error).toBeLessThan(expected * 0.2)
    expect(Math.abs(mean - expected)).toBeLessThan(4 * error)
  })
})

test('a sampler never holds more than it may, whatever is written', () => {
  const write = fc.tuple(
    fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  )
  const options = fc.record({
    interval: fc.integer({ min: 1, max: 100 }),
    keysMax: fc.integer({ min: 1, max: 20 }),
    bytesMax: fc.integer({ min: 1, max: 1_000 }),
  })
  fc.assert(
    fc.property(options, fc.array(write, { maxLength: 200 }), fc.integer(), (bounds, writes, seed) => {
      const sampler = new HeatSampler(seededRandom(seed), bounds)
      for (const [key, units] of writes) sampler.count(key, units)
      const countByKey = sampler.take()?.countByKey ?? new Map<string, number>()
      const bytes = [...countByKey.keys()].reduce((sum, key) => sum + Buffer.byteLength(key) + 24, 0)
      expect(countByKey.size).toBeLessThanOrEqual(bounds.keysMax)
      expect(bytes).toBeLessThanOrEqual(bounds.bytesMax)
      for (const count of countByKey.values()) expect(Number.isSafeInteger(count) && count > 0).toBe(true)
      expect(sampler.take()).toBeUndefined()
    }),
  )
})

test('with an interval of 1 every unit is drawn', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 500 }))), (writes) => {
      const sampler = new HeatSampler(seededRandom(1), { ...roomy, interval: 1 })
      const expected = new Map<string, number>()
      for (const [key, units] of writes) {
        sampler.count(key, units)
        expected.set(key, (expected.get(key) ?? 0) + units)
      }
      expect(sampler.take()?.countByKey ?? new Map()).toEqual(expected)
    }),
  )
})

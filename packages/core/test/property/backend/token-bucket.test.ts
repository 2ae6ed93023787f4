import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { TokenBucket } from '../../../src/backend/token-bucket.js'

const request = fc.record({ waitMs: fc.nat({ max: 3_000 }), units: fc.integer({ min: 1, max: 50 }) })
const shape = fc.record({ rate: fc.integer({ min: 1, max: 500 }), brim: fc.integer({ min: 1, max: 1_000 }) })

test('no span of time is served more than rate × time + brim', () => {
  const property = fc.property(shape, fc.array(request, { maxLength: 200 }), ({ rate, brim }, requests) => {
    const bucket = new TokenBucket(rate, brim, brim, 0)
    const servings: { readonly atMs: number; readonly units: number }[] = []
    let nowMs = 0
    for (const { waitMs, units } of requests) {
      nowMs += waitMs
      if (!bucket.has(units, nowMs)) continue
      bucket.take(units, nowMs)
      servings.push({ atMs: nowMs, units })
    }
    for (let first = 0; first < servings.length; first++) {
      let units = 0
      for (const serving of servings.slice(first)) {
        units += serving.units
        const spanMs = serving.atMs - (servings[first]?.atMs ?? 0)
        expect(units).toBeLessThanOrEqual((rate * spanMs) / 1_000 + brim + 1e-6)
      }
    }
  })
  fc.assert(property, { numRuns: 300 })
})

test('what is there is given, and a debt is paid first', () => {
  const property = fc.property(shape, fc.array(request, { maxLength: 50 }), ({ rate, brim }, requests) => {
    const bucket = new TokenBucket(rate, brim, 0, 0)
    let units = 0
    let nowMs = 0
    for (const { waitMs, units: taken } of requests) {
      nowMs += waitMs
      units = Math.min(brim, units + (rate * waitMs) / 1_000)
      expect(bucket.unitsAt(nowMs)).toBeCloseTo(units, 6)
      bucket.take(taken, nowMs)
      units -= taken
    }
  })
  fc.assert(property)
})

import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { partitionOf } from '../../../src/backend/partition-map.js'

test('every place lies in one of the partitions, always in the same', () => {
  const partitionCounts = fc.integer({ min: 1, max: 1_000 })
  const property = fc.property(fc.string({ unit: 'binary' }), partitionCounts, fc.integer(), (place, count, seed) => {
    const partition = partitionOf(place, count, seed)
    expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true)
    expect(partitionOf(place, count, seed)).toBe(partition)
  })
  fc.assert(property)
})

test.each([2, 4, 10])('places that look alike spread evenly over %d partitions', (partitionCount) => {
  const counts = Array.from({ length: partitionCount }, () => 0)
  for (let i = 0; i < 20_000; i++) {
    const partition = partitionOf(`user~spillway~${i % 64}.${i}`, partitionCount, 1)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 20_000 / partitionCount)).toBeLessThan(500)
})

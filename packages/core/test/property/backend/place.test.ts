import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { placeOf, reservedMark } from '../../../src/backend/place.js'
import { ownGeneration, type ShardRef } from '../../../src/operation.js'

// Keys that come close to a suffix, but do not hold the mark itself.
const part = fc.constantFrom('a', '~', 'spillway', '~spillway', 'spillway~', '1', '.', '1.7.00000000')
const key = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part).map((parts) => parts.join('')),
  )
  .filter((text) => text !== '' && !text.includes(reservedMark))

const shard: fc.Arbitrary<ShardRef> = fc.oneof(
  key.map((name) => ({ key: name, index: 0, generation: ownGeneration })),
  fc.record({
    key,
    index: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 9_999 })).map((index) => index + 1),
    generation: fc.record({
      number: fc.oneof(fc.nat({ max: 40 }), fc.maxSafeNat()),
      nonce: fc.oneof(fc.nat({ max: 20 }), fc.integer({ min: 0, max: 0xffffffff })),
    }),
  }),
)

function isSame(a: ShardRef, b: ShardRef): boolean {
  const isSameGeneration = a.generation.number === b.generation.number && a.generation.nonce === b.generation.nonce
  return a.key === b.key && a.index === b.index && isSameGeneration
}

test('two shards share a place only if they are the same', () => {
  const property = fc.property(shard, shard, (a, b) => {
    expect(placeOf(a) === placeOf(b)).toBe(isSame(a, b))
  })
  fc.assert(property, { numRuns: 5_000 })
})

test('many shards have as many places', () => {
  const shards = fc.uniqueArray(shard, { minLength: 2, maxLength: 30, comparator: isSame })
  const property = fc.property(shards, (refs) => {
    expect(new Set(refs.map(placeOf)).size).toBe(refs.length)
  })
  fc.assert(property, { numRuns: 500 })
})

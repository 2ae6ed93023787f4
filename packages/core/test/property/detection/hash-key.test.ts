import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { hashKey } from '../../../src/internal/hash-key.js'

const primes = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n] as const

function wrap(value: bigint): bigint {
  return BigInt.asUintN(32, value)
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap((value << bits) | (value >> (32n - bits)))
}

/** XXH32 as the specification writes it, in arithmetic that cannot overflow. */
function reference(key: string, seed: number): number {
  const bytes = new TextEncoder().encode(key)
  const [p1, p2, p3, p4, p5] = primes
  const word = (at: number) => BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true))
  const start = BigInt(seed >>> 0)
  let at = 0
  let hash = wrap(start + p5)
  if (bytes.length >= 16) {
    let lanes = [start + p1 + p2, start + p2, start, start - p1].map(wrap)
    for (; at + 16 <= bytes.length; at += 16) {
      lanes = lanes.map((lane, i) => wrap(rotate(wrap(lane + word(at + 4 * i) * p2), 13n) * p1))
    }
    hash = wrap(lanes.reduce((sum, lane, i) => sum + rotate(lane, [1n, 7n, 12n, 18n][i]!), 0n))
  }
  hash = wrap(hash + BigInt(bytes.length))
  for (; at + 4 <= bytes.length; at += 4) hash = wrap(rotate(wrap(hash + word(at) * p3), 17n) * p4)
  for (; at < bytes.length; at++) hash = wrap(rotate(wrap(hash + BigInt(bytes[at]!) * p5), 11n) * p1)
  hash = wrap((hash ^ (hash >> 15n)) * p2)
  hash = wrap((hash ^ (hash >> 13n)) * p3)
  return Number(hash ^ (hash >> 16n))
}

const seeds = fc.integer({ min: 0, max: 0xffffffff })

for (const unit of ['grapheme-ascii', 'binary', 'grapheme'] as const) {
  test(`the hash agrees with the specification for keys of ${unit} characters`, () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 80 }), seeds, (key, seed) => {
        expect(hashKey(key, seed)).toBe(reference(key, seed))
      }),
      { numRuns: 1_000 },
    )
  })
}

test('the hash agrees with the specification for any UTF-16 units, lone surrogates included', () => {
  const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd700, max: 0xe000 })))
  fc.assert(
    fc.property(units, seeds, (codes, seed) => {
      const key = String.fromCharCode(...codes)
      expect(hashKey(key, seed)).toBe(reference(key, seed))
    }),
    { numRuns: 1_000 },
  )
})

test('the hash agrees with the specification for keys longer than the scratch buffer', () => {
  for (const length of [1_023, 1_024, 1_025, 5_000]) {
    for (const character of ['x', 'é', '漢']) {
      const key = character.repeat(length)
      expect([character, length, hashKey(key, 5)]).toEqual([character, length, reference(key, 5)])
    }
  }
})

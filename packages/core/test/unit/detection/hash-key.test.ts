import { expect, test } from 'vitest'

import { hashKey } from '../../../src/internal/hash-key.js'

// From xxhashjs 0.2.2 over the bytes of TextEncoder; the first is also in the specification.
const vectors: readonly (readonly [key: string, seed: number, hash: number])[] = [
  ['', 0, 46_947_589],
  ['a', 0, 1_426_945_110],
  ['abc', 0, 852_579_327],
  ['abcdefghijklmnop', 0, 2_637_007_714],
  ['user:00000000000000001', 0, 2_159_493_039],
  ['user:00000000000000001', 0x9e3779b1, 3_305_385_749],
  ['key\u0000', 0, 88_404_231],
  ['naïve café', 7, 641_335_335],
  ['漢字', 1, 3_785_465_184],
  ['😀 key 😀 key 😀', 0xffffffff, 1_205_114_637],
  ['\ud800x', 3, 2_728_051_383],
]

test('a key hashes to XXH32 over its UTF-8 bytes', () => {
  expect(vectors.map(([key, seed]) => [key, seed, hashKey(key, seed)])).toEqual(vectors)
})

test('a hash is a whole number of 32 bits without a sign', () => {
  for (let i = 0; i < 1_000; i++) {
    const hash = hashKey(`key ${i}`, i)
    expect(hash).toBe(hash >>> 0)
  }
})

test('a string of any shape hashes as its characters do', () => {
  const flat = 'user:00000000000000001'
  const concatenated = ['user:', '0'.repeat(16), '1'].reduce((a, b) => a + b)
  const sliced = `>${flat}<`.slice(1, -1)
  expect(hashKey(concatenated, 1)).toBe(hashKey(flat, 1))
  expect(hashKey(sliced, 1)).toBe(hashKey(flat, 1))
})

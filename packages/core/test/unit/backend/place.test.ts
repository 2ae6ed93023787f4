import { expect, test } from 'vitest'
import { directoryPlace, placeOf, reservedMark, suffixBytesMax } from '../../../src/backend/place.js'
import { ownShard, shardOf } from './requests.js'

test('shard 0 is the key itself', () => {
  expect(placeOf(ownShard('user'))).toBe('user')
})

test('any other shard is the key with index, generation and nonce', () => {
  expect(placeOf(shardOf('user', 3, 46_655, 0xc0ffee))).toBe('user~spillway~3.zzz.00c0ffee')
})

test('the directory lies where no key can', () => {
  expect(directoryPlace).toContain(reservedMark)
})

test('no suffix is longer than the room that is kept for it', () => {
  const longest = placeOf(shardOf('', 9_999, Number.MAX_SAFE_INTEGER, 0xffffffff))
  expect(longest.length).toBeLessThanOrEqual(suffixBytesMax)
})

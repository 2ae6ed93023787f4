import { expect, test } from 'vitest'

import { isImplicated } from '../../../src/detection/throttle-signal.js'

const evidence = { keyRangeThrottles: 1, ownPerSecond: 250, share: 0.01, hotPerSecond: 400 }

test('a throttle makes a key hot that is under the threshold but brings a good part of it', () => {
  expect(isImplicated(evidence)).toBe(true)
  expect(isImplicated({ ...evidence, ownPerSecond: 100 })).toBe(true)
  expect(isImplicated({ ...evidence, ownPerSecond: 99 })).toBe(false)
})

test('a throttle makes a key hot that brings a tenth of this process’s traffic, even if the rate is low', () => {
  expect(isImplicated({ ...evidence, ownPerSecond: 20, share: 0.1 })).toBe(true)
  expect(isImplicated({ ...evidence, ownPerSecond: 20, share: 0.09 })).toBe(false)
})

test('a key with next to no traffic of its own is a victim, however often it is throttled and whatever its share', () => {
  expect(isImplicated({ ...evidence, ownPerSecond: 9, share: 1, keyRangeThrottles: 1_000 })).toBe(false)
})

test('without throttles of late nothing is held against a key', () => {
  expect(isImplicated({ ...evidence, keyRangeThrottles: 0.49 })).toBe(false)
})

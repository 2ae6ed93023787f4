import { expect, test } from 'vitest'

import { cold, nextHeatState, type HeatState } from '../../../src/detection/hysteresis.js'

const thresholds = { hotPerSecond: 100, coldPerSecond: 50, coolMs: 1_000 }

function after(rates: readonly (readonly [nowMs: number, perSecond: number])[]): HeatState {
  return rates.reduce<HeatState>(
    (state, [nowMs, perSecond]) => nextHeatState(state, perSecond, thresholds, nowMs),
    cold,
  )
}

test('a cold key becomes hot at the threshold and not below it', () => {
  expect(after([[0, 99.9]]).kind).toBe('cold')
  expect(after([[0, 100]]).kind).toBe('hot')
})

test('a rate between the thresholds changes nothing', () => {
  expect(after([[0, 75]]).kind).toBe('cold')
  const rates = [
    [0, 100],
    [10_000, 50],
    [20_000, 99],
  ] as const
  expect(after(rates).kind).toBe('hot')
})

test('a hot key becomes cold only after its rate has stayed below the lower threshold for coolMs', () => {
  expect(
    after([
      [0, 100],
      [100, 49],
      [1_099, 0],
    ]),
  ).toEqual({ kind: 'cooling', sinceMs: 100 })
  expect(
    after([
      [0, 100],
      [100, 49],
      [1_100, 0],
    ]).kind,
  ).toBe('cold')
})

test('a rate that comes back to the lower threshold starts the cooling anew', () => {
  expect(
    after([
      [0, 100],
      [100, 49],
      [600, 50],
      [1_200, 49],
      [2_199, 49],
    ]),
  ).toEqual({ kind: 'cooling', sinceMs: 1_200 })
})

test('without a cooling time a key is cold as soon as its rate is below the lower threshold', () => {
  expect(nextHeatState({ kind: 'hot' }, 49, { ...thresholds, coolMs: 0 }, 5).kind).toBe('cold')
})

import { expect, test } from 'vitest'

import { seededRandom } from '../../../src/chance/seeded-random.js'
import { HeatTable, type HeatTableOptions } from '../../../src/detection/heat-table.js'

const tickMs = 50

function tableWith(options: HeatTableOptions = {}): HeatTable {
  return new HeatTable({ tickMs, ...options }, seededRandom(1), 0)
}

/** Adds `perSecond` of each key a second, evenly, until `untilMs`, and ticks at the end of each interval. */
function feed(table: HeatTable, rates: Record<string, number>, fromMs: number, untilMs: number): void {
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += tickMs) {
    for (const [key, perSecond] of Object.entries(rates)) {
      for (let i = 0; i < (perSecond * tickMs) / 1_000; i++) table.add(key, 1)
    }
    table.tick(nowMs + tickMs)
  }
}

test('a steady rate is told within 1 % once it has lasted', () => {
  const table = tableWith()
  feed(table, { a: 1_000, b: 200 }, 0, 5_000)
  expect(table.rate('a') / 1_000).toBeCloseTo(1, 2)
  expect(table.rate('b') / 200).toBeCloseTo(1, 2)
  expect(table.rate('never seen')).toBe(0)
})

test('a rate halves with each half-life without traffic', () => {
  const table = tableWith({ halfLifeMs: 500 })
  feed(table, { a: 1_000 }, 0, 5_000)
  const before = table.rate('a')
  table.tick(5_500)
  expect(table.rate('a')).toBeCloseTo(before / 2, 5)
  table.tick(6_500)
  expect(table.rate('a')).toBeCloseTo(before / 8, 5)
})

test('operations without time between them decay nothing', () => {
  const table = tableWith()
  feed(table, { a: 1_000 }, 0, 1_000)
  const before = table.rate('a')
  for (let i = 0; i < 100_000; i++) table.add(`other ${i % 20}`, 1)
  table.tick(1_000)
  expect(table.rate('a')).toBe(before)
})

test('a tick that goes back in time counts as the last one', () => {
  const table = tableWith()
  feed(table, { a: 1_000 }, 0, 1_000)
  const before = table.rate('a')
  table.tick(0)
  expect(table.rate('a')).toBe(before)
})

test('a window counted at once weighs as much as its changes one by one', () => {
  const table = tableWith()
  for (let i = 0; i < 137; i++) table.add('single', 1)
  table.add('window', 137)
  table.tick(tickMs)
  expect(table.rate('window')).toBeCloseTo(table.rate('single'), 2)
})

test('a weight that is not a positive finite number is not counted', () => {
  const table = tableWith()
  for (const weight of [0, -1, Number.NaN, Infinity]) table.add('a', weight)
  table.tick(tickMs)
  expect(table.rate('a')).toBe(0)
  expect(table.top(10)).toEqual([])
})

test('rates survive the scaling back of the weights and a process that slept for a year', () => {
  const table = tableWith()
  feed(table, { a: 1_000 }, 0, 60_000)
  expect(table.rate('a') / 1_000).toBeCloseTo(1, 2)
  const yearMs = 365 * 86_400_000
  table.tick(60_000 + yearMs)
  expect(table.rate('a')).toBe(0)
  feed(table, { a: 1_000 }, 60_000 + yearMs, 65_000 + yearMs)
  expect(table.rate('a') / 1_000).toBeCloseTo(1, 2)
})

test('the top lists the keys above the listed rate, hottest first, and forgets them when they have cooled', () => {
  const table = tableWith({ listedPerSecond: 100 })
  feed(table, { a: 400, b: 1_000, c: 60 }, 0, 2_000)
  expect(table.top(10).map(({ key }) => key)).toEqual(['b', 'a'])
  expect(table.top(1).map(({ key }) => key)).toEqual(['b'])
  table.tick(4_000)
  expect(table.top(10)).toEqual([])
})

test('when more keys pass the listed rate than can be remembered, the hottest are listed', () => {
  const table = tableWith({ bytesMax: 16_384, listedPerSecond: 20 })
  const rates = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key number ${i}`, 40 * (i + 1)]))
  feed(table, rates, 0, 3_000)
  const keys = table.top(Infinity).map(({ key }) => key)
  expect(keys.length).toBeGreaterThan(35)
  expect(keys.length).toBeLessThanOrEqual(64)
  const hottest = Array.from({ length: 35 }, (_, i) => `key number ${299 - i}`)
  expect(keys.slice(0, 35)).toEqual(hottest)
})

test('a hot key of 2,048 characters finds room beside a full list, and a cool one does not take it', () => {
  const long = 'x'.repeat(2_048)
  const table = tableWith({ bytesMax: 32_768, listedPerSecond: 20 })
  const rates = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key number ${i}`, 40 * (i + 1)]))
  feed(table, { ...rates, [long]: 40 }, 0, 2_000)
  expect(table.top(Infinity).map(({ key }) => key)).not.toContain(long)
  feed(table, { ...rates, [long]: 20_000 }, 2_000, 3_000)
  expect(table.top(1).map(({ key }) => key)).toEqual([long])
})

test('a flood of one-hit keys neither drives out a hot key nor gets listed', () => {
  const table = tableWith({ bytesMax: 8_192 })
  let flooded = 0
  for (let nowMs = 0; nowMs < 2_000; nowMs += tickMs) {
    for (let i = 0; i < 5_000; i++) {
      if (i % 100 === 0) table.add('hot', 1)
      table.add(`once ${flooded++}`, 1)
    }
    table.tick(nowMs + tickMs)
  }
  expect(table.top(Infinity).map(({ key }) => key)).toEqual(['hot'])
  expect(Math.abs(table.rate('hot') / 1_000 - 1)).toBeLessThan(0.05)
})

test('a newcomer carries what it inherited as its error until it has decayed', () => {
  const table = tableWith({ bytesMax: 200 })
  for (let i = 0; i < 10_000; i++) table.add(`key ${i % 500}`, 1)
  table.add('newcomer', 1_000_000)
  table.tick(tickMs)
  const { perSecond, errorPerSecond } = table.estimate('newcomer')
  expect(errorPerSecond).toBeGreaterThan(0)
  expect(errorPerSecond).toBeLessThan(perSecond)
  table.tick(tickMs + 250)
  expect(table.estimate('newcomer').errorPerSecond).toBeCloseTo(errorPerSecond / 2, 5)
})

test('the same seed and the same operations give the same table', () => {
  const tops = [1, 2].map(() => {
    const table = tableWith({ bytesMax: 2_048 })
    const random = seededRandom(9)
    for (let i = 0; i < 50_000; i++) table.add(`key ${Math.floor(random.next() ** 4 * 2_000)}`, 1)
    table.tick(tickMs)
    return table.top(Infinity)
  })
  expect(tops[0]!.length).toBeGreaterThan(0)
  expect(tops[0]).toEqual(tops[1])
})

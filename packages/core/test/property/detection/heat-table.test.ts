import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { seededRandom } from '../../../src/chance/seeded-random.js'
import { HeatTable } from '../../../src/detection/heat-table.js'

const halfLifeMs = 250
const tickMs = 50
const perSecondOfOne = (Math.LN2 * 1_000) / halfLifeMs

type Step = { readonly key: number; readonly weight: number } | { readonly waitMs: number }

/** Counts every key for itself, each addition weighted as if it came in the middle of its interval. */
class ExactTable {
  readonly #additions = new Map<number, { weight: number; atMs: number }[]>()
  nowMs = 0

  add(key: number, weight: number): void {
    const additions = this.#additions.get(key) ?? []
    additions.push({ weight, atMs: this.nowMs + tickMs / 2 })
    this.#additions.set(key, additions)
  }

  rate(key: number): number {
    const additions = this.#additions.get(key) ?? []
    return (
      additions.reduce((sum, { weight, atMs }) => sum + weight * 2 ** ((atMs - this.nowMs) / halfLifeMs), 0) *
      perSecondOfOne
    )
  }
}

const stepsOver = (keyCount: number) =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ key: fc.nat(keyCount - 1), weight: fc.integer({ min: 1, max: 1_000 }) }) },
      { weight: 1, arbitrary: fc.record({ waitMs: fc.oneof(fc.constant(tickMs), fc.nat(30_000)) }) },
    ),
    { maxLength: 400 },
  )

function run(table: HeatTable, exact: ExactTable, steps: readonly Step[]): void {
  for (const step of steps) {
    if ('waitMs' in step) {
      exact.nowMs += step.waitMs
      table.tick(exact.nowMs)
    } else {
      exact.add(step.key, step.weight)
      table.add(`key ${step.key}`, step.weight)
    }
  }
}

test('while all keys have an entry, every rate is the exact decayed one', () => {
  fc.assert(
    fc.property(stepsOver(8), fc.integer(), (steps, seed) => {
      const table = new HeatTable({ halfLifeMs, tickMs }, seededRandom(seed), 0)
      const exact = new ExactTable()
      run(table, exact, steps)
      for (let key = 0; key < 8; key++) {
        const { perSecond, errorPerSecond } = table.estimate(`key ${key}`)
        const truth = exact.rate(key)
        expect(Math.abs(perSecond - truth)).toBeLessThanOrEqual(1e-4 * truth + 1e-6)
        expect(errorPerSecond).toBe(0)
      }
    }),
  )
})

test('however few the entries, a rate less its error never exceeds the exact decayed one', () => {
  fc.assert(
    fc.property(stepsOver(60), fc.integer(), (steps, seed) => {
      const table = new HeatTable({ bytesMax: 300, halfLifeMs, tickMs, listedPerSecond: 10 }, seededRandom(seed), 0)
      const exact = new ExactTable()
      run(table, exact, steps)
      for (let key = 0; key < 60; key++) {
        const { perSecond, errorPerSecond } = table.estimate(`key ${key}`)
        expect(errorPerSecond).toBeLessThanOrEqual(perSecond * (1 + 1e-6) + 1e-30)
        expect(perSecond - errorPerSecond).toBeLessThanOrEqual(exact.rate(key) * (1 + 1e-4) + 1e-4 * perSecond + 1e-30)
      }
    }),
  )
})

test('every listed key was counted, is listed once, with the rate that its estimate has, hottest first', () => {
  fc.assert(
    fc.property(stepsOver(200), fc.integer(), (steps, seed) => {
      const table = new HeatTable({ bytesMax: 2_000, halfLifeMs, tickMs, listedPerSecond: 10 }, seededRandom(seed), 0)
      run(table, new ExactTable(), steps)
      const listed = table.top(Infinity)
      const counted = new Set(steps.flatMap((step) => ('key' in step ? [`key ${step.key}`] : [])))
      expect(new Set(listed.map(({ key }) => key)).size).toBe(listed.length)
      expect(listed.length).toBeLessThanOrEqual(7)
      for (const [i, { key, perSecond }] of listed.entries()) {
        expect(counted.has(key)).toBe(true)
        expect(table.rate(key)).toBe(perSecond)
        expect(perSecond).toBeLessThanOrEqual(listed[i - 1]?.perSecond ?? Infinity)
      }
    }),
  )
})

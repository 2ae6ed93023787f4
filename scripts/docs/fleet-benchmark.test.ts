import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { fleetPlot } from '../../benchmarks/fleet/fleet-plot.js'
import { runFleet } from '../../benchmarks/fleet/fleet-run.js'
import { movingZipf } from '../../benchmarks/fleet/moving-zipf.js'
import { type Way, ways } from '../../benchmarks/fleet/ways.js'

const root = new URL('../../', import.meta.url)

const stream = movingZipf(
  { keyCount: 20, exponent: 2.5, operationsPerSecond: 2_000, moveMs: 9_000, durationMs: 9_000 },
  1,
)

test('the picture of docs/benchmarks.md shows what benchmarks/results hold', () => {
  const picture = readFileSync(new URL('docs/benchmarks-fleet.svg', root), 'utf8')
  expect(picture === fleetPlot(new URL('benchmarks/results/', root)), 'npm run bench -- --docs mends it').toBe(true)
})

test('a simulated fleet finds a key that no process finds alone, and the same seed gives the same figures', async () => {
  const [plain, , alone, fleet] = ways as readonly [Way, Way, Way, Way]
  const together = await runFleet(fleet, stream, 60, 1)
  expect(together.spreadMs).toEqual([expect.any(Number)])
  expect(together.reportsPerSecond).toBeGreaterThan(0)
  expect(await runFleet(fleet, stream, 60, 1)).toEqual(together)
  const apart = await runFleet(alone, stream, 60, 1)
  expect(apart.reportsPerSecond).toBe(0)
  const byHand = await runFleet(plain, stream, 60, 1)
  expect(byHand).toMatchObject({ readPlaces: 1, directoryReadsPerSecond: 0, fanoutMax: 1 })
  expect(together.throttledShare).toBeLessThan(byHand.throttledShare)
})

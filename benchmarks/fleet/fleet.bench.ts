// Fleets of 10 to 10,000 processes that share the same traffic, so that each sees less of it the more they are: plain requests,
// fixed suffixes, Spillway where each process acts on its own heat alone, and Spillway where the fleet adds it up. In virtual
// time, over a store of 256 partitions of 1,000 write and 3,000 read units a second, on which a request takes 2 to 6 ms.
//
// Ways without processes of their own do the same however many there are, and are run once a seed. What each process reports of
// its heat is kept from the store for «each process alone»: there is no option for that.

import { printTable } from '../lib/print-table.js'
import { runFleet } from './fleet-run.js'
import { type FleetRow, type FleetTable, heatCell, loadCell, trafficCell } from './fleet-figures.js'
import { movingZipf } from './moving-zipf.js'
import type { Stream } from './stream.js'
import { nasaStream, wikipediaStream } from './traces.js'
import { exactWays, type Way, ways } from './ways.js'

const seeds = [1, 2, 3]

const zipfShape = {
  keyCount: 10_000,
  exponent: 1.5,
  operationsPerSecond: 5_000,
  moveMs: 20_000,
  durationMs: 40_000,
}

const zipfStream = (seed: number) => movingZipf(zipfShape, seed)

/** What there is to measure, in this order. */
const plan: readonly Part[] = [
  { compared: ways, streamOf: wikipediaStream, processCounts: [10, 100, 1_000] },
  { compared: ways, streamOf: zipfStream, processCounts: [10, 100, 1_000] },
  { compared: ways, streamOf: nasaStream, processCounts: [100, 1_000] },
]

/** The same for the largest fleet, which takes as long as all others together; «each process alone» with one stream only. */
const largePlan: readonly Part[] = [
  { compared: ways, streamOf: wikipediaStream, processCounts: [10_000] },
  {
    compared: ways.filter((way) => !way.hasProcesses || way.keepsReports),
    streamOf: zipfStream,
    processCounts: [10_000],
  },
]

const exactPlan: readonly Part[] = [{ compared: exactWays, streamOf: wikipediaStream, processCounts: [100, 1_000] }]

interface Part {
  readonly compared: readonly Way[]
  readonly streamOf: (seed: number) => Stream
  readonly processCounts: readonly number[]
}

/** Measures everything but the largest fleet, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const known = new Map<string, FleetRow>()
  return { seeds, tables: await measure(plan, known), exactTables: await measure(exactPlan, known) }
}

/** The same for the largest fleet. */
export async function runLarge(): Promise<unknown> {
  return { seeds, tables: await measure(largePlan, new Map()) }
}

async function measure(parts: readonly Part[], known: Map<string, FleetRow>): Promise<readonly FleetTable[]> {
  const tables: FleetTable[] = []
  for (const { compared, streamOf, processCounts } of parts)
    for (const processCount of processCounts) tables.push(await compareWays(compared, streamOf, processCount, known))
  return tables
}

async function compareWays(
  compared: readonly Way[],
  streamOf: (seed: number) => Stream,
  processCount: number,
  known: Map<string, FleetRow>,
): Promise<FleetTable> {
  const stream = streamOf(seeds[0] ?? 0).name
  const rows: FleetRow[] = []
  for (const way of compared) {
    const run = `${way.name}/${stream}/${way.hasProcesses ? processCount : 'any'}`
    const row = known.get(run) ?? (await measured(way, streamOf, processCount))
    known.set(run, row)
    rows.push(row)
  }
  const title = `${stream}, ${processCount.toLocaleString('en')} processes`
  const table = { title, stream, processCount, rows }
  printFleet(table)
  return table
}

async function measured(way: Way, streamOf: (seed: number) => Stream, processCount: number): Promise<FleetRow> {
  const rounds = []
  for (const seed of seeds) rounds.push(await runFleet(way, streamOf(seed), processCount, seed))
  return { name: way.name, rounds }
}

function printFleet({ title, rows }: FleetTable): void {
  console.log(`\n${title}: median (min–max) of the rounds; all times are virtual`)
  printTable(
    ['', ''],
    rows.flatMap((row) => [trafficCell(row), heatCell(row), loadCell(row)].map((text) => [row.name, text])),
  )
}

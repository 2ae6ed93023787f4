import { showSpread, type Spread, spreadOf } from '../lib/spread.js'
import type { Outcome } from './fleet-run.js'

/** What a way came to, once a seed. */
export interface FleetRow {
  readonly name: string
  readonly rounds: readonly Outcome[]
}

/** One table: ways side by side. */
export interface FleetTable {
  readonly title: string
  readonly stream: string
  readonly processCount: number
  readonly rows: readonly FleetRow[]
}

/** The names of an outcome's plain numbers. */
type Figure = { [Name in keyof Outcome]: Outcome[Name] extends number ? Name : never }[keyof Outcome]

/** One figure over the rounds. */
export function figureOf({ rounds }: FleetRow, figure: Figure): Spread {
  return spreadOf(rounds.map((round) => round[figure]))
}

/** Times of all keys in all rounds: how many keys, and the spread of the times of those that have one. */
export function timesOf({ rounds }: FleetRow, name: 'spreadMs' | 'mergedMs') {
  const all = rounds.flatMap((round) => round[name])
  const times = all.filter((ms) => typeof ms === 'number') // JSON has null for undefined
  return { keyCount: all.length, timedCount: times.length, ms: times.length === 0 ? undefined : spreadOf(times) }
}

/** What the application is given, and what it pays. */
export function trafficCell(row: FleetRow): string {
  const failed = figureOf(row, 'failedShare')
  return [
    `${percent(figureOf(row, 'throttledShare'))} throttled`,
    ...(failed.max === 0 ? [] : [`${percent(failed)} failed`]),
    `p99 ${figureOf(row, 'p99Ms').median.toFixed(0)} ms`,
    `${showSpread(figureOf(row, 'units'), 2)} units`,
    `${figureOf(row, 'readRequests').median.toFixed(2)} requests for ${figureOf(row, 'readPlaces').median.toFixed(2)} places a read`,
  ].join(', ')
}

/** How fast the fleet acts. */
export function heatCell(row: FleetRow): string {
  const merged = timesOf(row, 'mergedMs')
  return [
    `spread ${times(timesOf(row, 'spreadMs'))}`,
    ...(merged.keyCount === 0 ? [] : [`one place again ${times(merged)}`]),
    `fanout ≤ ${figureOf(row, 'fanoutMax').max}`,
    `${figureOf(row, 'routeChanges').median} changes of routes`,
  ].join(', ')
}

/** What it costs beside the application's own requests. */
export function loadCell(row: FleetRow): string {
  const perSecond = (figure: Figure) => `${rate(figureOf(row, figure).median)}/s`
  return [
    `directory reads ${perSecond('directoryReadsPerSecond')}`,
    `${percent(figureOf(row, 'directoryShare'))} of a partition`,
    `${percent(figureOf(row, 'directoryShareMax'))} in the worst second`,
    `${figureOf(row, 'directoryUnits').median.toFixed(2)} units an operation`,
    `swaps ${perSecond('directorySwapsPerSecond')}`,
    `reports ${perSecond('reportsPerSecond')}`,
    `reads of reports ${perSecond('reportReadsPerSecond')}`,
  ].join(', ')
}

/** The part of a partition's reads that the directory takes: computed, for as many processes as cannot be simulated. */
export function directoryShareFor(
  { rows, processCount }: FleetTable,
  wanted: { readonly processCount: number; readonly refreshMs: number; readonly copies: number },
): number {
  const row = rows.at(-1) as FleetRow
  const readsPerRefresh = figureOf(row, 'directoryReadsPerSecond').median / processCount // at a refresh a second
  const readsPerSecond = (wanted.processCount * readsPerRefresh * 1_000) / wanted.refreshMs
  return readsPerSecond / wanted.copies / readUnitsPerSecond
}

/** Of one partition. */
const readUnitsPerSecond = 3_000

/** `median (min–max) %`. */
function percent({ min, median, max }: Spread): string {
  return `${showSpread({ min: 100 * min, median: 100 * median, max: 100 * max }, median < 0.1 ? 1 : 0)} %`
}

/** `of so many keys so many, after median (min–max) s`. */
function times({ keyCount, timedCount, ms }: ReturnType<typeof timesOf>): string {
  const count = `${timedCount} of ${keyCount} keys`
  if (ms === undefined) return count
  return `${count} after ${showSpread({ min: ms.min / 1_000, median: ms.median / 1_000, max: ms.max / 1_000 }, 1)} s`
}

function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en')
}

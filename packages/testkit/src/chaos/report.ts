import type { ChaosEngine } from './chaos-engine.js'
import type { ChaosFleet } from './chaos-fleet.js'
import type { ReadBack } from './chaos-reader.js'
import { routeSteps, type Ledgers } from './ledgers.js'

/** What came of a run. */
export interface ChaosReport {
  readonly seed: number
  /** What is not as it should be, in words. */
  readonly differences: readonly string[]
  /** Operations by outcome. */
  readonly outcomes: Readonly<Record<'acknowledged' | 'rejected' | 'unknown' | 'unfinished', number>>
  /** Routes that grew, and routes that were merged back. */
  readonly growthCount: number
  readonly drainCount: number
  readonly killedCount: number
  readonly stoppedCount: number
  /** What went wrong on purpose, by kind. */
  readonly mishaps: ReadonlyMap<string, number>
  /** The whole, for people. */
  readonly text: string
  /** Where the ledgers are, if there are differences. */
  readonly folder?: string
}

/** What a report is made of. */
export interface ReportParts {
  readonly seed: number
  readonly processCount: number
  readonly durationMs: number
  readonly ledgers: Ledgers
  readonly back: ReadBack
  readonly differences: readonly string[]
  readonly mishaps: ReadonlyMap<string, number>
  readonly fleet: ChaosFleet
  readonly engine: ChaosEngine
}

const shownMax = 50

/** Sums a run up. */
export function reportOf(parts: ReportParts): ChaosReport {
  const { seed, ledgers, differences, mishaps, fleet } = parts
  const outcomes = { acknowledged: 0, rejected: 0, unknown: 0, unfinished: 0 }
  for (const { outcome } of ledgers.operations) outcomes[outcome] += 1
  const made = { seed, differences, outcomes, ...routeSteps(ledgers), mishaps }
  const { killed, stopped, stoppedPastHorizon } = fleet.counts
  const report = { ...made, killedCount: killed, stoppedCount: stopped + stoppedPastHorizon }
  return { ...report, text: textOf(parts, report) }
}

function textOf(parts: ReportParts, report: Omit<ChaosReport, 'text'>): string {
  const { seed, processCount, durationMs, ledgers, back, fleet, engine } = parts
  const { differences, outcomes, mishaps } = report
  const { acknowledged, rejected, unknown, unfinished } = outcomes
  const keys = `${back.atRest.records.length} records and ${back.atRest.items.length} collections`
  const { killed, stopped, stoppedPastHorizon } = fleet.counts
  return [
    `seed ${seed}: ${processCount} processes for ${durationMs / 1_000} s on ${keys}`,
    `operations    ${ledgers.operations.length}: ${acknowledged} acknowledged, ${rejected} rejected, ${unknown} unknown, ${unfinished} cut off by a kill; ${ledgers.reads.length} reads of records`,
    `routes        ${report.growthCount} growths, ${report.drainCount} drains; at rest ${(back.restMs / 1_000).toFixed(1)} s after the first reading back`,
    `processes     ${killed} killed and started anew, ${stopped} stopped past their lease, ${stoppedPastHorizon} past the horizon of retries`,
    `went wrong    ${listOf(mishaps)}`,
    `requests      ${listOf(Object.entries(engine.counts()))}`,
    `in ledgers    ${listOf([...ledgers.events].toSorted(([a], [b]) => (a < b ? -1 : 1)))}`,
    `differences   ${differences.length}`,
    ...differences.slice(0, shownMax).map((text) => `  ${text}`),
    ...(differences.length > shownMax ? [`  … and ${differences.length - shownMax} more`] : []),
  ].join('\n')
}

function listOf(counts: Iterable<readonly [string, number]>): string {
  return Array.from(counts, ([kind, count]) => `${count} ${kind}`).join(', ')
}

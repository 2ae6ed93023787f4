import Table from 'cli-table3'
import colors from 'picocolors'

import type { StrategyResult } from '../run-strategy.js'
import { count, ms, seconds } from '../format.js'
import { untoldOf } from './closing.js'

/** The results side by side: a row a figure, a column a strategy. */
export function tableOf(results: readonly StrategyResult[]): string {
  const table = new Table({
    head: ['', ...results.map((result) => colors.bold(result.title) + (result.isInterrupted ? ' (interrupted)' : ''))],
    colAligns: ['left', ...results.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  })
  for (const [name, cell] of rows) table.push([name, ...results.map(cell)])
  return table.toString()
}

type Row = readonly [name: string, cell: (result: StrategyResult) => string]

const rows: readonly Row[] = [
  ['writes acknowledged', ({ writes }) => count(writes.done)],
  ['took', ({ durationMs }) => seconds(durationMs)],
  ['process late by (p99), ms', ({ lagP99Ms }) => ms(lagP99Ms)],
  ['write requests', ({ store }) => count(store.writeRequests)],
  ['  throttled write attempts', ({ store }) => bad(store.writesThrottled)],
  ['  capacity units written', ({ store }) => count(store.writeUnits)],
  ['answers lost on the way', ({ answersLost }) => count(answersLost)],
  ['failed writes', ({ writes }) => bad(writes.rejected + writes.unknown)],
  ['write latency p50 / p99, ms', ({ writeLatency }) => `${ms(writeLatency.p50Ms)} / ${ms(writeLatency.p99Ms)}`],
  ['reads', ({ reads }) => count(reads.answered)],
  ['  requests per read', ({ store, reads }) => ratio(store.readRequests, reads.answered)],
  ['  shards per read', ({ store, reads }) => ratio(store.shardsRead, reads.answered)],
  ['  throttled read attempts', ({ store }) => bad(store.readsThrottled)],
  ['  capacity units read', ({ store }) => count(store.readUnits)],
  ['  failed', ({ reads }) => bad(reads.failed)],
  ['  untrue while it ran', ({ reads }) => bad(reads.wrong)],
  ['read latency p50 / p99, ms', ({ readLatency }) => `${ms(readLatency.p50Ms)} / ${ms(readLatency.p99Ms)}`],
  ['requests for routes', ({ store }) => count(store.directoryReads + store.directorySwaps)],
  [
    'surge to first spread write',
    ({ answeredSurge }) => (answeredSurge === undefined ? '–' : seconds(answeredSurge.afterMs)),
  ],
  ['writes stored less those made', ({ check }) => difference(check.editsStored - check.editsBegun)],
  ['keys checked', ({ check }) => count(check.checkedCount)],
  ['keys that differ from the log', ({ check }) => bad(check.differences.length)],
  ['  and nobody was told: mismatches', (result) => bad(untoldOf(result))],
]

function bad(value: number): string {
  return value === 0 ? colors.green('0') : colors.red(count(value))
}

function difference(value: number): string {
  return value === 0 ? colors.green('0') : colors.red(`${value > 0 ? '+' : '−'}${count(Math.abs(value))}`)
}

function ratio(requests: number, reads: number): string {
  return reads === 0 ? '–' : (requests / reads).toFixed(2)
}

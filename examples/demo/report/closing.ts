import colors from 'picocolors'

import type { Difference } from '../check/read-back.js'
import type { UserTotals } from '../record.js'
import type { StrategyResult } from '../run-strategy.js'
import { count, ms, plural } from '../format.js'

const shownMax = 10
const lagNotedMs = 50 // a tenth of a lease: from here on leases run out because of the machine

/** A warning when the machine was too slow for the figures to mean anything; undefined when it was not. */
export function lagNoteOf(results: readonly StrategyResult[]): string | undefined {
  const worst = Math.max(0, ...results.map(({ lagP99Ms }) => lagP99Ms))
  if (worst < lagNotedMs) return undefined
  return colors.yellow(
    `This process was up to ${ms(worst)} ms late (p99): the machine is too busy for this rate, and latencies and failed writes are its own. Try a lower --rate.`,
  )
}

/** What the table means for the one strategy that must be right; undefined when that was not run. */
export function closingOf(results: readonly StrategyResult[]): string | undefined {
  const result = results.find(({ id }) => id === 'c')
  if (result === undefined) return undefined
  const { check, reads, writes } = result
  const lines = [
    `${verdictOf(result)} ${plural(check.checkedCount, 'key')} checked, mismatches: ${count(untoldOf(result))}.`,
  ]
  if (writes.rejected + writes.unknown > 0) {
    lines.push(
      `Writes that failed: ${count(writes.rejected)} not written, ${count(writes.unknown)} may be written; their callers were told.`,
    )
  }
  if (reads.wrong > 0)
    lines.push(`Reads that missed an acknowledged edit, or counted one that nobody had made: ${count(reads.wrong)}.`)
  if (result.leftAtClose !== undefined) lines.push(`Not written at close: ${result.leftAtClose}`)
  lines.push(...check.differences.slice(0, shownMax).map(differenceLine))
  if (check.differences.length > shownMax) lines.push(`  and ${count(check.differences.length - shownMax)} more`)
  return lines.join('\n')
}

function verdictOf(result: StrategyResult): string {
  if (isWrong(result)) return colors.red('Spillway is wrong.')
  if (result.check.differences.length === 0) return colors.green('Spillway agrees with the log.')
  return colors.yellow('Spillway agrees with the log but for writes that failed.')
}

/** Whether the demo has failed: a record that differs without anybody having been told, or a read that cannot be true. */
export function isWrong(result: StrategyResult): boolean {
  return result.reads.wrong > 0 || untoldOf(result) > 0
}

/** How many records differ from the log without anybody having been told. */
export function untoldOf({ check }: StrategyResult): number {
  return check.differences.filter(({ isTold }) => !isTold).length
}

function differenceLine({ key, expected, actual, isTold }: Difference): string {
  return `  ${key}: expected ${show(expected)}, found ${show(actual)}${isTold ? ' (explained by failures that were reported)' : ''}`
}

function show({ edits, bytes, lastEditMs, lastPage }: UserTotals): string {
  return `${edits} edits, ${bytes} bytes, last ${lastEditMs ?? '–'} ${JSON.stringify(lastPage ?? null)}`
}

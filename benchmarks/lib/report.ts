import { printTable } from './print-table.js'
import { type Contender, type Goal, inRounds, type RoundsOptions, type Row } from './rounds.js'
import { showSpread } from './spread.js'

/** One comparison: rows of contenders, the first of which is the baseline. */
export interface Comparison {
  readonly title: string
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
}

/** Measures contenders against the first of them, and prints what came out. */
export async function compare(
  title: string,
  contenders: readonly Contender[],
  goals: readonly Goal[],
  options: RoundsOptions,
): Promise<Comparison> {
  const comparison = { title, rows: await inRounds(contenders, options), goals }
  printComparison(comparison)
  return comparison
}

/** Prints a comparison as a table, then whether its goals are met by the medians. */
function printComparison({ title, rows, goals }: Comparison): void {
  console.log(`\n${title}`)
  console.log('median (min–max) of the rounds, an operation; times are CPU time')
  const lines = rows.map(({ name, ns, ratio, overNs, bytes, overBytes }) => [
    name,
    showSpread(ns, 1),
    showSpread(ratio, 2),
    showSpread(overNs, 0),
    bytes.median.toFixed(0),
    overBytes.median.toFixed(0),
  ])
  printTable(['', 'ns', 'ratio', 'ns over', 'bytes', 'bytes over'], lines)
  for (const goal of goals) console.log(`  ${verdictOf(goal, rows)}`)
}

function verdictOf({ contender, ratioMax, overNsMax, overBytesMax }: Goal, rows: readonly Row[]): string {
  const row = rows.find(({ name }) => name === contender)
  if (row === undefined) throw new Error(`no row is named ${contender}`)
  const parts: string[] = []
  const judge = (what: string, value: number, max: number | undefined, digits: number) => {
    if (max === undefined) return
    const verdict = value <= max ? 'met' : 'MISSED'
    parts.push(`${what} ${value.toFixed(digits)}, goal ≤ ${max}: ${verdict}`)
  }
  judge('ratio', row.ratio.median, ratioMax, 2)
  judge('ns over', row.overNs.median, overNsMax, 0)
  judge('bytes over', row.overBytes.median, overBytesMax, 0)
  return `${contender}: ${parts.join('; ')}`
}

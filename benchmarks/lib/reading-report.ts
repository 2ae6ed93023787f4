import { printTable } from './print-table.js'
import { type Figure, inTurns, type Reader, type ReadingOptions, type ReadingRow } from './reading.js'
import { showSpread } from './spread.js'

/** What is wanted of a reader: of its medians. */
export interface ReadingGoal {
  readonly peer: string
  readonly readPerItemMax: number
}

/** One table: readers side by side, the first of which is the baseline. */
export interface ReadingTable extends ReadingOptions {
  readonly title: string
  readonly rows: readonly ReadingRow[]
  readonly goals: readonly ReadingGoal[]
}

/** Reads by several ways in turn and prints what came out. */
export async function compareReading(
  title: string,
  readers: readonly Reader[],
  expected: (part: number) => readonly string[],
  goals: readonly ReadingGoal[],
  options: ReadingOptions,
): Promise<ReadingTable> {
  const table = { title, ...options, rows: await inTurns(readers, expected, options), goals }
  printReadingTable(table)
  return table
}

/** Prints a table, then whether its goals are met by the medians. */
function printReadingTable({ title, rows, goals }: ReadingTable): void {
  console.log(`\n${title}`)
  console.log('median (min–max) of the rounds, a read; «×»: times the first; CPU time is that of this process')
  const lines = rows.map(({ name, requests, units, readPerItem, cpuUs, p50Ms }) => [
    name,
    requests.value.median.toFixed(1),
    units?.value.median.toFixed(1) ?? '',
    times(units),
    showSpread(readPerItem.value, 2),
    cpuUs.value.median.toFixed(0),
    times(cpuUs),
    p50Ms.value.median.toFixed(2),
    times(p50Ms),
  ])
  printTable(['', 'requests', 'units', '×', 'read/item', 'CPU µs', '×', 'p50 ms', '×'], lines)
  for (const { peer, readPerItemMax } of goals) {
    const row = rows.find(({ name }) => name === peer)
    if (row === undefined) throw new Error(`no row is named ${peer}`)
    const { median } = row.readPerItem.value
    const verdict = median <= readPerItemMax ? 'met' : 'MISSED'
    console.log(`  ${peer}: read/item ${median.toFixed(2)}, goal ≤ ${readPerItemMax}: ${verdict}`)
  }
}

function times(figure: Figure | undefined): string {
  return figure === undefined ? '' : showSpread(figure.ratio, 2)
}

import { type LoadOptions, type LoadRow, type Peer, underLoad } from './load.js'
import { printTable } from './print-table.js'
import { showSpread } from './spread.js'

/** What is wanted of a peer: of its medians, compared with those of the baseline or in themselves. */
export interface LoadGoal {
  readonly peer: string
  /** Of operations a second. */
  readonly ratioMin?: number
  readonly cpuUsMax?: number
  readonly cpuRatioMax?: number
  /** Requests an operation. */
  readonly requestsMax?: number
}

/** One table: peers side by side, the first of which is the baseline. */
export interface LoadTable extends LoadOptions {
  readonly title: string
  readonly rows: readonly LoadRow[]
  readonly goals: readonly LoadGoal[]
}

/** Loads peers in turn and prints what came out. */
export async function compareUnderLoad(
  title: string,
  peers: readonly Peer[],
  goals: readonly LoadGoal[],
  options: LoadOptions,
): Promise<LoadTable> {
  const table = { title, ...options, rows: await underLoad(peers, options), goals }
  printLoadTable(table)
  return table
}

/** Prints a table, then whether its goals are met by the medians. */
function printLoadTable({ title, rows, goals }: LoadTable): void {
  console.log(`\n${title}`)
  console.log('median (min–max) of the rounds; CPU time is that of this process, an operation')
  const lines = rows.map(({ name, perSecond, ratio, cpuUs, cpuRatio, waitMs, requests }) => [
    name,
    perSecond.median.toFixed(0),
    showSpread(ratio, 2),
    showSpread(cpuUs, 2),
    showSpread(cpuRatio, 3),
    waitMs.median.toFixed(2),
    requests === undefined ? '' : requests.toPrecision(3),
  ])
  printTable(['', '/s', 'ratio', 'CPU µs', 'CPU ratio', 'wait ms', 'requests'], lines)
  for (const goal of goals) console.log(`  ${verdictOf(goal, rows)}`)
}

function verdictOf({ peer, ratioMin, cpuUsMax, cpuRatioMax, requestsMax }: LoadGoal, rows: readonly LoadRow[]): string {
  const row = rows.find(({ name }) => name === peer)
  if (row === undefined) throw new Error(`no row is named ${peer}`)
  const parts: string[] = []
  const judge = (what: string, isMet: boolean) => parts.push(`${what}: ${isMet ? 'met' : 'MISSED'}`)
  const { ratio, cpuUs, cpuRatio, requests = Number.NaN } = row
  if (ratioMin !== undefined) judge(`ratio ${ratio.median.toFixed(2)}, goal ≥ ${ratioMin}`, ratio.median >= ratioMin)
  if (cpuUsMax !== undefined) judge(`CPU µs ${cpuUs.median.toFixed(2)}, goal ≤ ${cpuUsMax}`, cpuUs.median <= cpuUsMax)
  if (cpuRatioMax !== undefined)
    judge(`CPU ratio ${cpuRatio.median.toFixed(3)}, goal ≤ ${cpuRatioMax}`, cpuRatio.median <= cpuRatioMax)
  if (requestsMax !== undefined)
    judge(`requests ${requests.toFixed(3)}, goal ≤ ${requestsMax}`, requests <= requestsMax)
  return `${peer}: ${parts.join('; ')}`
}

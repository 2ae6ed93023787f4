// The tables of docs/benchmarks.md, made from results/*.json: a number nobody measured has no way into it. A test holds them equal.

import { existsSync, readFileSync } from 'node:fs'

import { directoryShareFor, type FleetTable, heatCell, loadCell, trafficCell } from './fleet/fleet-figures.js'
import type { LoadRow } from './lib/load.js'
import type { WritesRow } from './lib/partitioned-writes.js'
import type { Figure, ReadingRow } from './lib/reading.js'
import type { Spread } from './lib/spread.js'

/** What all tables of results have. */
interface Table {
  readonly title: string
  readonly rows: readonly { readonly name: string }[]
}

/** One table of the page: a row for each table of the result, a column for each peer of it. */
interface Shown {
  readonly name: string
  /** Where the result has its tables. @default 'tables' */
  readonly among?: string
  /** Which peers are shown. @default all */
  readonly peers?: RegExp
  readonly heading: string
  /** The cell of a peer; the first of them is the baseline. */
  readonly cell: (row: never, index: number) => string
}

function rates({ perSecond, ratio, cpuUs }: LoadRow, index: number): string {
  const pace = index === 0 ? perSecondText(perSecond) : spreadText(ratio)
  return `${pace}, ${cpuOf(cpuUs)}`
}

function cpu({ cpuUs, cpuRatio }: LoadRow, index: number): string {
  return index === 0 ? cpuOf(cpuUs) : spreadText(cpuRatio)
}

function reading({ requests, units, readPerItem, cpuUs, p50Ms }: ReadingRow, index: number): string {
  const times = (figure: Figure, one: string) => (index === 0 ? one : spreadText(figure.ratio))
  return [
    `${few(requests.value)} requests`,
    ...(units === undefined ? [] : [`${few(units.value)} units`]),
    `${readPerItem.value.median.toFixed(2)} read`,
    `CPU ${times(cpuUs, cpuOf(cpuUs.value))}`,
    `p50 ${times(p50Ms, `${p50Ms.value.median.toPrecision(3)} ms`)}`,
  ].join(', ')
}

const fleetHeadings = {
  traffic:
    'refused attempts, failed operations, capacity units an operation (all of Spillway’s own among them), and reads',
  heat: 'how long a key had been hot when it was spread, and cool when a read of it covered one place again',
  load: 'requests of Spillway’s own',
  exact: 'the same where every write counts once, as it does by default',
}

const shown: readonly Shown[] = [
  { name: 'redis-hot-key', heading: 'writes a second, times the first; CPU a write', cell: rates },
  { name: 'dynamo-hot-key', heading: 'writes a second, times the first; CPU a write', cell: rates },
  { name: 'cold-keys', heading: 'writes a second, times the first; CPU a write', cell: rates },
  { name: 'gather', heading: 'CPU a read, times the first', cell: cpu },
  {
    name: 'collection-page',
    heading: 'requests, capacity units and items read for each that was wanted; CPU and p50, times the first',
    cell: reading,
  },
  {
    name: 'collection-write',
    heading: 'new items a second on partitions of 1,000 units, times the first',
    cell: ({ perSecond, ratio }: WritesRow, index) => (index === 0 ? perSecondText(perSecond) : spreadText(ratio)),
  },
  {
    name: 'cold-items',
    heading: 'operations a second, times the first; CPU and requests an operation',
    cell: (row: LoadRow, index) => `${rates(row, index)}, ${row.requests?.toFixed(2) ?? '?'} requests`,
  },
  { name: 'spool', heading: 'changes acknowledged a second, times the first; CPU a change', cell: rates },
  ...['fleet', 'fleet-large'].flatMap((name) => [
    { name, heading: fleetHeadings.traffic, cell: trafficCell },
    { name, peers: /^Spillway/, heading: fleetHeadings.heat, cell: heatCell },
    { name, peers: /^Spillway/, heading: fleetHeadings.load, cell: loadCell },
  ]),
  { name: 'fleet', among: 'exactTables', heading: fleetHeadings.exact, cell: trafficCell },
]

/** What stands before and after the tables in the page. */
const marks = ['<!-- tables of `npm run bench -- --docs` -->', '<!-- end of the tables -->'] as const

/** The page with its tables made anew from whatever results a folder holds. Throws when it has no place for them. */
export function withTables(page: string, results: URL): string {
  const [begin, end] = marks.map((mark) => page.indexOf(mark)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`the page has no lines ${marks.join(' and ')}`)
  const saved = shown.filter(({ name }) => existsSync(new URL(`${name}.json`, results)))
  const tables = [...saved.map((one) => tablesOf(one, results)), ...directoryTables(results)]
  return `${page.slice(0, begin)}${[marks[0], ...tables, ''].join('\n\n')}${page.slice(end)}`
}

/** One Markdown table for all tables of a result that have the same peers. */
function tablesOf({ name, among = 'tables', peers: shownPeers = /^/, heading, cell }: Shown, results: URL): string {
  const groups = new Map<string, Table[]>()
  for (const { title, rows } of resultOf(name, among, results)) {
    const table = { title, rows: rows.filter((row) => shownPeers.test(row.name)) }
    const peers = table.rows.map((row) => row.name).join('\n')
    groups.set(peers, [...(groups.get(peers) ?? []), table])
  }
  const source = sourceOf(name)
  return [...groups.values()]
    .map((group) => {
      const names = group[0]?.rows.map((row) => row.name) ?? []
      const lines = group.map(({ title, rows }) => [title, ...rows.map((row, i) => cell(row as never, i))])
      return `${source}: ${heading}\n\n${markdown(['', ...names], lines)}`
    })
    .join('\n\n')
}

/** The directory of a fleet that is too large to be simulated: computed from the largest one that was. */
function directoryTables(results: URL): readonly string[] {
  const name = 'fleet-large'
  if (!existsSync(new URL(`${name}.json`, results))) return []
  const [measured] = resultOf(name, 'tables', results) as readonly FleetTable[]
  if (measured === undefined) return []
  const processCount = 100_000
  const heading = `the directory of ${processCount.toLocaleString('en')} processes, in parts of what one partition reads; **computed** from the measured requests of ${measured.processCount.toLocaleString('en')}`
  const lines = [1, 4, 8, 16].map((copies) => [
    `directoryCopies: ${copies}`,
    ...refreshesMs.map((refreshMs) => {
      const share = directoryShareFor(measured, { processCount, refreshMs, copies })
      const text = `${Math.round(100 * share).toLocaleString('en')} %`
      return share < 1 / 2 ? `**${text}**` : text
    }),
  ])
  const head = ['', ...refreshesMs.map((ms) => `refreshMs: ${ms.toLocaleString('en').replace(',', '_')}`)]
  return [`${sourceOf(name)}: ${heading}\n\n${markdown(head, lines)}`]
}

const refreshesMs = [1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 80_000]

function resultOf(name: string, among: string, results: URL): readonly Table[] {
  const text = readFileSync(new URL(`${name}.json`, results), 'utf8')
  return (JSON.parse(text) as { result: Record<string, readonly Table[]> }).result[among] ?? []
}

function sourceOf(name: string): string {
  return `[${name}.json](../benchmarks/results/${name}.json)`
}

/** As prettier lays it out. */
function markdown(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...lines.map((line) => line[i]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n')
}

function spreadText({ min, median, max }: Spread): string {
  const digits = median < 10 ? 2 : median < 100 ? 1 : 0
  const [from, at, to] = [min, median, max].map((value) => value.toFixed(digits))
  return `${at} (${from}–${to})`
}

function cpuOf({ median }: Spread): string {
  return `${median < 10 ? median.toFixed(2) : Math.round(median)} µs`
}

function perSecondText({ median }: Spread): string {
  return `${Math.round(median).toLocaleString('en')}/s`
}

/** Without a digit that says nothing. */
function few({ median }: Spread): string {
  return Number.isInteger(median) ? String(median) : median.toFixed(1)
}

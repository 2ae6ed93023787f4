// The tables of docs/benchmarks.md, made from results/*.json: a number nobody measured has no way into it. A test holds them equal.

import { existsSync, readFileSync } from 'node:fs'

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
]

/** What stands before and after the tables in the page. */
const marks = ['<!-- tables of `npm run bench -- --docs` -->', '<!-- end of the tables -->'] as const

/** The page with its tables made anew from whatever results a folder holds. Throws when it has no place for them. */
export function withTables(page: string, results: URL): string {
  const [begin, end] = marks.map((mark) => page.indexOf(mark)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`the page has no lines ${marks.join(' and ')}`)
  const saved = shown.filter(({ name }) => existsSync(new URL(`${name}.json`, results)))
  const tables = saved.map((one) => tablesOf(one, results))
  return `${page.slice(0, begin)}${[marks[0], ...tables, ''].join('\n\n')}${page.slice(end)}`
}

/** One Markdown table for all tables of a result that have the same peers. */
function tablesOf({ name, heading, cell }: Shown, results: URL): string {
  const text = readFileSync(new URL(`${name}.json`, results), 'utf8')
  const { tables } = (JSON.parse(text) as { result: { tables: Table[] } }).result
  const groups = new Map<string, Table[]>()
  for (const table of tables) {
    const peers = table.rows.map((row) => row.name).join('\n')
    groups.set(peers, [...(groups.get(peers) ?? []), table])
  }
  const source = `[${name}.json](../benchmarks/results/${name}.json)`
  return [...groups.values()]
    .map((group) => {
      const names = group[0]?.rows.map((row) => row.name) ?? []
      const lines = group.map(({ title, rows }) => [title, ...rows.map((row, i) => cell(row as never, i))])
      return `${source}: ${heading}\n\n${markdown(['', ...names], lines)}`
    })
    .join('\n\n')
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

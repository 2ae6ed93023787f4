// The tables that README shows, made from results/*.json: a number nobody measured has no way into it. A test holds them equal.

import { existsSync, readFileSync } from 'node:fs'

import type { LoadTable } from './lib/load-report.js'
import type { LoadRow } from './lib/load.js'
import type { Spread } from './lib/spread.js'

/** One table of README: a row for each table of the result, a column for each peer of it. */
interface Shown {
  readonly name: string
  readonly heading: string
  readonly baseline: (row: LoadRow) => string
  readonly peer: (row: LoadRow) => string
}

const asRates: Pick<Shown, 'baseline' | 'peer'> = {
  baseline: ({ perSecond, cpuUs }) => `${Math.round(perSecond.median).toLocaleString('en')}/s, ${cpuOf(cpuUs)}`,
  peer: ({ ratio, cpuUs }) => `${spreadText(ratio)}, ${cpuOf(cpuUs)}`,
}

const asCpu: Pick<Shown, 'baseline' | 'peer'> = {
  baseline: ({ cpuUs }) => cpuOf(cpuUs),
  peer: ({ cpuRatio }) => spreadText(cpuRatio),
}

const shown: readonly Shown[] = [
  { name: 'redis-hot-key', heading: 'writes a second, times the first; CPU a write', ...asRates },
  { name: 'dynamo-hot-key', heading: 'writes a second, times the first; CPU a write', ...asRates },
  { name: 'cold-keys', heading: 'writes a second, times the first; CPU a write', ...asRates },
  { name: 'gather', heading: 'CPU a read, times the first', ...asCpu },
]

/** What stands before and after the tables in README. */
const marks = ['<!-- tables of `npm run bench -- --readme` -->', '<!-- end of the tables -->'] as const

/** README with its tables made anew from whatever results a folder holds. Throws when it has no place for them. */
export function withTables(readme: string, results: URL): string {
  const [begin, end] = marks.map((mark) => readme.indexOf(mark)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`README has no lines ${marks.join(' and ')}`)
  const saved = shown.filter(({ name }) => existsSync(new URL(`${name}.json`, results)))
  const tables = saved.map((one) => tablesOf(one, results))
  return `${readme.slice(0, begin)}${[marks[0], ...tables, ''].join('\n\n')}${readme.slice(end)}`
}

/** One Markdown table for all tables of a result that have the same peers. */
function tablesOf({ name, heading, baseline, peer }: Shown, results: URL): string {
  const text = readFileSync(new URL(`${name}.json`, results), 'utf8')
  const { tables } = (JSON.parse(text) as { result: { tables: LoadTable[] } }).result
  const groups = new Map<string, LoadTable[]>()
  for (const table of tables) {
    const peers = table.rows.map((row) => row.name).join('\n')
    groups.set(peers, [...(groups.get(peers) ?? []), table])
  }
  const source = `[${name}.json](benchmarks/results/${name}.json)`
  return [...groups.values()]
    .map((group) => {
      const names = group[0]?.rows.map((row) => row.name) ?? []
      const lines = group.map(({ title, rows }) => [
        title,
        ...rows.map((row, i) => (i === 0 ? baseline(row) : peer(row))),
      ])
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

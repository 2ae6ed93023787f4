import { existsSync, readFileSync } from 'node:fs'

import * as echarts from 'echarts'

import { type FleetRow, type FleetTable, figureOf, timesOf } from './fleet-figures.js'

const width = 1_080
const height = 640
const panel = { left: 76, top: 96, width: 280, height: 190, gapX: 60, gapY: 92 }

/** Told apart without colours, too: by their marks. */
const styles = [
  { color: '#8a8a8a', symbol: 'circle' },
  { color: '#c98a00', symbol: 'rect' },
  { color: '#2b6cb0', symbol: 'triangle' },
  { color: '#0b8457', symbol: 'diamond' },
] as const

/** What the panels of a row show. */
interface PlotRow {
  readonly axis: string
  readonly valueOf: (row: FleetRow) => number | undefined
  /** What stands beside a point. */
  readonly noteOf: (row: FleetRow) => string
  /** What stands where no way has a point. */
  readonly empty: string
}

const plotRows: readonly PlotRow[] = [
  {
    axis: 'refused attempts, %',
    valueOf: (row) => 100 * figureOf(row, 'throttledShare').median,
    noteOf: () => '',
    empty: '',
  },
  {
    axis: 'time until a key was spread, s',
    valueOf: (row) => {
      const { ms } = timesOf(row, 'spreadMs')
      return ms && ms.median / 1_000
    },
    noteOf: (row) => {
      const { timedCount, keyCount } = timesOf(row, 'spreadMs')
      return `${timedCount}/${keyCount}`
    },
    empty: 'no key was spread while it was hot',
  },
]

/** The picture of docs/benchmarks.md, as SVG: a column of panels for each stream, over the number of processes. */
export function fleetPlot(results: URL): string {
  const tables = ['fleet', 'fleet-large'].flatMap((name) => tablesOf(new URL(`${name}.json`, results)))
  const streams = [...new Set(tables.map(({ stream }) => stream))]
  const processCounts = [...new Set(tables.map(({ processCount }) => processCount))].toSorted((a, b) => a - b)
  const names = tables[0]?.rows.map(({ name }) => name) ?? []
  const panels = plotRows.flatMap((plotRow, y) => streams.map((stream, x) => ({ plotRow, stream, x, y })))
  const isEmpty = ({ plotRow, stream }: (typeof panels)[number]) =>
    !tables.some((table) => table.stream === stream && table.rows.some((row) => plotRow.valueOf(row) !== undefined))
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif', fontSize: 13 },
    legend: { data: names, top: 12, itemGap: 28, textStyle: { fontSize: 14 } },
    title: streams.map((text, x) => ({ text, ...titleAt(x) })),
    grid: panels.map(({ x, y }) => ({ ...cornerOf(x, y), width: panel.width, height: panel.height })),
    xAxis: panels.map((_, gridIndex) => ({
      type: 'category',
      gridIndex,
      data: processCounts.map((count) => count.toLocaleString('en')),
      name: 'processes that share the same traffic',
      nameLocation: 'middle',
      nameGap: 30,
      axisTick: { alignWithLabel: true },
    })),
    yAxis: panels.map(({ plotRow, x }, gridIndex) => ({
      type: 'value',
      gridIndex,
      min: 0,
      ...(x === 0 && { name: plotRow.axis, nameLocation: 'middle', nameGap: 40 }),
    })),
    graphic: panels.filter(isEmpty).map(({ plotRow, x, y }) => ({
      type: 'text',
      left: cornerOf(x, y).left + 30,
      top: cornerOf(x, y).top + panel.height / 2,
      style: { text: plotRow.empty, fill: '#555555', font: '13px Helvetica, Arial, sans-serif' },
    })),
    series: panels.flatMap(({ plotRow, stream }, index) =>
      names.map((name, i) => ({
        type: 'line',
        name,
        xAxisIndex: index,
        yAxisIndex: index,
        ...styles[i],
        symbolSize: 9,
        lineStyle: { width: 2 },
        data: processCounts.map((count) => {
          const table = tables.find((one) => one.stream === stream && one.processCount === count)
          const row = table?.rows.find((one) => one.name === name)
          const value = row && plotRow.valueOf(row)
          if (row === undefined || value === undefined) return null
          const isTop = table?.rows.every((one) => (plotRow.valueOf(one) ?? 0) <= value)
          const position = isTop === true ? 'top' : 'bottom'
          return { value, label: { show: true, formatter: plotRow.noteOf(row), position, color: styles[i]?.color } }
        }),
      })),
    ),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function cornerOf(x: number, y: number) {
  return { left: panel.left + x * (panel.width + panel.gapX), top: panel.top + y * (panel.height + panel.gapY) }
}

function titleAt(x: number) {
  const { left } = cornerOf(x, 0)
  return {
    left: left + panel.width / 2,
    top: panel.top - 36,
    textAlign: 'center',
    textStyle: { fontSize: 15 },
  } as const
}

function tablesOf(file: URL): readonly FleetTable[] {
  if (!existsSync(file)) return []
  return (JSON.parse(readFileSync(file, 'utf8')) as { result: { tables: readonly FleetTable[] } }).result.tables
}

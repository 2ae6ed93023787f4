import type { LogEntry } from './log-entry.js'

const dayMs = 86_400_000

/** The log so many times in a row, each time as many days later as one time takes. */
export function repeatLog(entries: readonly LogEntry[], laps: number): readonly LogEntry[] {
  const times = entries.map(({ timeMs }) => timeMs ?? 0)
  const [firstMs, lastMs] = times.reduce(
    ([least, most], timeMs) => [Math.min(least, timeMs), Math.max(most, timeMs)],
    [Infinity, -Infinity],
  )
  const lapMs = dayMs * (1 + Math.floor((lastMs - firstMs) / dayMs))
  return Array.from({ length: laps }, (_unused, lap) =>
    entries.map((entry): LogEntry => {
      const timeMs = entry.timeMs === undefined ? undefined : entry.timeMs + lap * lapMs
      return { ...entry, timeMs, line: lap * entries.length + entry.line }
    }),
  ).flat()
}

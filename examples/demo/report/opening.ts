import colors from 'picocolors'

import type { LogEntry } from '../log/log-entry.js'
import { inFlightMax, writesPerRead, type Settings } from '../settings.js'
import type { EngineDescription } from '../store/demo-store.js'
import type { Strategy } from '../strategies/strategy.js'
import { count, plural, seconds } from '../format.js'

/** What is about to be done, and which of it is real. */
export function openingOf(
  entries: readonly LogEntry[],
  file: string,
  strategies: readonly Strategy[],
  settings: Settings,
  engine: EngineDescription,
): string {
  const { rate, laps, clients, seed } = settings
  const gap = `\n${' '.repeat(11)}`
  return [
    colors.bold('Spillway: a hot key on a store with partitions'),
    '',
    `${colors.bold('Real')}       ${[logLine(entries, file, settings), 'the code of Spillway; time: every latency below is waited for', ...engine.real].join(gap)}`,
    `${colors.bold('Simulated')}  ${[...engine.simulated, speedLine(entries, rate, laps), fleetLine(clients)].join(gap)}`,
    '',
    ...strategies.map((strategy) => `${colors.bold(strategy.title)}: ${strategy.description(settings, engine)}`),
    '',
    `A key is in a surge while it is asked for more writes in a second than a partition has units, or was throttled within the`,
    `last second. The time to the first spread write is that of the surge that is answered first.`,
    `Latency runs from the moment at which a line is due; failed calls count. Seed ${seed}.`,
    '',
  ].join('\n')
}

function speedLine(entries: readonly LogEntry[], rate: number, laps: number): string {
  const whole = laps === 1 ? 'the log' : `${laps} times the log in a row`
  return `speed: ${count(rate)} lines a second, so ${seconds((entries.length / rate) * 1_000)} for ${whole}, whatever it took in life`
}

function fleetLine(clients: number): string {
  return `a fleet: ${plural(clients, 'client')} in this process, at most ${inFlightMax} calls in flight each; a read follows every ${writesPerRead}th write`
}

function logLine(entries: readonly LogEntry[], file: string, { laps, lines }: Settings): string {
  const counts = new Map<string, number>()
  for (const { key } of entries) counts.set(key, (counts.get(key) ?? 0) + 1)
  const [busiest, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))
  const share = ((most / entries.length) * 100).toFixed(1)
  const which = lines === undefined ? '' : `lines ${count(lines.first)} to ${count(lines.last)}, `
  return `${file}: ${which}${count(entries.length / laps)} lines of ${plural(counts.size, 'key')}; ${busiest} has ${share} % of all`
}

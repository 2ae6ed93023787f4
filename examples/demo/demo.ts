import { open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ArgumentError } from './argument-error.js'
import { wikipediaFields, type LogEntry, type LogFields } from './log/log-entry.js'
import { readLog } from './log/read-log.js'
import { repeatLog } from './log/repeat.js'
import { closingOf, isWrong, lagNoteOf } from './report/closing.js'
import { conclusionOf } from './report/conclusion.js'
import { openingOf } from './report/opening.js'
import { tableOf } from './report/table.js'
import { runStrategy, type StrategyResult, type Watcher } from './run-strategy.js'
import type { Settings, StrategyId } from './settings.js'
import type { DemoEngine } from './store/demo-store.js'
import { openEngine } from './store/open-engine.js'
import { plain } from './strategies/plain.js'
import { spillway } from './strategies/spillway.js'
import type { Strategy } from './strategies/strategy.js'
import { tenSuffixes } from './strategies/ten-suffixes.js'

/** Where the demo shows what it does. */
export interface DemoOutput {
  /** Prints lines that stay. */
  readonly print: (text: string) => void
  /** Shows the strategy under way. */
  readonly watcher: Watcher
}

/** How a demo ended. */
export interface DemoEnd {
  /** What each strategy did, in the order in which they ran. */
  readonly results: readonly StrategyResult[]
  /** What the process should exit with. */
  readonly exitCode: 0 | 1 | 130
}

const strategies: Readonly<Record<StrategyId, Strategy>> = { a: plain, b: tenSuffixes, c: spillway }
const bundledLog = fileURLToPath(new URL('data/wikiticker.jsonl.gz', import.meta.url))

/** Replays a log through the strategies one after another and prints what came of it. `signal` stops it cleanly. An engine that was started is down again when this settles. Rejects with `LogError` when the log cannot be read, and with `ArgumentError` when the results could not be written or nobody answers at the address. */
export async function runDemo(
  settings: Settings,
  signal: AbortSignal,
  { print, watcher }: DemoOutput,
): Promise<DemoEnd> {
  await checkWritable(settings.jsonFile)
  const [file, fields] = logOf(settings)
  const entries = repeatLog(linesOf(await readLog(file, fields), settings), settings.laps)
  const chosen = settings.strategies.map((id) => strategies[id])
  if (settings.backend !== 'memory' && settings.address === undefined) print(`Starting ${settings.backend} …`)
  const engine = await openEngine(settings)
  const results: StrategyResult[] = []
  try {
    print(openingOf(entries, basename(file), chosen, settings, engine.description))
    await Promise.race([engine.lost, runAll(chosen, engine, entries, settings, signal, watcher, results)])
  } finally {
    await engine.close()
  }
  print(`\n${tableOf(results)}`)
  if (signal.aborted) print('Interrupted: the table shows what was done until then.')
  for (const line of [closingOf(results), lagNoteOf(results), conclusionOf(results, settings.windowMs)])
    if (line !== undefined) print(line)
  if (settings.jsonFile !== undefined)
    await writeFile(settings.jsonFile, `${JSON.stringify({ settings, results }, undefined, 2)}\n`)
  return { results, exitCode: exitCodeOf(results, signal) }
}

async function runAll(
  chosen: readonly Strategy[],
  engine: DemoEngine,
  entries: readonly LogEntry[],
  settings: Settings,
  signal: AbortSignal,
  watcher: Watcher,
  results: StrategyResult[],
): Promise<void> {
  for (const strategy of chosen) {
    if (signal.aborted) return
    results.push(await runStrategy(strategy, engine, entries, settings, signal, watcher))
  }
}

/** A minute's results must not be lost to a path that was wrong from the start. */
async function checkWritable(jsonFile: string | undefined): Promise<void> {
  if (jsonFile === undefined) return
  try {
    await (await open(jsonFile, 'a')).close()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ArgumentError(`--json must name a file that can be written, but was ${JSON.stringify(jsonFile)}: ${why}`)
  }
}

function logOf({ data }: Settings): [file: string, fields: LogFields] {
  if (data === undefined) return [bundledLog, wikipediaFields]
  return [data.file, { key: data.keyField, time: data.timeField }]
}

function linesOf(log: readonly LogEntry[], { lines }: Settings): readonly LogEntry[] {
  if (lines === undefined) return log
  const chosen = log.slice(lines.first - 1, lines.last).map((entry, line) => ({ ...entry, line }))
  if (chosen.length > 0) return chosen
  throw new ArgumentError(
    `--lines must begin within the ${log.length} lines of the log, but was ${lines.first}-${lines.last}`,
  )
}

function exitCodeOf(results: readonly StrategyResult[], signal: AbortSignal): DemoEnd['exitCode'] {
  if (results.some((result) => result.id === 'c' && isWrong(result))) return 1
  return signal.aborted ? 130 : 0
}

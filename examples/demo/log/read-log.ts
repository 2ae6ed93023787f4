import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createGunzip } from 'node:zlib'

import { csvRows } from './csv-rows.js'
import { jsonLineRows } from './json-lines.js'
import { entryOf, type LogEntry, type LogFields, type Row } from './log-entry.js'
import { LogError } from './log-error.js'
import { through } from './through.js'

/** A log is held in memory while it is replayed; this many entries take about 200 MB. */
const entriesMax = 1_000_000

/**
 * Reads a whole log: `*.jsonl`, `*.ndjson`, `*.json` (one object a line) or `*.csv`, each also with `.gz` behind it.
 * Rejects with `LogError`, which names the file and the line, when the log is malformed, empty or too long.
 */
export async function readLog(path: string, fields: LogFields): Promise<readonly LogEntry[]> {
  const file = basename(path)
  const entries: LogEntry[] = []
  try {
    for await (const { row, fileLine } of rowsOf(path, file)) {
      if (entries.length === entriesMax)
        throw new LogError(file, fileLine, `a log may have at most ${entriesMax} entries; cut it`)
      entries.push(checkedEntry(row, fields, entries.length, file, fileLine))
    }
  } catch (error) {
    throw error instanceof LogError ? error : new LogError(file, undefined, whyOf(error), error)
  }
  if (entries.length === 0) throw new LogError(file, 1, 'the log is empty: there is nothing to replay')
  return entries
}

function rowsOf(path: string, file: string) {
  const isZipped = /\.gz$/i.test(file)
  const format = /\.(jsonl|ndjson|json|csv)(\.gz)?$/i.exec(file)?.[1]?.toLowerCase()
  if (format === undefined)
    throw new LogError(file, undefined, 'the name must end in .jsonl, .ndjson, .json or .csv, or one of these and .gz')
  const bytes = createReadStream(path)
  const source = isZipped ? through(bytes, createGunzip()) : bytes
  return format === 'csv' ? csvRows(source, file) : jsonLineRows(source, file)
}

function checkedEntry(row: Row, fields: LogFields, line: number, file: string, fileLine: number): LogEntry {
  try {
    return entryOf(row, fields, line)
  } catch (error) {
    throw new LogError(file, fileLine, whyOf(error), error)
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'there is no such file'
  return error.message
}

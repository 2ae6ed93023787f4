import type { Readable } from 'node:stream'

import { CsvError, parse } from 'csv-parse'

import type { NumberedRow } from './json-lines.js'
import type { Row } from './log-entry.js'
import { LogError } from './log-error.js'
import { through } from './through.js'

/** Rows of a CSV text whose first line names the fields. Throws `LogError` at the first line that does not fit. */
export async function* csvRows(source: Readable, file: string): AsyncGenerator<NumberedRow> {
  const parser = through(source, parse({ columns: true, info: true, bom: true, skip_empty_lines: true }))
  try {
    for await (const parsed of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      yield { row: parsed.record, fileLine: parsed.info.lines }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new LogError(file, typeof error['lines'] === 'number' ? error['lines'] : undefined, error.message, error)
  }
}

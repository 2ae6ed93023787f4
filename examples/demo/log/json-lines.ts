import type { Readable } from 'node:stream'

import type { Row } from './log-entry.js'
import { LogError } from './log-error.js'

/** A row and the line of the file where it stands, from 1. */
export interface NumberedRow {
  /** The row's fields. */
  readonly row: Row
  /** Where it stands. */
  readonly fileLine: number
}

/** Rows of a text with one JSON object a line; blank lines are skipped. Throws `LogError` at the first line that is none. */
export async function* jsonLineRows(source: Readable, file: string): AsyncGenerator<NumberedRow> {
  let fileLine = 0
  for await (const text of linesOf(source, file)) {
    fileLine += 1
    if (text.trim() === '') continue
    yield { row: parseRow(text, file, fileLine), fileLine }
  }
}

const lineCharactersMax = 1_000_000 // a file without line ends would otherwise be read into one string

async function* linesOf(source: Readable, file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder() // drops a byte order mark
  let rest = ''
  let fileLine = 0
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    fileLine += lines.length
    if (rest.length > lineCharactersMax)
      throw new LogError(file, fileLine + 1, `the line has more than ${lineCharactersMax} characters`)
    yield* lines
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

function parseRow(text: string, file: string, fileLine: number): Row {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LogError(file, fileLine, `not JSON: ${text.trim().slice(0, 60)}`, error)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row
  throw new LogError(file, fileLine, `each line must be a JSON object, not ${text.trim().slice(0, 60)}`)
}

/** One line of the log: what happened to one key. */
export interface LogEntry {
  /** The line's place in the log, from 0; decides between entries of one millisecond. */
  readonly line: number
  /** Whose record it changes. */
  readonly key: string
  /** Milliseconds since the Unix epoch; undefined when the log has no times. */
  readonly timeMs: number | undefined
  /** What it adds to the record's bytes, negative when it takes away; undefined when the log does not say. */
  readonly bytes: number | undefined
  /** What was edited; undefined when the log does not say. */
  readonly page: string | undefined
}

/** Which fields of a row an entry is made of. */
export interface LogFields {
  /** The field with the key. */
  readonly key: string
  /** The field with the time: ISO 8601, or milliseconds since the Unix epoch. */
  readonly time?: string | undefined
  /** The field with the bytes. */
  readonly bytes?: string | undefined
  /** The field with the page. */
  readonly page?: string | undefined
}

/** One row of a log: the fields by name, whatever the format. */
export type Row = Readonly<Record<string, unknown>>

/** The fields of the log that comes with the demo. */
export const wikipediaFields: LogFields = { key: 'user', time: 'time', bytes: 'delta', page: 'page' }

/** Makes an entry of a row. Throws an `Error` that says what is wrong with the row. */
export function entryOf(row: Row, fields: LogFields, line: number): LogEntry {
  return {
    line,
    key: keyOf(row, fields.key),
    timeMs: fields.time === undefined ? undefined : timeOf(row, fields.time),
    bytes: fields.bytes === undefined ? undefined : integerOf(row, fields.bytes),
    page: fields.page === undefined ? undefined : String(valueOf(row, fields.page)),
  }
}

function keyOf(row: Row, field: string): string {
  const value = valueOf(row, field)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && value !== '') return value
  throw new Error(`field ${JSON.stringify(field)} must be a number or a text that is not empty, not ${show(value)}`)
}

function timeOf(row: Row, field: string): number {
  const value = valueOf(row, field)
  const timeMs = isNumeric(value) ? Number(value) : Date.parse(String(value))
  if (Number.isFinite(timeMs)) return Math.floor(timeMs)
  throw new Error(
    `field ${JSON.stringify(field)} must be an ISO 8601 time or milliseconds since 1970, not ${show(value)}`,
  )
}

function integerOf(row: Row, field: string): number {
  const value = valueOf(row, field)
  if (isNumeric(value) && Number.isSafeInteger(Number(value))) return Number(value)
  throw new Error(`field ${JSON.stringify(field)} must be a whole number, not ${show(value)}`)
}

function valueOf(row: Row, field: string): unknown {
  if (Object.hasOwn(row, field)) return row[field]
  throw new Error(
    `there is no field ${JSON.stringify(field)}; the row has ${Object.keys(row).slice(0, 12).join(', ') || 'none'}`,
  )
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60)
}

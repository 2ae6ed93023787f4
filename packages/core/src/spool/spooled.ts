import type { WriteStamp } from '../backend/backend.js'
import { SpoolError } from '../errors/spool-error.js'
import type { FieldState, RecordShape } from '../merge/record-shape.js'
import { ownGeneration, type ShardRef } from '../operation.js'

/** Merged changes to one key, as they stand on a disk. */
export interface SpooledChange {
  /** The record's name. */
  readonly record: string
  /** The record's prefix. */
  readonly prefix: string
  /** The key as the caller names it. */
  readonly name: string
  /** How many buffered changes are in it. */
  readonly changeCount: number
  /** Names of fields, ids of their rules, and what these make of the states. */
  readonly fields: readonly (readonly [name: string, rule: string, text: string])[]
}

/** Where a change is sent, and under which number: known before it leaves. */
export interface Sending {
  /** The place. */
  readonly shard: ShardRef
  /** Who and which; undefined when writing it twice is the same as once. */
  readonly stamp: Pick<WriteStamp, 'writer' | 'sequence'> | undefined
  /** The wall clock at the first sending under this number, in milliseconds since the Unix epoch. */
  readonly firstSentMs: number
}

/** What an entry says. */
export interface Spooled {
  readonly change: SpooledChange
  /** Undefined for what has never been sent. */
  readonly sending: Sending | undefined
}

/** Entries of another format are refused, never guessed at. */
const formatVersion = 1

/** A window's states as they are kept. Throws what a rule of the user's throws. */
export function changeOf(
  shape: RecordShape,
  prefix: string,
  name: string,
  states: readonly unknown[],
  changeCount: number,
): SpooledChange {
  const fields = shape
    .changesOf(states)
    .map(({ name: field, rule, state }: FieldState) => [field, rule.id, rule.encode(state)] as const)
  return { record: shape.name, prefix, name, changeCount, fields }
}

/**
 * The inverse of {@link changeOf}: states in the order of the record's fields. Throws `SpoolError` with `rules-changed` when
 * the record is declared otherwise by now.
 */
export function statesOf(shape: RecordShape, prefix: string, change: SpooledChange): unknown[] {
  const key = change.prefix + change.name
  const refuse = (why: string, cause?: unknown) =>
    new SpoolError(
      'rules-changed',
      `The spool keeps ${change.changeCount} buffered changes to key ${JSON.stringify(key)} of record ${change.record}, but ${why}. They stay in the spool: declare the record as it was to have them written.`,
      { key, cause },
    )
  if (change.prefix !== prefix)
    throw refuse(`its prefix was ${JSON.stringify(change.prefix)} and is now ${JSON.stringify(prefix)}`)
  const states = shape.newStates()
  for (const [field, id, text] of change.fields) {
    const index = shape.indexOf.get(field)
    const rule = index === undefined ? undefined : shape.fields[index]?.rule
    if (index === undefined || rule === undefined) throw refuse(`it has no field ${JSON.stringify(field)} any more`)
    if (rule.id !== id) throw refuse(`field ${JSON.stringify(field)} was ${id} and is now ${rule.id}`)
    try {
      states[index] = rule.decode(text)
    } catch (error) {
      throw refuse(`the rule of field ${JSON.stringify(field)} cannot decode what it has encoded`, error)
    }
  }
  return states
}

/** An entry's text. JSON writes what is not well-formed in escapes, so it survives UTF-8 as it is. */
export function encodeSpooled({ change, sending }: Spooled): string {
  const { record, prefix, name, changeCount, fields } = change
  const said: unknown[] = [formatVersion, record, prefix, name, changeCount, fields]
  if (sending !== undefined) {
    const { shard, stamp, firstSentMs } = sending
    const { number, nonce } = shard.generation
    said.push([stamp?.writer ?? null, stamp?.sequence ?? null, shard.index, number, nonce, firstSentMs])
  }
  return JSON.stringify(said)
}

type Said = [
  version: number,
  record: string,
  prefix: string,
  name: string,
  changeCount: number,
  fields: [string, string, string][],
  sending?: [
    writer: string | null,
    sequence: number | null,
    index: number,
    number: number,
    nonce: number,
    atMs: number,
  ],
]

/** The inverse of {@link encodeSpooled}. Throws `SpoolError` with `foreign` for another format, with `damaged` for none. */
export function decodeSpooled(text: string): Spooled {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch (error) {
    throw notAnEntry(text, error)
  }
  if (!Array.isArray(said) || !Number.isSafeInteger(said[0])) throw notAnEntry(text)
  if (said[0] !== formatVersion)
    throw new SpoolError(
      'foreign',
      `An entry of the spool has format ${String(said[0])}, and this version of Spillway reads format ${formatVersion} alone. Let the version that wrote it empty the spool: open a client with it and close that.`,
    )
  if (!isSaid(said)) throw notAnEntry(text)
  const [, record, prefix, name, changeCount, fields, sent] = said
  const change = { record, prefix, name, changeCount, fields }
  if (sent === undefined) return { change, sending: undefined }
  const [writer, sequence, index, number, nonce, firstSentMs] = sent
  const generation = index === 0 ? ownGeneration : { number, nonce }
  const stamp = writer === null || sequence === null ? undefined : { writer, sequence }
  return { change, sending: { shard: { key: prefix + name, index, generation }, stamp, firstSentMs } }
}

function isSaid(said: readonly unknown[]): said is Said {
  const [, record, prefix, name, changeCount, fields, sending] = said
  return (
    [record, prefix, name].every((part) => typeof part === 'string') &&
    Number.isSafeInteger(changeCount) &&
    Array.isArray(fields) &&
    fields.every(isField) &&
    (sending === undefined || isSending(sending))
  )
}

function isField(field: unknown): boolean {
  return Array.isArray(field) && field.length === 3 && field.every((part) => typeof part === 'string')
}

function isSending(sending: unknown): boolean {
  if (!Array.isArray(sending) || sending.length !== 6) return false
  const [writer, sequence, ...numbers] = sending as unknown[]
  const isStamp = typeof writer === 'string' ? Number.isSafeInteger(sequence) : writer === null && sequence === null
  return isStamp && numbers.every((part) => typeof part === 'number')
}

function notAnEntry(text: string, cause?: unknown): SpoolError {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  return new SpoolError(
    'damaged',
    `The spool holds ${shown}, which is no entry of Spillway's. Nothing of it is written.`,
    {
      cause,
    },
  )
}

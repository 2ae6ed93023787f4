import { generationMax, sequenceMax, shardsMax, writersMax, writesMax } from './packed.js'
import {
  emptyCell,
  idleCoordinator,
  type Cell,
  type Coordinator,
  type Message,
  type Reader,
  type RecordModel,
  type State,
  type Writer,
} from './record-state.js'

const headBytes = 6
const readerBytes = 3 + 2 * shardsMax
const cellBytes = 5
const writerBytes = 4
const coordinatorBytes = 4
const messageBytes = 2
const placesMax = 14
/** Stands for no place. */
const noPlace = 15

/** Turns states into records of one length and back. States that differ only in the order of requests under way, or of coordinators, have one record. */
export class RecordCodec {
  /** The length of every record. */
  readonly recordBytes: number
  readonly #placeCount: number
  readonly #writerCount: number
  readonly #coordinatorCount: number

  /** Makes the codec for the states of one search. Throws a RangeError for a search that is too large for its records. */
  constructor({ search, placeCount, history }: RecordModel) {
    const { writers, repeatCount, writerCrashCount = 0, forgetCount = 0, coordinatorCount } = search
    const writeCount = writers.reduce((sum, plan) => sum + plan.writeCount, 0)
    requireRoom('places', placeCount, placesMax)
    requireRoom('writers', writers.length, writersMax)
    requireRoom('writes', writeCount, writesMax)
    requireRoom('numbers', writeCount + forgetCount * writeCount, sequenceMax)
    requireRoom('shards', Math.max(...search.fanouts), shardsMax)
    requireRoom('generations', Math.max(...history.flatMap(({ generations }) => generations)), generationMax)
    requireRoom('faults', Math.max(repeatCount, forgetCount, writerCrashCount), 15)
    this.#placeCount = placeCount
    this.#writerCount = writers.length
    this.#coordinatorCount = coordinatorCount
    const messageCount = writers.length + repeatCount + writerCrashCount
    this.recordBytes =
      headBytes +
      readerBytes +
      placeCount * cellBytes +
      writers.length * writerBytes +
      coordinatorCount * coordinatorBytes +
      messageCount * messageBytes
  }

  /** Writes the state into `record`. */
  encode(state: State, record: Uint8Array): void {
    record.fill(0)
    record[0] = state.revision
    record[1] = state.acknowledged
    record[2] = (state.repeatsLeft << 4) | state.forgetsLeft
    record[3] = (state.writerCrashesLeft << 4) | state.sequenceCount
    record[4] = state.stamp
    record[5] = state.failoversLeft
    encodeReader(state.reader, record, headBytes)
    let at = headBytes + readerBytes
    for (const cell of state.cells) at = encodeCell(cell, record, at)
    for (const writer of state.writers) at = encodeWriter(writer, record, at)
    for (const code of state.coordinators.map(coordinatorCode).toSorted((a, b) => a - b))
      for (let shift = 24; shift >= 0; shift -= 8) record[at++] = (code >>> shift) & 255
    const codes = state.messages.map(messageCode).toSorted((a, b) => a - b)
    requireRoom('requests', codes.length, (record.length - at) / messageBytes)
    for (const code of codes) {
      record[at++] = code >> 8
      record[at++] = code & 255
    }
  }

  /** The state that was written. */
  decode(record: Uint8Array): State {
    const cellsAt = headBytes + readerBytes
    const writersAt = cellsAt + this.#placeCount * cellBytes
    const coordinatorsAt = writersAt + this.#writerCount * writerBytes
    const messages: Message[] = []
    for (let at = coordinatorsAt + this.#coordinatorCount * coordinatorBytes; at < record.length; at += messageBytes)
      if (record[at] !== 0) messages.push(messageOf(record[at]!, record[at + 1]!))
    return {
      revision: record[0]!,
      acknowledged: record[1]!,
      repeatsLeft: record[2]! >> 4,
      forgetsLeft: record[2]! & 15,
      writerCrashesLeft: record[3]! >> 4,
      sequenceCount: record[3]! & 15,
      stamp: record[4]!,
      failoversLeft: record[5]!,
      reader: readerOf(record),
      cells: Array.from({ length: this.#placeCount }, (_, i) => cellOf(record, cellsAt + i * cellBytes)),
      writers: Array.from({ length: this.#writerCount }, (_, i) => writerOf(record, writersAt + i * writerBytes)),
      coordinators: Array.from({ length: this.#coordinatorCount }, (_, i) =>
        coordinatorOf(record, coordinatorsAt + i * coordinatorBytes),
      ),
      messages,
    }
  }
}

function requireRoom(what: string, count: number, countMax: number): void {
  if (count > countMax) throw new RangeError(`${count} ${what}; at most ${countMax} have room`)
}

/** Optional numbers from 0 up are kept one higher. */
function optionalCode(value: number | undefined): number {
  return value === undefined ? 0 : value + 1
}

function optionalOf(code: number): number | undefined {
  return code === 0 ? undefined : code - 1
}

/** The lease, the revision that is read by, and what is to be seen beside which shards were read and how many there are. */
function encodeReader({ lease, open }: Reader, record: Uint8Array, at: number): void {
  record[at] = optionalCode(lease)
  if (open === undefined) return
  record[at + 1] = ((open.revision + 1) << 3) | open.found.length
  record[at + 2] = open.mustSee << 4
  for (const [shard, contents] of open.found.entries()) {
    if (contents === undefined) continue
    record[at + 2]! |= 1 << shard
    record[at + 3 + 2 * shard] = contents.counts
    record[at + 4 + 2 * shard] = contents.absorbed
  }
}

function readerOf(record: Uint8Array): Reader {
  const at = headBytes
  const lease = optionalOf(record[at]!)
  if (record[at + 1] === 0) return { lease, open: undefined }
  const flags = record[at + 2]!
  const found = Array.from({ length: record[at + 1]! & 7 }, (_, shard) =>
    (flags & (1 << shard)) === 0
      ? undefined
      : { counts: record[at + 3 + 2 * shard]!, absorbed: record[at + 4 + 2 * shard]! },
  )
  return { lease, open: { revision: (record[at + 1]! >> 3) - 1, found, mustSee: flags >> 4 } }
}

function encodeCell({ isSealed, counts, last, forgottenUpTo, absorbed }: Cell, record: Uint8Array, at: number): number {
  record[at] = Number(isSealed) | (forgottenUpTo << 1)
  record[at + 1] = counts
  record[at + 2] = absorbed
  record[at + 3] = last >> 8
  record[at + 4] = last & 255
  return at + cellBytes
}

function cellOf(record: Uint8Array, at: number): Cell {
  const [flags, counts, absorbed, high, low] = record.subarray(at, at + cellBytes) as unknown as number[]
  if ((flags! | counts! | absorbed! | high! | low!) === 0) return emptyCell
  return {
    isSealed: (flags! & 1) !== 0,
    forgottenUpTo: flags! >> 1,
    counts: counts!,
    absorbed: absorbed!,
    last: (high! << 8) | low!,
  }
}

function encodeWriter({ doneCount, lease, memory, attempt }: Writer, record: Uint8Array, at: number): number {
  record[at] = doneCount | (Number(attempt?.isRepeated === true) << 4)
  record[at + 1] = optionalCode(lease)
  if (attempt !== undefined) record[at + 2] = (attempt.sequence << 4) | (attempt.place ?? noPlace)
  record[at + 3] = optionalCode(memory)
  return at + writerBytes
}

function writerOf(record: Uint8Array, at: number): Writer {
  const doneCount = record[at]! & 15
  const lease = optionalOf(record[at + 1]!)
  const memory = optionalOf(record[at + 3]!)
  const code = record[at + 2]!
  if (code === 0) return { doneCount, lease, memory, attempt: undefined }
  const place = (code & 15) === noPlace ? undefined : code & 15
  return { doneCount, lease, memory, attempt: { sequence: code >> 4, place, isRepeated: record[at]! >> 4 === 1 } }
}

function coordinatorCode({ seen, doneCount, holding }: Coordinator): number {
  if (seen === undefined) return 0
  const work = (doneCount << 1) | Number(holding !== undefined)
  return (((seen + 1) << 24) | (work << 16) | ((holding?.counts ?? 0) << 8) | (holding?.absorbed ?? 0)) >>> 0
}

function coordinatorOf(record: Uint8Array, at: number): Coordinator {
  const [seen, work, counts, absorbed] = record.subarray(at, at + coordinatorBytes) as unknown as number[]
  if (seen === 0) return idleCoordinator
  const holding = (work! & 1) === 0 ? undefined : { counts: counts!, absorbed: absorbed! }
  return { seen: seen! - 1, doneCount: work! >> 1, holding }
}

function messageCode({ write, sequence, place }: Message): number {
  return ((write + 1) << 12) | (sequence << 8) | place
}

function messageOf(head: number, tail: number): Message {
  return { write: (head >> 4) - 1, sequence: head & 15, place: tail }
}

import type { Cell, CollectionModel, Message, Reader, RequestKind, State, Writer } from './collection-state.js'

const kinds: readonly RequestKind[] = ['put', 'tombstone', 'remove', 'look', 'undo']
const headBytes = 16
const behindBit = 128
const writerBytes = 5
const messageBytes = 2
const placesMax = 8
const versionsMax = 7

/** Turns states into records of one length and back. States that differ only in the order of requests under way have one record. */
export class StateCodec {
  /** The length of every record. */
  readonly recordBytes: number
  readonly #placeCount: number
  readonly #writerCount: number
  readonly #messagesAt: number

  /** Makes the codec for the states of one search. */
  constructor({ search, placeCount }: CollectionModel) {
    const { writers, repeatCount, crashCount, writerCrashCount = 0 } = search
    const versionCount = writers.join('').length
    if (placeCount > placesMax) throw new RangeError(`${placeCount} places; at most ${placesMax} have room`)
    if (versionCount > versionsMax) throw new RangeError(`${versionCount} operations; at most ${versionsMax} have room`)
    this.#placeCount = placeCount
    this.#writerCount = writers.length
    this.#messagesAt = headBytes + placeCount + writers.length * writerBytes
    this.recordBytes = this.#messagesAt + (writers.length + repeatCount + crashCount + writerCrashCount) * messageBytes
  }

  /** Writes the state into `record`. */
  encode(state: State, record: Uint8Array): void {
    const { reader, copy, cells, writers, messages } = state
    record.fill(0)
    record[0] = state.revision
    record[1] = state.versionCount
    record[2] = state.newestDelete
    record[3] = state.acknowledged
    record[4] = state.repeatsLeft
    record[5] = state.crashesLeft
    encodeReader(reader, record, 6)
    record[10] = copy.doneCount
    record[11] = cellCode(copy.item)
    record[12] = state.abandonedPuts
    record[13] = state.writerCrashesLeft
    record[14] = state.failoversLeft
    record[15] = state.stamp
    let at = headBytes
    for (const cell of cells) record[at++] = cellCode(cell)
    for (const writer of writers) {
      encodeWriter(writer, record, at)
      at += writerBytes
    }
    const codes = messages.map(messageCode)
    if (codes.length > 1) codes.sort((a, b) => a - b)
    if (at + codes.length * messageBytes > record.length) throw new RangeError(`${codes.length} requests have no room`)
    for (const code of codes) {
      record[at++] = code >> 8
      record[at++] = code & 255
    }
  }

  /** The state that was written. */
  decode(record: Uint8Array): State {
    const writersAt = headBytes + this.#placeCount
    const messages: Message[] = []
    for (let i = this.#messagesAt; i < record.length && record[i] !== 0; i += messageBytes)
      messages.push(messageOf(record[i]!, record[i + 1]!))
    return {
      revision: record[0]!,
      versionCount: record[1]!,
      newestDelete: record[2]!,
      acknowledged: record[3]!,
      repeatsLeft: record[4]!,
      crashesLeft: record[5]!,
      abandonedPuts: record[12]!,
      writerCrashesLeft: record[13]!,
      failoversLeft: record[14]!,
      stamp: record[15]!,
      reader: readerOf(record.subarray(6, 10)),
      copy: { doneCount: record[10]!, item: cellOf(record[11]!) },
      cells: Array.from(record.subarray(headBytes, writersAt), cellOf),
      writers: Array.from({ length: this.#writerCount }, (_, i) =>
        writerOf(record.subarray(writersAt + i * writerBytes)),
      ),
      messages,
    }
  }
}

function cellCode(cell: Cell | undefined): number {
  return cell === undefined ? 0 : cell.version * 2 + Number(cell.isDead)
}

function cellOf(code: number): Cell | undefined {
  return code === 0 ? undefined : { version: code >> 1, isDead: code % 2 === 1 }
}

/** Optional numbers from 0 up are kept one higher. */
function optionalCode(value: number | undefined): number {
  return value === undefined ? 0 : value + 1
}

function optionalOf(code: number): number | undefined {
  return code === 0 ? undefined : code - 1
}

function leaseCode(lease: number | undefined, isBehind: boolean): number {
  return optionalCode(lease) | (isBehind ? behindBit : 0)
}

function leaseOf(code: number): Pick<Writer, 'lease' | 'isBehind'> {
  return { lease: optionalOf(code & ~behindBit), isBehind: (code & behindBit) !== 0 }
}

/** An open read must see something, so what it must see tells that it is open. */
function encodeReader({ lease, isBehind, open }: Reader, record: Uint8Array, at: number): void {
  record[at] = leaseCode(lease, isBehind)
  if (open === undefined) return
  for (const place of open.unread) record[at + 1]! |= 1 << place
  record[at + 2] = cellCode(open.newest)
  record[at + 3] = open.mustSee
}

function readerOf([lease, unread, newest, mustSee]: Uint8Array): Reader {
  if (mustSee === 0) return { ...leaseOf(lease!), open: undefined }
  const places = Array.from({ length: placesMax }, (_, place) => place).filter(
    (place) => (unread! & (1 << place)) !== 0,
  )
  return { ...leaseOf(lease!), open: { unread: places, newest: cellOf(newest!), mustSee: mustSee! } }
}

function encodeWriter({ doneCount, lease, isBehind, operation }: Writer, record: Uint8Array, at: number): void {
  record[at] = doneCount
  record[at + 1] = leaseCode(lease, isBehind)
  if (operation === undefined) return
  const { version, revision, isDelete, isAgain, met, at: stepCount } = operation
  record[at + 2] = (version << 4) | met
  record[at + 3] = optionalCode(revision)
  record[at + 4] = Number(isDelete) | (Number(isAgain) << 1) | (stepCount << 2)
}

function writerOf(bytes: Uint8Array): Writer {
  const [doneCount, lease, versions, revision, flags] = bytes as unknown as [number, number, number, number, number]
  if (versions === 0) return { doneCount, ...leaseOf(lease), operation: undefined }
  const operation = {
    version: versions >> 4,
    revision: optionalOf(revision),
    isDelete: (flags & 1) !== 0,
    isAgain: (flags & 2) !== 0,
    met: versions & 15,
    at: flags >> 2,
  }
  return { doneCount, ...leaseOf(lease), operation }
}

function messageCode({ kind, place, version, awaitedBy }: Message): number {
  return (version << 12) | (awaitedBy << 8) | (kinds.indexOf(kind) << 4) | place
}

function messageOf(head: number, tail: number): Message {
  return { kind: kinds[tail >> 4]!, place: tail & 15, version: head >> 4, awaitedBy: head & 15 }
}

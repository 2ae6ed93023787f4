// Problem: a durable commit takes as long as the disk does, and thousands of changes a second wait for one.
// Scheme: group commit. One commit is under way; what arrives meanwhile goes with the next. Texts are made when their commit
//   begins, so that changes to one key may merge until then.
// Invariants: an entry is accepted only when its commit has resolved; new changes are bounded in bytes, while what moves or
//   removes an entry is not, or a full spool could never be emptied.
// Cost: two commits a window with buffered changes (accepted, sent), shared with all others of the time; its removal rides along.
// Source: group commit (Gawlick and Kinkade, «Varieties of Concurrency Control in IMS/VS Fast Path», 1985).

import { describeError } from '../errors/describe-error.js'
import { LimitReachedError } from '../errors/limit-error.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { isSpillwayError } from '../errors/spillway-error.js'
import { SpoolError } from '../errors/spool-error.js'
import { byteLength } from '../internal/byte-length.js'
import { Deferred } from '../internal/deferred.js'
import type { Spool, SpoolEntry } from './spool.js'
import { decodeSpooled, type Spooled } from './spooled.js'

/** An entry that is on the disk. */
export interface Ticket {
  readonly id: number
  /** About how many bytes it takes. */
  readonly bytes: number
}

/** What an earlier life has left. */
export interface Left extends Spooled {
  readonly ticket: Ticket
}

/** Buffered changes of a record that stay in the spool. */
export interface KeptChanges {
  /** The record's name. */
  readonly record: string
  /** How many changes to it. */
  readonly changeCount: number
}

interface Waiting {
  /** Makes the text; undefined where entries only go. */
  readonly encode: (() => string) | undefined
  readonly removed: readonly Ticket[]
  /** Whether it is a new change, and so bounded. */
  readonly isNew: boolean
  readonly settled: Deferred<Ticket>
}

interface Member extends Waiting {
  readonly text: string | undefined
  readonly ticket: Ticket
}

/** About what a store needs for an entry beside its text. */
const entryBytes = 64
/** One commit takes so much text at most, or one entry: a larger one would only make all of it wait longer. */
const commitBytesMax = 4_194_304

/** What a client keeps on disk. One for each client with a spool. */
export class SpoolLog {
  readonly #spool: Spool
  readonly #left = new Map<string, Left[]>()
  readonly #kept = new Map<string, number>()
  #waiting: Waiting[] = []
  #unremoved: readonly Ticket[] = []
  #running: Promise<void> | undefined
  #bytes = 0
  #lastId = 0
  #isOpen = false

  /** Throws `InvalidArgumentError` for a spool without a bound. */
  constructor(spool: Spool) {
    if (!Number.isSafeInteger(spool.bytesMax) || spool.bytesMax <= 0)
      throw new InvalidArgumentError('spool.bytesMax', 'a whole number of bytes above 0', spool.bytesMax)
    this.#spool = spool
  }

  /** Opens the spool and reads what earlier lives have left. Rejects with `SpoolError`. */
  async open(): Promise<void> {
    try {
      const entries = await this.#spool.open()
      this.#isOpen = true
      for (const entry of entries) this.#found(entry)
    } catch (error) {
      if (this.#isOpen) await this.#spool.close().catch(toldAlready)
      throw asSpoolError(error, 'could not be opened')
    }
  }

  /** What earlier lives have left of a record, oldest first; the second time nothing. */
  takeLeft(record: string): readonly Left[] {
    const left = this.#left.get(record) ?? []
    this.#left.delete(record)
    return left
  }

  /** Counts changes that stay in the spool when the client closes. */
  keep(record: string, changeCount: number): void {
    this.#kept.set(record, (this.#kept.get(record) ?? 0) + changeCount)
  }

  /** Keeps a new change. `encode` is called when its commit begins. Rejects with `SpoolError`, `LIMIT_REACHED` or what `encode` throws: then it is not kept. */
  append(encode: () => string): Promise<Ticket> {
    return this.#enqueue({ encode, removed: [], isNew: true, settled: new Deferred() })
  }

  /** Puts one entry in place of others, all at once. Rejects with `SpoolError`; then the others are still there. */
  replace(removed: readonly Ticket[], text: string): Promise<Ticket> {
    return this.#enqueue({ encode: () => text, removed, isNew: false, settled: new Deferred() })
  }

  /** Removes entries. Rejects with `SpoolError`; then they go with the next commit that succeeds. */
  async remove(removed: readonly Ticket[]): Promise<void> {
    await this.#enqueue({ encode: undefined, removed, isNew: false, settled: new Deferred() })
  }

  /** Commits what waits, closes the spool and tells what stays in it. */
  async close(): Promise<readonly KeptChanges[]> {
    await this.#running
    await this.#spool.close().catch(toldAlready) // all that was promised has been committed
    for (const [record, left] of this.#left) for (const { change } of left) this.keep(record, change.changeCount)
    return [...this.#kept].map(([record, changeCount]) => ({ record, changeCount }))
  }

  #found({ id, text }: SpoolEntry): void {
    const spooled = decodeSpooled(text)
    const ticket = { id, bytes: byteLength(text) + entryBytes }
    const { record } = spooled.change
    const left = this.#left.get(record)
    if (left === undefined) this.#left.set(record, [{ ...spooled, ticket }])
    else left.push({ ...spooled, ticket })
    this.#bytes += ticket.bytes
    this.#lastId = Math.max(this.#lastId, id)
  }

  #enqueue(waiting: Waiting): Promise<Ticket> {
    this.#waiting.push(waiting)
    // Not at once: who calls may have more to say in this turn.
    this.#running ??= Promise.resolve().then(() => this.#run())
    return waiting.settled.promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#nextGroup())
    this.#running = undefined
  }

  /** As much of what waits as one commit takes. What moves and what goes come first: they make room. */
  #nextGroup(): readonly Member[] {
    const waiting = this.#waiting.toSorted((a, b) => Number(a.isNew) - Number(b.isNew))
    this.#waiting = []
    const group: Member[] = []
    let textBytes = 0
    let totalBytes = this.#bytes
    for (const one of waiting) {
      if (textBytes >= commitBytesMax) {
        this.#waiting.push(one)
        continue
      }
      try {
        const member = this.#memberFor(one, totalBytes)
        textBytes += member.ticket.bytes
        totalBytes += grownBytes(member)
        group.push(member)
      } catch (error) {
        one.settled.reject(error)
      }
    }
    return group
  }

  #memberFor(waiting: Waiting, totalBytes: number): Member {
    const text = waiting.encode?.()
    if (text === undefined) return { ...waiting, text, ticket: { id: 0, bytes: 0 } }
    const bytes = byteLength(text) + entryBytes
    const { bytesMax } = this.#spool
    if (waiting.isNew && totalBytes + bytes > bytesMax)
      throw new LimitReachedError(
        'bytesMax of the spool',
        bytesMax,
        undefined,
        'Slow down, raise it, or wait until the backend takes writes again.',
      )
    return { ...waiting, text, ticket: { id: (this.#lastId += 1), bytes } }
  }

  async #commit(group: readonly Member[]): Promise<void> {
    if (group.length === 0) return
    const put = group.flatMap(({ text, ticket }) => (text === undefined ? [] : [{ id: ticket.id, text }]))
    const removed = [...this.#unremoved, ...group.flatMap((member) => member.removed)]
    try {
      await this.#spool.commit({ put, remove: removed.map(({ id }) => id) })
    } catch (error) {
      await this.#failed(group, error)
      return
    }
    this.#unremoved = []
    for (const { bytes } of removed) this.#bytes -= bytes
    for (const { settled, ticket } of group) {
      this.#bytes += ticket.bytes
      settled.resolve(ticket)
    }
  }

  /** What makes room may succeed where new changes do not. */
  async #failed(group: readonly Member[], error: unknown): Promise<void> {
    const moves = group.filter(({ isNew }) => !isNew)
    if (moves.length > 0 && moves.length < group.length) {
      await this.#commit(moves)
      await this.#commit(group.filter(({ isNew }) => isNew))
      return
    }
    const failure = asSpoolError(error, 'could not be written')
    for (const { text, removed, settled } of group) {
      if (text === undefined) this.#unremoved = [...this.#unremoved, ...removed]
      settled.reject(failure)
    }
  }
}

function grownBytes({ ticket, removed }: Member): number {
  return removed.reduce((bytes, gone) => bytes - gone.bytes, ticket.bytes)
}

function asSpoolError(error: unknown, what: string): unknown {
  if (isSpillwayError(error)) return error
  return new SpoolError('failed', `The spool ${what}: ${describeError(error)}`, { cause: error })
}

/** Whoever asked has been told what matters. */
function toldAlready(): void {}

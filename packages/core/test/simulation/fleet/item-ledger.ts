import type { ItemDeletion, ItemPut } from '../../../src/index.js'
import { compareStamps, type Stamp } from '../../../src/merge/stamp.js'
import type { Fate } from './record-ledger.js'

/** A put or a delete, and what is known of it. Moments are numbered in the order of all that happens. */
export interface ItemOperation {
  readonly key: string
  readonly sort: string
  readonly process: string
  /** Undefined for a delete. */
  readonly number: number | undefined
  readonly beganAt: number
  readonly beganMs: number
  /** When its outcome was known; Infinity while it may still be under way somewhere. */
  endedAt: number
  fate: Fate
  /** The greatest that its process has made for this item while it was under way. */
  stamp: Stamp | undefined
  /** How many requests with such stamps have set out. */
  sentCount: number
  /** When a copy of it last arrived. */
  arrivedAt: number
}

/** One item's history. */
interface ItemHistory {
  readonly operations: ItemOperation[]
  /** When the store's own delete took it away, which leaves nothing that would keep a late copy out. */
  readonly removedAt: number[]
  /** Whether a read has not given it after everything had ended. */
  isGoneAtRest: boolean
}

/** Which of the documented open cases a world may meet. */
export interface OpenCases {
  /** How long a tombstone stays at least, by the world's time. */
  readonly tombstoneMs: number
  /** Whether wall clocks differ. */
  readonly isWallSkewed: boolean
  /** Whether a key was ever spread. */
  wasSpread(key: string): boolean
}

type Cause = Pick<ItemOperation, 'number' | 'endedAt' | 'stamp' | 'arrivedAt'>
const nothing: Cause = { number: undefined, endedAt: -1, stamp: undefined, arrivedAt: -1 }

/** Puts and deletes of all items, and what reads of them may give. */
export class ItemLedger {
  readonly #items = new Map<string, ItemHistory>()
  /** Whose stamps they are: whoever sends one first has made it; others copy it. */
  readonly #writers = new Map<string, string>()
  /** When the store last forgot that a key was being merged back. */
  readonly #drainLostAt = new Map<string, number>()
  readonly #cases: OpenCases
  #numbers = 0

  constructor(cases: OpenCases) {
    this.#cases = cases
  }

  /** A put, or a delete, begins. */
  begin(
    process: string,
    key: string,
    sort: string,
    isDelete: boolean,
    beganAt: number,
    beganMs: number,
  ): ItemOperation {
    const operation: ItemOperation = {
      key,
      sort,
      process,
      number: isDelete ? undefined : (this.#numbers += 1),
      beganAt,
      beganMs,
      endedAt: Infinity,
      fate: 'pending',
      stamp: undefined,
      sentCount: 0,
      arrivedAt: -1,
    }
    this.#of(key, sort).operations.push(operation)
    return operation
  }

  /** The store has forgotten that a key was being merged back. */
  drainLost(key: string, at: number): void {
    this.#drainLostAt.set(key, at)
  }

  /** A request has set out. What a newer change of the same process has overtaken goes with it. */
  sent(process: string, { shard, sort, stamp }: ItemPut | ItemDeletion): void {
    const owner = this.#writers.get(stamp.writer) ?? process
    this.#writers.set(stamp.writer, owner)
    if (owner !== process) return
    for (const operation of this.#of(shard.key, String(sort)).operations) {
      if (operation.process !== process || operation.endedAt !== Infinity) continue
      operation.sentCount += 1
      if (operation.stamp === undefined || compareStamps(operation.stamp, stamp) < 0) operation.stamp = stamp
    }
  }

  /** A copy of a put has arrived. */
  putArrived({ shard, sort, value }: ItemPut, at: number): void {
    const { number } = value as { readonly number: number }
    const operation = this.#of(shard.key, String(sort)).operations.find((one) => one.number === number)
    if (operation !== undefined) operation.arrivedAt = at
  }

  /** A deletion has arrived. */
  deletionArrived({ shard, sort, mode }: ItemDeletion, at: number): void {
    if (mode === 'remove' && shard.index === 0) this.#of(shard.key, String(sort)).removedAt.push(at)
  }

  /**
   * Holds what a read that began at `beganAt` gave for an item against the operations: it must be the doing of one that is not
   * older than any that was acknowledged before the read began, where one is older than another if it had ended before the
   * other began. Answers with what is wrong, undefined when nothing is.
   */
  check(key: string, sort: string, number: number | undefined, beganAt: number, nowMs: number): string | undefined {
    const item = this.#items.get(`${key}/${sort}`)
    if (item === undefined) return number === undefined ? undefined : `gave ${number}, which nobody put there`
    const { operations } = item
    let isCaused = false
    for (const operation of operations) {
      if (operation.number !== number) continue
      isCaused = true
      if (operation.fate === 'rejected') continue
      if (this.#hiddenBy(operation, item, beganAt, nowMs) === undefined) return undefined
    }
    if (number === undefined && this.#hiddenBy(nothing, item, beganAt, nowMs) === undefined) return undefined
    if (number !== undefined && !isCaused) return `gave ${number}, which nobody put there`
    const known = operations.filter(({ endedAt, fate }) => fate === 'written' && endedAt < beganAt).at(-1)
    return `gave ${number ?? 'nothing'} although ${known === undefined ? 'it was rejected' : known.number === undefined ? 'a later delete' : `the later put ${known.number}`} was acknowledged before the read began`
  }

  /** Holds what a read gave when everything had ended against what such a read gave before: what had gone stays away. */
  checkAtRest(key: string, sort: string, number: number | undefined): string | undefined {
    const item = this.#of(key, sort)
    if (number === undefined) item.isGoneAtRest = true
    if (number === undefined || !item.isGoneAtRest) return undefined
    const shown = item.operations.find((one) => one.number === number)
    if (shown?.fate !== 'written' || this.#cases.isWallSkewed || this.#drainLostAt.has(key)) return undefined
    if (item.operations.some(isUnfinishedDelete) || item.removedAt.some((at) => at > shown.beganAt)) return undefined
    return `gave ${number}, which had gone when everything had ended`
  }

  /** All sort values that were ever written. */
  sortsOf(key: string): readonly string[] {
    return [...this.#items.keys()]
      .filter((name) => name.startsWith(`${key}/`))
      .map((name) => name.slice(key.length + 1))
  }

  #hiddenBy(cause: Cause, item: ItemHistory, beganAt: number, nowMs: number): ItemOperation | undefined {
    for (const later of item.operations) {
      if (later.fate !== 'written' || later.endedAt >= beganAt || cause.endedAt >= later.beganAt) continue
      if (!this.#isOpenCase(cause, later, item, nowMs)) return later
    }
    return undefined
  }

  /** The cases that the documentation leaves open, each as narrow as it says. */
  #isOpenCase(cause: Cause, later: ItemOperation, item: ItemHistory, nowMs: number): boolean {
    const { tombstoneMs, isWallSkewed } = this.#cases
    // A key without a route has the store's own delete: a late copy of an older put brings the item back.
    if (item.removedAt.some((at) => later.beganAt < at && at < cause.arrivedAt)) return true
    // A delete that was never finished: an older version may show once the tombstones that it left have expired, or at once
    // where it left none, for it took the key to be cold.
    for (const one of item.operations) {
      if (!isUnfinishedDelete(one)) continue
      if (nowMs - one.beganMs >= tombstoneMs || item.removedAt.some((at) => at > one.beganAt)) return true
    }
    // The store has forgotten a drain, of which shard 0 knows: a put that does not go there may go where nobody will look.
    if (later.endedAt > (this.#drainLostAt.get(later.key) ?? Infinity)) return true
    if (!isWallSkewed) return false
    // The store's own delete leaves no stamp that a slow clock could find: a late copy of it takes away what was put since.
    if (cause.number === undefined && item.removedAt.some((at) => at > later.beganAt)) return true
    const isHidden =
      cause.stamp !== undefined && later.stamp !== undefined && compareStamps(cause.stamp, later.stamp) > 0
    // And a late copy of a put that was taken away so replaces what a slow clock has put since.
    if (isHidden && item.removedAt.some((at) => at < cause.arrivedAt)) return true
    // A slow clock: what was put is hidden by a greater stamp, in another place after growth, or in its own when the answer that
    // told of it was lost, for only a first attempt may take a later stamp.
    return isHidden && (later.sentCount > 1 || this.#cases.wasSpread(later.key))
  }

  #of(key: string, sort: string): ItemHistory {
    const name = `${key}/${sort}`
    let item = this.#items.get(name)
    if (item === undefined) {
      item = { operations: [], removedAt: [], isGoneAtRest: false }
      this.#items.set(name, item)
    }
    return item
  }
}

function isUnfinishedDelete({ number, fate }: ItemOperation): boolean {
  return number === undefined && (fate === 'unknown' || fate === 'pending')
}

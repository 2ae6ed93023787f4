// Problem: an item may be written again and again, faster than its partition takes it; and a hot key has many items, of which
//   none may wait for another.
// Scheme: group commit for each item. Its first change leaves at once; while that is in flight, or rests in a hot key's window,
//   the changes that arrive become one: the last of them.
// Invariants: one flight an item, so that its stamps grow; every caller's promise settles with the flight that carried its
//   change or a later one; what is held is bounded in items and bytes.
// Cost: an entry and a flight for each item under way; a timer where its key is hot.
// Source: collapse.ts.

import type { ItemChange } from '../admission/item-admission.js'
import type { Bounds } from '../admission/bounds.js'
import { rejectOnAbort } from '../internal/abort.js'
import { ChurningMap } from '../internal/churning-map.js'
import { Deferred } from '../internal/deferred.js'
import type { Clock, Timer } from '../time/clock.js'
import { ItemFlight, type ItemFlightParts } from './item-flight.js'

/** What collapsing needs from the stages around it. */
export interface ItemCollapseParts {
  readonly bounds: Bounds
  readonly clock: Clock
  readonly windowMs: number
  readonly flight: ItemFlightParts
  /** Whether an item of the key that was just written rests for a window. */
  readonly isHot: (key: string) => boolean
  /** A change is about to leave. */
  readonly onFlush: (key: string, changeCount: number) => void
  /** A flight has ended; `error` is undefined when it is written. */
  readonly onLanded: (flight: ItemFlight, landing: ItemLanding) => void
}

/** How a flight ended. */
export interface ItemLanding {
  readonly key: string
  readonly changeCount: number
  readonly durationMs: number
  readonly error: unknown
}

/** A change that has been accepted, and those that it stands for. */
interface Pending {
  change: ItemChange
  bytes: number
  changeCount: number
  readonly written: Deferred<void>
}

/** What is under way for one item. */
interface Entry {
  readonly id: string
  isInFlight: boolean
  rest: Timer | undefined
  pending: Pending | undefined
}

/** The changes of one collection that are under way. */
export class ItemCollapse {
  readonly #parts: ItemCollapseParts
  readonly #entries = new ChurningMap<string, Entry>()
  readonly #inFlight = new Set<Promise<void>>()
  /** How many changes of an item wait for room. */
  readonly #waiting = new Map<string, number>()
  #isClosed = false
  #idle: Deferred<void> | undefined

  constructor(parts: ItemCollapseParts) {
    this.#parts = parts
  }

  /**
   * Accepts a change of `bytes`; `id` names the item. Rejects before anything is sent when it cannot be accepted, or when `until`
   * is aborted before it is; with the reason of `signal` at any time.
   */
  write(
    id: string,
    change: ItemChange,
    bytes: number,
    signal: AbortSignal | undefined,
    until: AbortSignal | undefined = signal,
  ): Promise<void> {
    if (until?.aborted === true) return Promise.reject(until.reason as Error)
    const { bounds } = this.#parts
    const hasRoom = this.#entries.get(id) === undefined ? bounds.hasRoom : bounds.hasBytes
    if (!hasRoom || this.#waiting.has(id))
      return this.#wait(id, change.key, bytes, until, () => this.#accept(id, change, bytes, signal))
    return this.#accept(id, change, bytes, signal)
  }

  /** Sends what rests as soon as its flight has landed; resolves when all that was accepted before is settled. */
  async flush(): Promise<void> {
    const settled: Promise<unknown>[] = []
    for (const entry of this.#entries.values()) {
      if (entry.pending !== undefined) settled.push(entry.pending.written.promise.catch(reportedElsewhere))
      this.#wake(entry)
    }
    settled.push(...this.#inFlight)
    await Promise.all(settled)
  }

  /** Flushes, and resolves when nothing is left: nothing may be written any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.flush()
    if (this.#entries.size === 0) return
    this.#idle = new Deferred()
    await this.#idle.promise
  }

  /** Who came later waits, too, or an older change would replace a newer one. */
  async #wait(
    id: string,
    key: string,
    bytes: number,
    until: AbortSignal | undefined,
    accept: () => Promise<void>,
  ): Promise<void> {
    this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1)
    let accepted: Promise<void> | undefined
    const leave = () => {
      const others = (this.#waiting.get(id) ?? 1) - 1
      if (others === 0) this.#waiting.delete(id)
      else this.#waiting.set(id, others)
    }
    const enter = () => {
      leave()
      accepted = accept()
      return accepted
    }
    try {
      await this.#parts.bounds.whenRoom(key, bytes, until, enter)
    } catch (error) {
      if (accepted !== undefined) return accepted
      leave()
      throw error
    }
  }

  #accept(id: string, change: ItemChange, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const pending = this.#merge(id, change, bytes)
    return signal === undefined ? pending.written.promise : rejectOnAbort(pending.written.promise, signal)
  }

  #merge(id: string, change: ItemChange, bytes: number): Pending {
    const { bounds } = this.#parts
    const entry = this.#entries.get(id)
    const known = entry?.pending
    if (known !== undefined) {
      bounds.take(bytes - known.bytes)
      Object.assign(known, { change, bytes, changeCount: known.changeCount + 1 })
      return known
    }
    const pending: Pending = { change, bytes, changeCount: 1, written: new Deferred() }
    bounds.take(bytes)
    if (entry === undefined) this.#enter(id, pending)
    else {
      entry.pending = pending
      entry.rest?.keepAlive()
    }
    return pending
  }

  #enter(id: string, pending: Pending): void {
    const entry: Entry = { id, isInFlight: false, rest: undefined, pending }
    this.#entries.set(id, entry)
    this.#parts.bounds.enter(id.length)
    this.#advance(entry)
  }

  /** Moves an item on: its change leaves when it may, and an entry with nothing in it goes. */
  #advance(entry: Entry): void {
    if (entry.isInFlight || entry.rest !== undefined) return
    if (entry.pending !== undefined) {
      this.#flush(entry, entry.pending)
      return
    }
    this.#entries.delete(entry.id)
    this.#parts.bounds.leave(entry.id.length)
    if (this.#entries.size === 0) this.#idle?.resolve()
  }

  #flush(entry: Entry, pending: Pending): void {
    const { flight: parts, clock, onFlush, isHot, windowMs } = this.#parts
    const { change, changeCount } = pending
    entry.pending = undefined
    entry.isInFlight = true
    onFlush(change.key, changeCount)
    if (windowMs > 0 && !this.#isClosed && isHot(change.key))
      entry.rest = clock.setTimer(() => this.#wake(entry), windowMs, { isBackground: true })
    const startedMs = clock.nowMs()
    const flight = new ItemFlight(parts, change)
    const landed = flight.run().then((error) => {
      this.#inFlight.delete(landed)
      entry.isInFlight = false
      const durationMs = clock.nowMs() - startedMs
      this.#parts.onLanded(flight, { key: change.key, changeCount, durationMs, error })
      if (error === undefined) pending.written.resolve()
      else pending.written.reject(error)
      this.#parts.bounds.release(pending.bytes)
      this.#advance(entry)
    })
    this.#inFlight.add(landed)
  }

  #wake(entry: Entry): void {
    entry.rest?.clear()
    entry.rest = undefined
    this.#advance(entry)
  }
}

/** Each caller is told by its own promise. */
function reportedElsewhere(): void {}

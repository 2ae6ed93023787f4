// Problem: a hot key gets more writes than its partition serves, and a cold key must not wait for company.
// Scheme: group commit. The first change to a key leaves at once; while it is in flight, what arrives merges into one open
//   window, which leaves when the flight has landed and, for a hot key, not sooner than `windowMs` after the one before.
// Invariants: one flight a key, so that a writer's numbers grow; every caller's promise settles with the flight that carried
//   its change, or a buffered one's with the disk that keeps it; what is held is bounded in keys and bytes, and at the bound callers wait their turn or are refused.
// Cost: a hot write is one map look-up, one merge and a promise that is there already; a cold one makes an entry, a window
//   and a flight, which go when it lands.
// Source: group commit (Gawlick and Kinkade, «Varieties of Concurrency Control in IMS/VS Fast Path», 1985).

import type { Bounds } from '../admission/bounds.js'
import { checkKey } from '../admission/key-check.js'
import type { Capabilities } from '../backend/backend.js'
import { ClosedError } from '../errors/closed-error.js'
import { WindowFullError } from '../errors/limit-error.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { WriteRejectedError, WriteUnknownError } from '../errors/write-error.js'
import { rejectOnAbort } from '../internal/abort.js'
import { ChurningMap } from '../internal/churning-map.js'
import { Deferred } from '../internal/deferred.js'
import type { MergeContext, RecordShape } from '../merge/record-shape.js'
import type { Clock } from '../time/clock.js'
import { FlightEntry } from '../spool/flight-entry.js'
import type { SpoolLog, Ticket } from '../spool/spool-log.js'
import { changeOf } from '../spool/spooled.js'
import { type Backlogged, type Entry, isOverdue, newEntry } from './entry.js'
import { Flight, type FlightOutcome, type FlightParts, type FlightStart } from './flight.js'
import { Journal } from './journal.js'
import { Window } from './window.js'
import type { WriteOptions } from './write-options.js'

/** What collapsing needs from the stages around it. */
export interface CollapseParts {
  readonly shape: RecordShape
  /** Stands before every key. */
  readonly prefix: string
  readonly capabilities: Capabilities
  readonly bounds: Bounds
  readonly clock: Clock
  readonly windowMs: number
  readonly mergeContext: MergeContext
  readonly flight: FlightParts
  /** Whether writes to the key wait for their window; asked once a flush. */
  readonly isHot: (key: string) => boolean
  /** A window is about to leave. */
  readonly onFlush: (key: string, changeCount: number) => void
  /** A flight has ended. */
  readonly onLanded: (flight: Flight, outcome: FlightOutcome) => void
  /** A window is not sent, since the flight before it is left for the next start. */
  readonly onLeft: (key: string, window: Window, error: WriteRejectedError) => void
  /** Keeps buffered changes on disk; undefined when they may be lost with the process. */
  readonly spool: SpoolLog | undefined
}

const resolved = Promise.resolve()

/** One record's windows and flights. */
export class Collapse {
  readonly #parts: CollapseParts
  readonly #entries = new ChurningMap<string, Entry>()
  readonly #windowBytes: number
  readonly #journal: Journal | undefined
  #isClosed = false
  #isMerging = false
  #idle: Deferred<void> | undefined

  constructor(parts: CollapseParts) {
    this.#parts = parts
    this.#windowBytes = 64 + 16 * parts.shape.fields.length
    const { shape, prefix, bounds, spool: log } = parts
    const onKept = (name: string, window: Window) => this.#join(name, window)
    this.#journal = log && new Journal({ log, shape, prefix, bounds, onKept })
  }

  /** Merges a change into the key's window. Rejects before anything is sent when the change or the key cannot be accepted. */
  write(key: string, change: unknown, options: WriteOptions | undefined): Promise<void> {
    const entry = this.#entries.get(key)
    const { bounds } = this.#parts
    if (this.#isClosed) return Promise.reject(new ClosedError('write()'))
    if (this.#isMerging) return resolved.then(() => this.write(key, change, options))
    try {
      if (entry === undefined) checkKey(key, this.#parts.prefix, this.#parts.capabilities)
      if (entry === undefined ? !bounds.hasRoom : !bounds.hasBytes) return this.#writeWhenRoom(key, change, options)
      if (this.#journal !== undefined && options?.ack === 'buffered')
        return this.#keep(this.#journal, key, change, options.signal)
      return this.#accept(entry ?? newEntry(this.#parts.prefix, key), change, options)
    } catch (error) {
      this.#isMerging = false
      return Promise.reject(error)
    }
  }

  /** Sends every open window as soon as its key's flight has landed; resolves when all that was accepted before is settled. */
  async flush(): Promise<void> {
    if (this.#isMerging) await resolved
    const settled: Promise<unknown>[] = []
    for (const entry of this.#entries.values()) {
      if (entry.flight !== undefined) settled.push(entry.flight.window.written)
      for (const { window } of entry.backlog ?? []) settled.push(window.written)
      if (entry.window !== undefined) settled.push(entry.window.written)
      entry.rest?.clear()
      entry.rest = undefined
      this.#advance(entry)
    }
    await Promise.allSettled(settled) // callers are told by their own promises, and of buffered changes the report tells
  }

  /** Accepts nothing more, flushes, and resolves when nothing is left. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#journal?.idle()
    await this.flush()
    if (this.#entries.size === 0) return
    this.#idle = new Deferred()
    await this.#idle.promise
  }

  /**
   * Waits until no flight of the key is under way, keeps its open window from leaving while `read` runs, and gives `read` the
   * states that are not sent yet (undefined when there are none).
   */
  async whileHeld<T>(key: string, read: () => Promise<T>): Promise<readonly [T, readonly unknown[] | undefined]> {
    for (let entry = this.#entries.get(key); entry !== undefined; entry = this.#entries.get(key)) {
      if (entry.flight === undefined && entry.backlog === undefined && !isOverdue(entry)) {
        entry.holds += 1
        try {
          const result = await read()
          return [result, entry.window && this.#parts.shape.copyOf(entry.window.states)]
        } finally {
          entry.holds -= 1
          this.#advance(entry)
        }
      }
      entry.holdsWaiting ??= new Deferred()
      await entry.holdsWaiting.promise
    }
    return [await read(), undefined]
  }

  /** Takes in what an earlier life has left on disk: as it was sent by that, or to be written with what comes. */
  restore(name: string, states: readonly unknown[], ticket: Ticket, changeCount: number, start?: FlightStart): void {
    const window = new Window(this.#parts.shape.newStates(), this.#windowBytes)
    window.bytes += this.#parts.shape.mergePrepared(window.states, states, this.#parts.mergeContext, Infinity)
    window.tickets = [ticket]
    window.changeCount = changeCount
    window.bufferedCount = changeCount
    if (start === undefined) this.#join(name, window)
    else this.#queue(this.#entries.get(name) ?? newEntry(this.#parts.prefix, name), { window, start })
  }

  /** Has a buffered change kept on disk, together with others that wait for the same. */
  #keep(journal: Journal, name: string, change: unknown, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    let accepted: Promise<void> | undefined
    const gathering = journal.gathering(name)
    if (gathering !== undefined) {
      try {
        this.#parts.bounds.take(this.#merge(gathering.window, change, name))
        accepted = gathering.accepted
      } catch {
        this.#isMerging = false // without room there; or it cannot be accepted at all, which shows again
      }
    }
    if (accepted === undefined) {
      const window = new Window(this.#parts.shape.newStates(), this.#windowBytes)
      this.#merge(window, change, name)
      accepted = journal.add(name, window)
    }
    return signal === undefined ? accepted : rejectOnAbort(accepted, signal)
  }

  /** Changes that are on disk join the key's window, or follow it where that has no room. */
  #join(name: string, window: Window): void {
    const entry = this.#entries.get(name) ?? newEntry(this.#parts.prefix, name)
    if (entry.window === undefined) this.#opened(entry, window)
    else if (!this.#absorb(entry.window, window)) this.#queue(entry, { window, start: undefined })
  }

  #absorb(open: Window, window: Window): boolean {
    const { shape, mergeContext, capabilities, bounds } = this.#parts
    const roomBytes = capabilities.changeBytesMax - open.bytes
    let grownBytes: number
    try {
      this.#isMerging = true
      grownBytes = shape.mergePrepared(open.states, window.states, mergeContext, roomBytes)
    } catch {
      return false // the total would leave its range
    } finally {
      this.#isMerging = false
    }
    if (grownBytes > roomBytes) return false
    open.take(window, grownBytes)
    bounds.take(grownBytes)
    return true
  }

  #queue(entry: Entry, backlogged: Backlogged): void {
    entry.backlog = [...(entry.backlog ?? []), backlogged]
    this.#parts.bounds.take(backlogged.window.bytes)
    if (entry.isGone) this.#enter(entry)
  }

  /** What waits has been checked and copied: the caller may use its objects again. */
  #writeWhenRoom(name: string, change: unknown, options: WriteOptions | undefined): Promise<void> {
    const { signal } = options ?? {}
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const waiting = new Window(this.#parts.shape.newStates(), this.#windowBytes)
    this.#merge(waiting, change, name)
    return this.#parts.bounds.whenRoom(name, waiting.bytes, signal, () =>
      this.#journal !== undefined && options?.ack === 'buffered'
        ? this.#journal.add(name, waiting)
        : this.#acceptWaiting(name, waiting, options),
    )
  }

  /** Merges a change into the key's open window; a key that had none under way sets out at once. */
  #accept(entry: Entry, change: unknown, options: WriteOptions | undefined): Promise<void> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason as Error)
    const window = entry.window ?? new Window(this.#parts.shape.newStates(), this.#windowBytes)
    const grownBytes = this.#merge(window, change, entry.key)
    if (entry.window === undefined) this.#opened(entry, window)
    else if (grownBytes > 0) this.#parts.bounds.take(grownBytes)
    if (entry.flight?.isRefused === true) this.#countBehind(entry.flight, window)
    return options === undefined ? window.written : this.#promiseFor(window, options)
  }

  #acceptWaiting(name: string, waiting: Window, options: WriteOptions | undefined): Promise<void> {
    const { shape, mergeContext, capabilities, bounds } = this.#parts
    const entry = this.#entries.get(name) ?? newEntry(this.#parts.prefix, name)
    const { window } = entry
    if (window === undefined) {
      this.#opened(entry, waiting)
      return options === undefined ? waiting.written : this.#promiseFor(waiting, options)
    }
    try {
      const roomBytes = capabilities.changeBytesMax - window.bytes
      const grownBytes = shape.mergePrepared(window.states, waiting.states, mergeContext, roomBytes)
      this.#count(window, grownBytes, roomBytes, entry.key)
      bounds.take(grownBytes)
      if (entry.flight?.isRefused === true) this.#countBehind(entry.flight, window)
      return options === undefined ? window.written : this.#promiseFor(window, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** A change that waits for a refused flight would be on its way by now, in one of its own unless its key rests in between. */
  #countBehind(flight: Flight, window: Window): void {
    flight.countBehind(window, this.#parts.isHot(flight.key) ? this.#parts.windowMs : 0)
  }

  #opened(entry: Entry, window: Window): void {
    entry.window = window
    if (this.#journal !== undefined) window.sinceMs = this.#parts.clock.nowMs()
    this.#parts.bounds.take(window.bytes)
    if (entry.isGone) this.#enter(entry)
  }

  #enter(entry: Entry): void {
    entry.isGone = false
    this.#entries.set(entry.name, entry)
    this.#parts.bounds.enter(entry.key.length)
    this.#advance(entry)
  }

  #merge(window: Window, change: unknown, key: string): number {
    const { shape, mergeContext, capabilities } = this.#parts
    const roomBytes = capabilities.changeBytesMax - window.bytes
    // Code of the user's runs now. What it writes to this record comes after; see `write` and `flush`.
    this.#isMerging = true
    const grownBytes = shape.mergeInto(window.states, change, mergeContext, roomBytes)
    this.#isMerging = false
    return this.#count(window, grownBytes, roomBytes, key)
  }

  #count(window: Window, grownBytes: number, roomBytes: number, key: string): number {
    if (grownBytes > roomBytes) throw this.#tooLarge(window, grownBytes, key)
    window.changeCount += 1
    window.bytes += grownBytes
    return grownBytes
  }

  #promiseFor(window: Window, { ack, signal }: WriteOptions): Promise<void> {
    if (ack === 'buffered') {
      window.bufferedCount += 1
      return resolved
    }
    return signal === undefined ? window.written : rejectOnAbort(window.written, signal)
  }

  /** Moves a key on: its window leaves when it may, and an entry with nothing in it goes. */
  #advance(entry: Entry): void {
    if (entry.isGone || entry.flight !== undefined || entry.holds > 0 || entry.rest !== undefined) return
    const [next, ...others] = entry.backlog ?? []
    if (next !== undefined) {
      entry.backlog = others.length === 0 ? undefined : others
      this.#flush(entry, next.window, next.start)
    } else if (entry.window !== undefined) {
      const { window } = entry
      entry.window = undefined
      this.#flush(entry, window, undefined)
    } else {
      entry.isGone = true
      this.#entries.delete(entry.name)
      this.#parts.bounds.leave(entry.key.length)
      if (this.#entries.size === 0) this.#idle?.resolve()
    }
  }

  #flush(entry: Entry, window: Window, start: FlightStart | undefined): void {
    const { clock, flight: parts, windowMs, isHot, onFlush } = this.#parts
    onFlush(entry.key, window.changeCount)
    if (windowMs > 0 && !this.#isClosed && isHot(entry.key)) {
      entry.rest = clock.setTimer(() => {
        entry.rest = undefined
        this.#advance(entry)
      }, windowMs)
    }
    entry.flight = new Flight(
      parts,
      entry.key,
      window,
      this.#parts.shape.changesOf(window.states),
      start ?? this.#startOf(entry, window),
      (flight, outcome) => this.#landed(entry, flight, outcome),
    )
    if (this.#journal !== undefined) entry.flight.onLate = (cause) => this.#letGo(entry, cause)
    entry.flight.send()
  }

  #landed(entry: Entry, flight: Flight, outcome: FlightOutcome): void {
    const { window } = flight
    entry.flight = undefined
    this.#parts.onLanded(flight, outcome)
    window.settle(outcome.error)
    this.#parts.bounds.release(window.bytes)
    if (outcome.isLeft) this.#leaveRest(entry)
    if (entry.holdsWaiting !== undefined) this.#letHold(entry)
    else if (window.changeCount === 1 && entry.window === undefined) this.#advance(entry)
    else this.#advanceSoon(entry)
  }

  /** Behind a flight that the spool keeps trying nobody waits for longer than for a flight: what is on disk goes on, the rest is not written. */
  #letGo(entry: Entry, cause: unknown): void {
    const { key, window } = entry
    const nowMs = this.#parts.clock.nowMs()
    if (window === undefined || nowMs - window.sinceMs < this.#parts.flight.writeTimeoutMs) return
    const why = 'A write before it, which the spool keeps, has no success yet.'
    if (window.tickets === undefined) {
      entry.window = undefined
      this.#leave(key, window, new WriteRejectedError(key, why, cause))
    } else window.letGo(new WriteUnknownError(key, why, cause), nowMs)
  }

  /** What follows a flight that is left: buffered changes stay on disk, all others are told that they are not written. */
  #leaveRest(entry: Entry): void {
    const { key, backlog = [], window: open } = entry
    entry.backlog = undefined
    entry.window = undefined
    const error = new WriteRejectedError(key, 'The client closes, and a write before it has no outcome yet.')
    for (const { window } of backlog) this.#leave(key, window, error)
    if (open !== undefined) this.#leave(key, open, error)
  }

  #leave(key: string, window: Window, error: WriteRejectedError): void {
    this.#parts.onLeft(key, window, error)
    window.settle(error)
    this.#parts.bounds.release(window.bytes)
  }

  /** Those who wait to hold come before the next flush; who comes later waits for that flush. */
  #letHold(entry: Entry): void {
    const waiting = entry.holdsWaiting
    entry.holdsWaiting = undefined
    waiting?.resolve()
    // They take their holds in the microtasks that follow; then the key moves on, at once or when the last of them lets go.
    this.#advanceSoon(entry)
  }

  /** Callers who were just told may write again at once: the next flush takes them along, where else it would leave without half of them. */
  #advanceSoon(entry: Entry): void {
    void resolved.then(() => resolved).then(() => this.#advance(entry))
  }

  #startOf({ name }: Entry, { states, bufferedCount, tickets }: Window): FlightStart {
    const { shape, prefix, clock, spool, flight } = this.#parts
    const stamp = shape.needsStamp(states) ? flight.nextStamp(0) : undefined
    if (spool === undefined || tickets === undefined) return { stamp }
    const change = () => changeOf(shape, prefix, name, states, bufferedCount)
    return { stamp, entry: new FlightEntry(spool, clock, change, tickets, undefined) }
  }

  #tooLarge(window: Window, grownBytes: number, key: string): Error {
    const { changeBytesMax } = this.#parts.capabilities
    if (window.changeCount > 0) return new WindowFullError(changeBytesMax, key)
    const expected = `at most ${changeBytesMax} bytes, the most that one write to the backend takes`
    return new InvalidArgumentError('change', expected, `${window.bytes + grownBytes} bytes`)
  }
}

// Problem: a hot key gets many reads at once, and each would make the same requests.
// Scheme: readers of a key share a flight. A reader joins only a flight whose first request has not left yet: one runs, one
//   waits for it to land. Joining the running one could miss a write that was acknowledged after its request was served.
// Invariants: at most two flights a key; a caller's abort ends only its own waiting; a failed flight fails its own callers.
// Cost: joining is one map look-up and a promise that is there already; the first reader of a key makes an entry and a flight.
// Source: docs/gather.md; Go's singleflight, whose late joiners may see the past.

import type { Bounds } from '../admission/bounds.js'
import { ChurningMap } from '../internal/churning-map.js'
import { Deferred } from '../internal/deferred.js'

/** One gather with its readers. */
export class ReadFlight<Gathered, Value> {
  /** How many readers share it. */
  readerCount = 1
  /** How many of them ask for the value, and fail with it. */
  valueReaderCount = 0
  #gathered: Deferred<Gathered> | undefined
  #value: Deferred<Value> | undefined

  /** What was gathered, whole or not: one promise for all who ask. */
  get gathered(): Promise<Gathered> {
    this.#gathered ??= new Deferred()
    return this.#gathered.promise
  }

  /** The value, or an error when it is not whole: one promise for all who ask. */
  get value(): Promise<Value> {
    this.#value ??= new Deferred()
    return this.#value.promise
  }

  /** Gives all readers what was gathered; those who asked for the value get what `view` makes of it, or what it throws. */
  land(gathered: Gathered, view: (gathered: Gathered) => Value): void {
    this.#gathered?.resolve(gathered)
    if (this.#value === undefined) return
    try {
      this.#value.resolve(view(gathered))
    } catch (error) {
      this.#value.reject(error)
    }
  }

  /** Gives all readers the error. */
  fail(error: unknown): void {
    this.#gathered?.reject(error)
    this.#value?.reject(error)
  }
}

interface Entry<Gathered, Value> {
  waiting: ReadFlight<Gathered, Value> | undefined
}

/** Starts the requests of a flight; calls `landed` once when it is over. */
export type StartFlight<Gathered, Value> = (
  name: string,
  flight: ReadFlight<Gathered, Value>,
  landed: () => void,
) => void

/** Shares flights between readers of a key. */
export class Coalesce<Gathered, Value> {
  readonly #bounds: Bounds
  readonly #start: StartFlight<Gathered, Value>
  readonly #entries = new ChurningMap<string, Entry<Gathered, Value>>()
  /** How many readers keep the room of a key, by name. */
  readonly #keepers = new Map<string, number>()
  #idle: Deferred<void> | undefined

  constructor(bounds: Bounds, start: StartFlight<Gathered, Value>) {
    this.#bounds = bounds
    this.#start = start
  }

  /** A flight under way that sees every write acknowledged before this call; undefined when there is none. Ask it for its promise at once. */
  join(name: string): ReadFlight<Gathered, Value> | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    if (entry.waiting === undefined) entry.waiting = new ReadFlight()
    else entry.waiting.readerCount += 1
    return entry.waiting
  }

  /** Whether another key may enter, or this one has its room already. */
  hasRoomFor(name: string): boolean {
    return this.#bounds.hasRoom || this.#keepers.has(name)
  }

  /** Takes a key's room ahead of its flight, once for all who do so, until as many `giveUpRoom`. There must be room for it. */
  keepRoom(name: string): void {
    const keeperCount = this.#keepers.get(name) ?? 0
    this.#keepers.set(name, keeperCount + 1)
    if (keeperCount === 0 && this.#entries.get(name) === undefined) this.#bounds.enter(0)
  }

  /** Ends what `keepRoom` began. */
  giveUpRoom(name: string): void {
    const keeperCount = this.#keepers.get(name) ?? 0
    if (keeperCount > 1) this.#keepers.set(name, keeperCount - 1)
    else {
      this.#keepers.delete(name)
      if (this.#entries.get(name) === undefined) this.#leave()
    }
  }

  /** Starts the first flight of a key. There must be none, and room for it. */
  open(name: string): ReadFlight<Gathered, Value> {
    const entry: Entry<Gathered, Value> = { waiting: undefined }
    const flight = new ReadFlight<Gathered, Value>()
    this.#entries.set(name, entry)
    if (this.#keepers.size === 0 || !this.#keepers.has(name)) this.#bounds.enter(0)
    this.#start(name, flight, () => this.#next(name, entry))
    return flight
  }

  /** How many keys have a flight. */
  get size(): number {
    return this.#entries.size
  }

  /** Resolves when no flight is left, nor room kept for one; each ends by its own time-outs. */
  async idle(): Promise<void> {
    if (this.#isIdle) return
    this.#idle ??= new Deferred()
    await this.#idle.promise
  }

  #next(name: string, entry: Entry<Gathered, Value>): void {
    const { waiting } = entry
    if (waiting === undefined) {
      this.#entries.delete(name)
      if (!this.#keepers.has(name)) this.#leave()
      return
    }
    entry.waiting = undefined
    this.#start(name, waiting, () => this.#next(name, entry))
  }

  #leave(): void {
    this.#bounds.leave(0)
    if (this.#isIdle) this.#idle?.resolve()
  }

  get #isIdle(): boolean {
    return this.#entries.size === 0 && this.#keepers.size === 0
  }
}

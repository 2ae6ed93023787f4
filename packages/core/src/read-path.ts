// A read travels: coalesce → detection → routing → gather → merge. Everything that happens to it is named here.

import type { Bounds } from './admission/bounds.js'
import { checkKey } from './admission/key-check.js'
import { Coalesce, type ReadFlight } from './coalesce/coalesce.js'
import { PartialReadError } from './errors/read-error.js'
import { type ErrorCode, isSpillwayError } from './errors/spillway-error.js'
import { type Gathered, mergeStates } from './gather/combine.js'
import { Gather } from './gather/gather.js'
import { rejectOnAbort } from './internal/abort.js'
import type { HybridClock } from './merge/hybrid-clock.js'
import type { LatestState } from './merge/latest.js'
import type { RecordShape } from './merge/record-shape.js'
import type { Stages } from './stages.js'
import type { WritePath } from './write-path.js'

/** How a caller may read. */
export interface ReadOptions {
  /** Ends the waiting of this caller only. */
  readonly signal?: AbortSignal
  /** Also counts this client's own changes that are accepted and not yet written. @default false */
  readonly pending?: boolean
  /** Gives what there is when shards cannot be read, marked, instead of rejecting. @default false */
  readonly allowPartial?: boolean
}

/** A value that may lack shards. */
export interface PartialRead<Value> {
  /** What the shards that could be read say together. */
  readonly value: Value
  /** Whether any shard is missing. */
  readonly isPartial: boolean
  /** Which; frozen. */
  readonly missingShards: readonly number[]
}

type Value = Record<string, unknown>

/** What is stored, with what is accepted and not sent; undefined when nothing is. */
type Held = readonly [stored: Gathered, unsent: readonly unknown[] | undefined]

/** The read path of one record. */
export class ReadPath {
  readonly #stages: Stages
  readonly #shape: RecordShape
  readonly #prefix: string
  readonly #stamps: HybridClock
  readonly #writePath: WritePath
  readonly #bounds: Bounds
  readonly #coalesce: Coalesce<Gathered, Value>
  readonly #gather: Gather
  constructor(
    stages: Stages,
    shape: RecordShape,
    prefix: string,
    stamps: HybridClock,
    bounds: Bounds,
    writePath: WritePath,
  ) {
    const { backend, clock, random, routing, deadlines, options, detection } = stages
    this.#stages = stages
    this.#shape = shape
    this.#prefix = prefix
    this.#stamps = stamps
    this.#writePath = writePath
    this.#bounds = bounds
    this.#coalesce = new Coalesce(bounds, (name, flight, landed) => this.#start(name, flight, landed))
    this.#gather = new Gather({
      store: backend.records,
      fields: shape.fields,
      routing,
      clock,
      random,
      deadlines: deadlines.reads,
      options: options.gather,
      consistency: options.consistency,
      shardsPerReadMax: backend.capabilities.shardsPerReadMax,
      requestTimeoutMs: Math.min(options.limits.requestTimeoutMs, options.gather.shardTimeoutMs),
      onRequest: (key, units) => detection.countReadRequests(key, 1, units ?? 1),
      onThrottle: (key, shardIndex, throttle) => stages.throttled(key, shardIndex, 'read', throttle),
    })
  }

  /** The value of a key; see `Records.read`. */
  value(name: string, signal?: AbortSignal): Promise<Value> {
    const flight = this.#coalesce.join(name)
    return flight === undefined ? this.#first(name, signal, valueOf) : valueOf(flight)
  }

  /** The same for a caller with wishes of its own. */
  valueWith(name: string, options: ReadOptions): Promise<Value | PartialRead<Value>> {
    const { signal, pending, allowPartial } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const read = pending === true || allowPartial === true ? this.#special(name, options) : this.value(name, signal)
    return signal === undefined ? read : rejectOnAbort(read, signal)
  }

  /** Resolves when no read is under way. */
  idle(): Promise<void> {
    return this.#coalesce.idle()
  }

  async #special(name: string, options: ReadOptions): Promise<Value | PartialRead<Value>> {
    try {
      return await this.#specially(name, options)
    } catch (error) {
      if (!isRefusal(error) && options.signal?.aborted !== true) this.#stages.counters.failedReads += 1
      throw error
    }
  }

  async #specially(name: string, { signal, pending, allowPartial }: ReadOptions): Promise<Value | PartialRead<Value>> {
    const [gathered, unsent] =
      pending === true ? await this.#withUnsent(name, signal) : [await this.#gathered(name, signal), undefined]
    const states = [...gathered.states]
    if (unsent !== undefined) mergeStates(states, this.#shape.fields, unsent)
    if (allowPartial !== true) return this.#view({ ...gathered, states }, this.#prefix + name, 0)
    const { missingShards } = gathered
    return { value: this.#shape.view(states), isPartial: missingShards.length > 0, missingShards }
  }

  /** What is stored, and the states that are not sent yet. Rejects as a read does. */
  async #withUnsent(name: string, signal: AbortSignal | undefined): Promise<Held> {
    checkKey(name, this.#prefix, this.#stages.backend.capabilities)
    if (this.#coalesce.hasRoomFor(name)) return this.#readHeld(name)
    return this.#bounds.whenRoom(name, 0, signal, () => this.#readHeld(name))
  }

  /** The room comes before the hold: while the key's writes are held back, its read waits for no other. */
  async #readHeld(name: string): Promise<Held> {
    this.#coalesce.keepRoom(name)
    try {
      return await this.#writePath.whileHeld(name, () => this.#flightOf(name).gathered)
    } finally {
      this.#coalesce.giveUpRoom(name)
    }
  }

  #gathered(name: string, signal: AbortSignal | undefined): Promise<Gathered> {
    return this.#coalesce.join(name)?.gathered ?? this.#first(name, signal, gatheredOf)
  }

  #first<T>(
    name: string,
    signal: AbortSignal | undefined,
    outcomeOf: (flight: ReadFlight<Gathered, Value>) => Promise<T>,
  ): Promise<T> {
    try {
      checkKey(name, this.#prefix, this.#stages.backend.capabilities)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#coalesce.hasRoomFor(name)) return outcomeOf(this.#coalesce.open(name))
    return this.#bounds.whenRoom(name, 0, signal, () => outcomeOf(this.#flightOf(name)))
  }

  /** There must be room for it. */
  #flightOf(name: string): ReadFlight<Gathered, Value> {
    return this.#coalesce.join(name) ?? this.#coalesce.open(name)
  }

  #start(name: string, flight: ReadFlight<Gathered, Value>, landed: () => void): void {
    const { detection, events, clock } = this.#stages
    const key = this.#prefix === '' ? name : this.#prefix + name
    const startedMs = events.hasListeners('gather') ? clock.nowMs() : undefined
    detection.countReads(key, flight.readerCount)
    this.#gather.read(key, (gathered, error) => {
      try {
        if (gathered === undefined) this.#fail(flight, error)
        else {
          if (this.#shape.hasLatest) this.#observe(gathered.states)
          flight.land(gathered, (whole) => this.#view(whole, key, flight.valueReaderCount))
          if (startedMs !== undefined) this.#tell(key, gathered, clock.nowMs() - startedMs)
        }
      } catch (malformed) {
        this.#fail(flight, malformed)
      } finally {
        landed()
      }
    })
  }

  #view({ missingShards, shardCount, states, cause }: Gathered, key: string, readerCount: number): Value {
    try {
      if (missingShards.length > 0) throw new PartialReadError(key, missingShards, shardCount, cause)
      return this.#shape.view(states)
    } catch (error) {
      this.#stages.counters.failedReads += readerCount
      throw error
    }
  }

  #fail(flight: ReadFlight<Gathered, Value>, error: unknown): void {
    this.#stages.counters.failedReads += flight.valueReaderCount // the others count for themselves
    flight.fail(error)
  }

  /** What this client stamps from now on is later than what it has seen. */
  #observe(states: readonly unknown[]): void {
    for (const [i, { rule }] of this.#shape.fields.entries()) {
      if (rule.kind === 'latest' && states[i] !== undefined) this.#stamps.observe((states[i] as LatestState).stamp)
    }
  }

  #tell(key: string, { shardCount, missingShards }: Gathered, durationMs: number): void {
    this.#stages.events.emit('gather', { record: this.#shape.name, key, shardCount, missingShards, durationMs })
  }
}

const valueOf = (flight: ReadFlight<Gathered, Value>) => {
  flight.valueReaderCount += 1
  return flight.value
}
/** Refused before anything was sent: no failure of the store. */
function isRefusal(error: unknown): boolean {
  return isSpillwayError(error) && refusals.has(error.code)
}

const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['INVALID_ARGUMENT', 'LIMIT_REACHED', 'CLOSED'])

const gatheredOf = (flight: ReadFlight<Gathered, Value>) => flight.gathered

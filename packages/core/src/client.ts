import { Bounds } from './admission/bounds.js'
import { asBackendError, type BackendError } from './backend/backend-error.js'
import { callWithin } from './backend/call.js'
import { guardBackend } from './backend/guarded-backend.js'
import { duringStart } from './backend/start-failure.js'
import { FailureLog, type FlushReport } from './collapse/failure-log.js'
import { Detection } from './detection/detection.js'
import { ClosedError } from './errors/closed-error.js'
import type { Fleet } from './fleet/fleet.js'
import { DeadlineList } from './internal/deadline-list.js'
import { HybridClock } from './merge/hybrid-clock.js'
import type { Rules } from './merge/merge-rule.js'
import type { RecordShape } from './merge/record-shape.js'
import type { ClientOptions } from './options.js'
import { type HotKey, showHotKeys } from './hot-keys.js'
import { ItemReadPath } from './item-read-path.js'
import { ItemWritePath } from './item-write-path.js'
import type { SortType } from './item/sort-value.js'
import { ReadPath } from './read-path.js'
import { Collection } from './collection.js'
import type { CollectionOptions, ResolvedCollection } from './collection-options.js'
import { CollectionRegistry } from './collection-registry.js'
import { RecordRegistry } from './record-registry.js'
import { type RecordOptions, Records } from './records.js'
import { resolveOptions } from './resolve-options.js'
import type { ResolvedOptions } from './resolved-options.js'
import { type ItemHash, loadItemHash } from './routing/item-hash.js'
import type { Coordinator } from './routing/coordinator.js'
import type { KeyContents } from './routing/key-contents.js'
import { writerId } from './routing/writer-id.js'
import { type KeptChanges, SpoolLog } from './spool/spool-log.js'
import type { Stages } from './stages.js'
import { steering } from './steering.js'
import { type ClientCounters, Counters } from './telemetry/counters.js'
import { type ClientEvents, type EventName, Events } from './telemetry/events.js'
import { Ticker } from './time/ticker.js'
import { WritePath } from './write-path.js'

/**
 * Opens the backend and fetches the directory of routes, each in one attempt of `limits.requestTimeoutMs`, which is the only request that a client makes unasked at its start.
 * Rejects with `INVALID_ARGUMENT` for options that are out of bounds or in conflict, with `DIRECTORY_MISMATCH` when other
 * clients of the backend use other `routing` timings or another format, and with `BACKEND` when the backend cannot be reached,
 * or (kind `invalid`) when what stands in the directory's place is malformed, and with `SPOOL` when the spool cannot be used.
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const resolved = resolveOptions(options)
  const client = new Client(resolved)
  await client.open()
  return client
}

/** What `close()` tells. */
export interface CloseReport extends FlushReport {
  /** Why the backend could not be closed; undefined when it was. It says nothing about what was written. */
  readonly closeError: BackendError | undefined
  /**
   * Buffered changes that stay in the spool for the next start: the backend took them in no time, or nobody has declared their
   * record as it was. Undefined without a spool.
   */
  readonly kept: readonly KeptChanges[] | undefined
}

/** One process's part of a fleet that shares a backend. Made by {@link createClient}. */
export class Client {
  readonly #stages: Stages
  readonly #coordinator: Coordinator
  readonly #fleet: Fleet
  readonly #ticker: Ticker
  readonly #registry = new RecordRegistry()
  readonly #collections = new CollectionRegistry()
  readonly #writePaths: (WritePath | ItemWritePath)[] = []
  readonly #readPaths: ReadPath[] = []
  readonly #itemReadPaths: ItemReadPath[] = []
  readonly #failures: FailureLog
  readonly #writeBounds: Bounds
  readonly #readBounds: Bounds
  #itemHash: ItemHash | undefined
  #closing: Promise<CloseReport> | undefined

  /** @internal */
  constructor(options: ResolvedOptions) {
    const { clock, random, limits } = options
    const backend = guardBackend(options.backend)
    const events = new Events()
    const counters = new Counters()
    const hold = () => this.#ticker.hold()
    const deadlines = { writes: new DeadlineList(hold), reads: new DeadlineList(hold) }
    const detection = new Detection(options.detection, random, clock.nowMs())
    const { routing, coordinator, fleet, spreading } = steering({
      options,
      backend,
      events,
      contentsOf: (key) => this.#contentsOf(key),
      itemHash: () => this.#itemHash,
    })
    this.#coordinator = coordinator
    this.#fleet = fleet
    this.#ticker = new Ticker(clock, options.detection.tickMs, (nowMs) => {
      deadlines.writes.expireUntil(nowMs)
      deadlines.reads.expireUntil(nowMs)
      for (const { key, side, state } of detection.tick(nowMs)) {
        const name = state === 'hot' ? 'key-hot' : 'key-cooled'
        if (events.hasListeners(name)) events.emit(name, { key, side })
      }
      fleet.tick(nowMs)
      spreading.decide(detection.hotKeys())
    })
    this.#failures = new FailureLog(events)
    this.#writeBounds = new Bounds(limits, 'write()')
    this.#readBounds = new Bounds(limits, 'read()')
    this.#stages = {
      options,
      backend,
      clock,
      random,
      routing,
      detection,
      deadlines,
      events,
      declare: (key) => spreading.declare(key),
      refused: (key) => fleet.count(key, 1),
      written: (key, requests, units, demandUnits) => {
        detection.countWriteRequests(key, requests, units)
        fleet.count(key, demandUnits)
      },
      counters,
      spool: options.spool && new SpoolLog(options.spool),
      throttled(key, shardIndex, side, { scope, reason, resource }) {
        if (side === 'write') counters.throttledWriteAttempts += 1
        else counters.throttledReadAttempts += 1
        detection.countThrottle(key, side, scope === 'key-range')
        if (events.hasListeners('throttle')) events.emit('throttle', { key, shardIndex, side, reason })
        if (scope === 'index-key-range' && events.hasListeners('index-throttle'))
          events.emit('index-throttle', { key, index: resource, side, reason })
      },
    }
  }

  /** @internal */
  async open(): Promise<void> {
    const { backend, clock, options, routing, spool } = this.#stages
    const { requestTimeoutMs } = options.limits
    const named = { name: backend.name, requestTimeoutMs }
    await spool?.open()
    const itemHash = backend.collections === undefined ? undefined : loadItemHash()
    itemHash?.catch(reportedBelow)
    try {
      await duringStart({ ...named, step: 'Opening' }, () =>
        callWithin(clock, requestTimeoutMs, (call) => backend.open?.(call) ?? Promise.resolve()),
      )
      await duringStart({ ...named, step: 'Reading the directory of routes from' }, () => routing.start())
      this.#itemHash = await itemHash
    } catch (error) {
      await routing.close()
      await this.#closeBackend() // what led here is what the caller is told
      await spool?.close()
      throw error
    }
    this.#ticker.start()
  }

  /**
   * Declares a record: its fields, and how changes to them merge. Types of writes and reads follow from `rules`.
   * The same name with the same rules gives the same record. Throws `InvalidArgumentError` when a rule conflicts with that of
   * another record under the same prefix, and `ClosedError` on a closed client.
   */
  records<const R extends Rules>(name: string, rules: R, options: RecordOptions = {}): Records<R> {
    if (this.#closing !== undefined) throw new ClosedError('records()')
    return this.#registry.declare(name, rules, options, this.#stages.backend.capabilities, (shape, prefix) =>
      this.#build<R>(shape, prefix),
    )
  }

  /**
   * Declares a collection: items under keys, ordered by a sort value. The same name with the same options gives the same
   * collection. Throws `InvalidArgumentError` when the backend keeps none, or none with such sort values, or when another
   * collection has its prefix, and `ClosedError` on a closed client.
   */
  collection<Item extends object>(name: string, options?: CollectionOptions<Item, 'string'>): Collection<Item>
  collection<Item extends object, Sort extends SortType>(
    name: string,
    options: CollectionOptions<Item, Sort> & { readonly sort: Sort },
  ): Collection<Item, Sort>
  collection<Item extends object, Sort extends SortType>(
    name: string,
    options: CollectionOptions<Item, Sort> = {},
  ): Collection<Item, Sort> {
    if (this.#closing !== undefined) throw new ClosedError('collection()')
    const build = (resolved: ResolvedCollection) => this.#buildCollection<Item, Sort>(resolved)
    return this.#collections.declare(name, options, this.#stages.backend, build) as Collection<Item, Sort>
  }

  /** What is hot now, hottest first, as far as this client has seen it. */
  hotKeys(): readonly HotKey[] {
    const { detection, routing, backend } = this.#stages
    return showHotKeys(detection.hotKeys(), routing.latest(), backend.capabilities.partition.writeUnitsPerSecond)
  }

  /** What has failed since the client was made: attempts, as the store saw it, and calls, as the application did. */
  counters(): ClientCounters {
    return this.#stages.counters.shown()
  }

  /** Calls `listener` at each event of this name; gives back what ends it. What a listener throws surfaces as an uncaught exception, which ends the process unless something handles it. The same events are on `node:diagnostics_channel` as `spillway:<name>`. */
  on<N extends EventName>(name: N, listener: (event: ClientEvents[N]) => void): () => void {
    return this.#stages.events.on(name, listener)
  }

  /** Sends all open windows without waiting for their time; resolves when what was accepted before is settled, and says what could not be written. */
  flush(): Promise<FlushReport> {
    return this.#failures.report(() => Promise.all(this.#writePaths.map((path) => path.flush())))
  }

  /**
   * Accepts nothing more, flushes, closes the backend, and says what could not be written. A backend that cannot be closed, or
   * not within `limits.requestTimeoutMs`, takes nothing from the report: its failure is there as `closeError`. Calling it
   * again gives the same report.
   */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** `await using` closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<CloseReport> {
    const { routing, spool } = this.#stages
    this.#writeBounds.close()
    this.#readBounds.close()
    const itemReads = this.#itemReadPaths.map((path) => path.close()) // they accept nothing from here on
    const report = await this.#failures.report(() => Promise.all(this.#writePaths.map((path) => path.close())))
    await Promise.all([...this.#readPaths.map((path) => path.idle()), ...itemReads])
    this.#ticker.stop()
    if (this.#fleet.mustResign()) await this.#fleet.close()
    await Promise.all([routing.close(), this.#fleet.close(), this.#coordinator.idle()])
    const closeError = await this.#closeBackend()
    const kept = await spool?.close()
    return { ...report, closeError, kept }
  }

  /** Answers with what went wrong. */
  async #closeBackend(): Promise<BackendError | undefined> {
    const { backend, clock, options } = this.#stages
    try {
      await callWithin(clock, options.limits.requestTimeoutMs, () => backend.close?.() ?? Promise.resolve())
      return undefined
    } catch (error) {
      return asBackendError(error)
    }
  }

  #contentsOf(key: string): KeyContents | undefined {
    const fields = this.#registry.fieldsOf(key)
    const sortTypes = this.#collections.sortTypesOf(key)
    return fields === undefined && sortTypes === undefined ? undefined : { fields, sortTypes }
  }

  #build<R extends Rules>(shape: RecordShape, prefix: string): Records<R> {
    const { clock, random, options } = this.#stages
    const writer = writerId(random)
    const stamps = new HybridClock(clock, writer, options.limits.clockSkewMaxMs)
    const writePath = new WritePath(this.#stages, shape, prefix, writer, stamps, this.#writeBounds, this.#failures)
    const readPath = new ReadPath(this.#stages, shape, prefix, stamps, this.#readBounds, writePath)
    this.#writePaths.push(writePath)
    this.#readPaths.push(readPath)
    return new Records<R>(shape.name, writePath, readPath, () => this.#closing !== undefined)
  }

  #buildCollection<Item, Sort extends SortType>(resolved: ResolvedCollection): Collection<Item, Sort> {
    const { backend, clock, random, options } = this.#stages
    const { collections: store } = backend
    if (store === undefined || this.#itemHash === undefined) throw new RangeError('the client is not open')
    const stamps = new HybridClock(clock, writerId(random), options.limits.clockSkewMaxMs)
    const hash = this.#itemHash
    const writePath = new ItemWritePath(this.#stages, store, resolved, hash, stamps, this.#writeBounds, this.#failures)
    const readPath = new ItemReadPath(this.#stages, store, resolved, hash, stamps, this.#readBounds)
    this.#writePaths.push(writePath)
    this.#itemReadPaths.push(readPath)
    return new Collection<Item, Sort>(resolved, store.limits, writePath, readPath)
  }
}

/** Unless the backend could not be reached, which is then what the caller is told. */
function reportedBelow(): void {}

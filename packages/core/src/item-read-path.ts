// A read of items travels: admission → detection → routing → gather → merge. Everything that happens to it is named here.

import type { Bounds } from './admission/bounds.js'
import { checkKey } from './admission/key-check.js'
import { checkedSort } from './admission/sort-check.js'
import type { CollectionStore, StoredItem } from './backend/collection-store.js'
import type { ResolvedCollection } from './collection-options.js'
import { ClosedError } from './errors/closed-error.js'
import { InvalidArgumentError } from './errors/misuse-error.js'
import { ReadFailedError } from './errors/read-error.js'
import { Hedge } from './gather/hedge.js'
import { gatherItem } from './gather/item-gather.js'
import type { ItemReadParts } from './gather/item-request.js'
import { gatherAll, gatherPage, type GatheredPage } from './gather/page-gather.js'
import type { SortRange } from './gather/shard-reader.js'
import { rejectOnAbort } from './internal/abort.js'
import { Deferred } from './internal/deferred.js'
import type { SortValue } from './item/sort-value.js'
import type { HybridClock } from './merge/hybrid-clock.js'
import type { ItemHash } from './routing/item-hash.js'
import type { Stages } from './stages.js'

/** An item and where it stands. */
export interface Entry {
  readonly sort: SortValue
  readonly item: unknown
}

/** A page to be read, as the collection asks for it. */
export interface EntriesRequest {
  readonly range: SortRange
  readonly limit: number
  readonly examinedMax: number
  readonly filter: ((item: unknown, sort: SortValue) => boolean) | undefined
  readonly signal: AbortSignal | undefined
}

/** Its answer. */
export interface Entries {
  readonly entries: readonly Entry[]
  /** Undefined when nothing is left. */
  readonly last: SortValue | undefined
}

/** The read path of one collection. */
export class ItemReadPath {
  readonly #stages: Stages
  readonly #store: CollectionStore
  readonly #collection: ResolvedCollection
  readonly #stamps: HybridClock
  readonly #bounds: Bounds
  readonly #parts: ItemReadParts
  #openCount = 0
  #isClosed = false
  #idle: Deferred<void> | undefined

  constructor(
    stages: Stages,
    store: CollectionStore,
    collection: ResolvedCollection,
    hash: ItemHash,
    stamps: HybridClock,
    bounds: Bounds,
  ) {
    const { backend, clock, random, routing, options, detection } = stages
    this.#stages = stages
    this.#store = store
    this.#collection = collection
    this.#stamps = stamps
    this.#bounds = bounds
    this.#parts = {
      store,
      routing,
      hash,
      clock,
      random,
      options: options.gather,
      leaseMs: options.routing.leaseMs,
      consistency: options.consistency,
      shardsPerReadMax: backend.capabilities.shardsPerReadMax,
      requestTimeoutMs: Math.min(options.limits.requestTimeoutMs, options.gather.shardTimeoutMs),
      hedge: collection.hedge && new Hedge(clock, collection.hedge),
      onRequest: (key, units) => detection.countReadRequests(key, 1, units ?? 1),
      onThrottle: (key, shardIndex, throttle) => stages.throttled(key, shardIndex, 'read', throttle),
    }
  }

  /** One item; see `Collection.get`. */
  async get(name: string, given: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    const key = this.#keyOf(name, 'get()')
    const sort = checkedSort(given, 'sort', this.#collection.sort, this.#store.limits)
    const stored = await this.#admit(key, signal, () => gatherItem(this.#parts, key, sort, signal))
    if (stored?.value !== undefined) return this.#entryOf(key, stored).item
    if (stored?.stamp !== undefined) this.#stamps.observe(stored.stamp) // of a tombstone: what is put next is later
    return undefined
  }

  /** A page; see `Collection.page`. */
  async page(name: string, { range, limit, examinedMax, filter, signal }: EntriesRequest): Promise<Entries> {
    const key = this.#keyOf(name, 'page()')
    const entries = new Map<StoredItem, Entry>()
    const keep = (stored: StoredItem) => {
      const entry = this.#entryOf(key, stored)
      if (filter !== undefined && !isWanted(filter(entry.item, entry.sort))) return false
      entries.set(stored, entry)
      return true
    }
    const request = { key, range, limit, examinedMax, signal, keep }
    const page = await this.#admit(key, signal, () => this.#timed(key, () => gatherPage(this.#parts, request)))
    return { entries: page.items.map((stored) => entries.get(stored) as Entry), last: page.last }
  }

  /** All items of a range; see `Collection.iterate`. Throws what is wrong with its key. */
  iterate(name: string, range: SortRange, signal: AbortSignal | undefined): AsyncGenerator<Entry, void, void> {
    return this.#entriesOf(this.#keyOf(name, 'iterate()'), range, signal)
  }

  async *#entriesOf(key: string, range: SortRange, signal: AbortSignal | undefined): AsyncGenerator<Entry, void, void> {
    const chunks = gatherAll(this.#parts, key, range, signal)
    for (;;) {
      const chunk = await this.#admit(key, signal, () => chunks.next())
      if (chunk.done === true) return
      for (const stored of chunk.value) {
        signal?.throwIfAborted()
        yield this.#entryOf(key, stored)
      }
    }
  }

  /** Accepts nothing more; resolves when no read is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#openCount === 0) return
    this.#idle = new Deferred()
    await this.#idle.promise
  }

  #keyOf(name: string, operation: string): string {
    if (this.#isClosed) throw new ClosedError(operation)
    const { prefix } = this.#collection
    checkKey(name, prefix, this.#stages.backend.capabilities)
    return prefix === '' ? name : prefix + name
  }

  async #admit<T>(key: string, signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw new ClosedError('iterate()')
    if (!this.#bounds.hasRoom) return this.#bounds.whenRoom(key, 0, signal, () => this.#counted(key, signal, read))
    const reading = this.#counted(key, signal, read)
    return signal === undefined ? reading : rejectOnAbort(reading, signal)
  }

  async #counted<T>(key: string, signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    this.#bounds.enter(0)
    this.#openCount += 1
    this.#stages.detection.countReads(key, 1)
    try {
      return await read()
    } catch (error) {
      if (signal?.aborted !== true) this.#stages.counters.failedReads += 1
      throw error
    } finally {
      this.#bounds.leave(0)
      this.#openCount -= 1
      if (this.#openCount === 0) this.#idle?.resolve()
    }
  }

  async #timed(key: string, read: () => Promise<GatheredPage>): Promise<GatheredPage> {
    const { events, clock } = this.#stages
    if (!events.hasListeners('gather')) return read()
    const startedMs = clock.nowMs()
    const page = await read()
    const durationMs = clock.nowMs() - startedMs
    const { shardCount } = page
    events.emit('gather', { record: this.#collection.name, key, shardCount, missingShards: [], durationMs })
    return page
  }

  /** What this client stamps from now on is later than what it has seen. */
  #entryOf(key: string, { sort, stamp, value }: StoredItem): Entry {
    if (stamp !== undefined) this.#stamps.observe(stamp)
    const { codec } = this.#collection
    if (codec === undefined || value === undefined) return { sort, item: value }
    try {
      return { sort, item: codec.decode(value) }
    } catch (error) {
      throw new ReadFailedError(key, `The codec could not decode the item at ${JSON.stringify(sort)}.`, error)
    }
  }
}

/** A promise, which an async function answers with, would pass for true. */
function isWanted(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new InvalidArgumentError('options.filter', 'a function that answers true or false', answer)
}

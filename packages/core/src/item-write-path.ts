// A put or a delete travels: admission → detection → collapse → routing → backend. Everything that happens to it is named here.

import pLimit from 'p-limit'

import type { Bounds } from './admission/bounds.js'
import { type AcceptedItem, ItemAdmission, requireOnce } from './admission/item-admission.js'
import type { CollectionStore } from './backend/collection-store.js'
import type { ResolvedCollection } from './collection-options.js'
import { AppendFlight, type Appending, type AppendLanding } from './collapse/append-flight.js'
import { demandLeft } from './collapse/demand.js'
import type { FailureLog } from './collapse/failure-log.js'
import { ItemCollapse, type ItemLanding } from './collapse/item-collapse.js'
import type { ItemFlight, ItemFlightParts } from './collapse/item-flight.js'
import { ClosedError } from './errors/closed-error.js'
import { isSpillwayError } from './errors/spillway-error.js'
import { WriteRejectedError } from './errors/write-error.js'
import type { HybridClock } from './merge/hybrid-clock.js'
import type { ItemHash } from './routing/item-hash.js'
import { tombstoneMs } from './resolved-options.js'
import type { Stages } from './stages.js'

/** What became of one item of many. */
export type PutOutcome = { readonly status: 'written' } | { readonly status: 'failed'; readonly error: unknown }

/** How many items are put. */
export interface PutMany {
  readonly concurrencyMax: number
  readonly appendOnly: boolean
  readonly signal: AbortSignal | undefined
}

/** The write path of one collection. */
export class ItemWritePath {
  readonly #stages: Stages
  readonly #store: CollectionStore
  readonly #name: string
  readonly #admission: ItemAdmission
  readonly #failures: FailureLog
  readonly #bounds: Bounds
  readonly #flight: ItemFlightParts
  readonly #collapse: ItemCollapse
  /** Of `putMany`. */
  readonly #calls = new Set<Promise<unknown>>()
  #isClosed = false

  constructor(
    stages: Stages,
    store: CollectionStore,
    collection: ResolvedCollection,
    hash: ItemHash,
    stamps: HybridClock,
    bounds: Bounds,
    failures: FailureLog,
  ) {
    const { backend, clock, random, routing, options, detection } = stages
    const { requestTimeoutMs, writeTimeoutMs, clockSkewMaxMs } = options.limits
    this.#stages = stages
    this.#store = store
    this.#name = collection.name
    const { limits } = store
    this.#admission = new ItemAdmission({ ...collection, limits, capabilities: backend.capabilities })
    this.#failures = failures
    this.#bounds = bounds
    this.#flight = {
      store,
      routing,
      hash,
      stamps,
      clock,
      random,
      requestTimeoutMs,
      writeTimeoutMs,
      clockSkewMaxMs,
      tombstoneMs: tombstoneMs(options),
      shardsPerReadMax: backend.capabilities.shardsPerReadMax,
      onThrottle: (key, shardIndex, throttle) => stages.throttled(key, shardIndex, 'write', throttle),
      onRefused: (key) => stages.refused(key),
    }
    this.#collapse = new ItemCollapse({
      bounds,
      clock,
      windowMs: options.collapse.windowMs,
      flight: this.#flight,
      isHot: (key) => detection.isHot(key),
      onFlush: (key, changeCount) => {
        detection.countWrites(key, changeCount)
        stages.declare(key)
      },
      onLanded: (flight, landing) => this.#landed(flight, landing),
    })
  }

  /** Accepts a put; see `Collection.put`. Throws what is wrong with its arguments. */
  put(name: string, sort: unknown, item: unknown, signal: AbortSignal | undefined): Promise<void> {
    return this.#write(this.#admission.put(name, sort, item), signal)
  }

  /** Accepts a delete; see `Collection.delete`. Throws what is wrong with its arguments. */
  delete(name: string, sort: unknown, signal: AbortSignal | undefined): Promise<void> {
    return this.#write(this.#admission.delete(name, sort), signal)
  }

  /** Puts many; see `Collection.putMany`. Rejects with what is wrong with its arguments. */
  async putMany(name: string, given: unknown, options: PutMany): Promise<readonly PutOutcome[]> {
    if (this.#isClosed) throw new ClosedError('putMany()')
    const items = this.#admission.putMany(name, given)
    const { itemsPerAppendMax } = this.#store.limits
    const isInBatches = options.appendOnly && this.#store.append !== undefined && itemsPerAppendMax > 1
    if (isInBatches) requireOnce(items)
    const call = this.#putAll(items, isInBatches, options)
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  async #putAll(
    items: readonly AcceptedItem[],
    isInBatches: boolean,
    { concurrencyMax, signal }: PutMany,
  ): Promise<readonly PutOutcome[]> {
    const limit = pLimit(concurrencyMax)
    const outcomes: Promise<readonly PutOutcome[]>[] = []
    const step = isInBatches ? this.#store.limits.itemsPerAppendMax : 1
    for (let from = 0; from < items.length; from += step) {
      const batch = items.slice(from, from + step)
      outcomes.push(
        limit(() => {
          if (signal?.aborted === true) return failedAll(batch, signal.reason)
          if (this.#isClosed) return this.#leftOut(batch)
          return isInBatches ? this.#append(batch, signal) : this.#putOne(batch[0] as AcceptedItem, signal)
        }),
      )
    }
    return (await Promise.all(outcomes)).flat()
  }

  /** Sends what rests, and resolves when all that was accepted before is settled, calls of `putMany` included. */
  async flush(): Promise<void> {
    await Promise.all([this.#collapse.flush(), ...this.#calls])
  }

  /** Accepts nothing more and sends nothing more of `putMany`; resolves when what was sent is settled. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#calls)
    await this.#collapse.close()
  }

  #write({ id, change, bytes }: AcceptedItem, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ClosedError(change.value === undefined ? 'delete()' : 'put()'))
    return this.#collapse.write(id, change, bytes, signal)
  }

  /** A call of many could take as long as it likes; what closes the client is told what is left out. */
  #leftOut(batch: readonly AcceptedItem[]): readonly PutOutcome[] {
    const { key } = (batch[0] as AcceptedItem).change
    const error = new WriteRejectedError(key, 'The client was closed before the item was sent.')
    this.#noteFailure(key, batch.length, error)
    return failedAll(batch, error)
  }

  async #putOne({ id, change, bytes }: AcceptedItem, until: AbortSignal | undefined): Promise<readonly PutOutcome[]> {
    try {
      await this.#collapse.write(id, change, bytes, undefined, until)
      return [written]
    } catch (error) {
      return [{ status: 'failed', error }]
    }
  }

  async #append(batch: readonly AcceptedItem[], until: AbortSignal | undefined): Promise<readonly PutOutcome[]> {
    const bytes = batch.reduce((sum, item) => sum + item.bytes, 0)
    const { key } = (batch[0] as AcceptedItem).change
    let sent: Promise<readonly PutOutcome[]> | undefined
    const send = () => {
      sent = this.#appendNow(key, batch, bytes)
      return sent
    }
    try {
      return await (this.#bounds.hasRoom ? send() : this.#bounds.whenRoom(key, bytes, until, send))
    } catch (error) {
      return sent?.catch((failure: unknown) => failedAll(batch, failure)) ?? failedAll(batch, error)
    }
  }

  async #appendNow(key: string, batch: readonly AcceptedItem[], bytes: number): Promise<readonly PutOutcome[]> {
    this.#bounds.enter(bytes)
    this.#stages.detection.countWrites(key, batch.length)
    this.#stages.declare(key)
    try {
      const items = batch.map(({ change }) => change) as readonly Appending[]
      const landing = await new AppendFlight(this.#flight, items).run()
      const { errors, sentCount, units = sentCount, refusedCount } = landing
      this.#stages.written(key, sentCount, units, Math.max(0, units - refusedCount))
      this.#tellAppended(key, landing)
      for (const error of errors) if (error !== undefined) this.#noteFailure(key, 1, error)
      return errors.map((error) => (error === undefined ? written : { status: 'failed', error }))
    } finally {
      this.#bounds.leave(bytes)
    }
  }

  /** One event for each shard. */
  #tellAppended(key: string, { errors, shardIndexes, attempts, durationMs }: AppendLanding): void {
    if (!this.#stages.events.hasListeners('flush')) return
    for (const shardIndex of new Set(shardIndexes)) {
      const own = errors.filter((_, i) => shardIndexes[i] === shardIndex)
      const error = own.find((one) => isSpillwayError(one, 'WRITE_UNKNOWN')) ?? own.find((one) => one !== undefined)
      this.#tellFlush({ key, changeCount: own.length, durationMs, error }, shardIndex, attempts)
    }
  }

  #landed(flight: ItemFlight, landing: ItemLanding): void {
    const { attempts, shardIndex, units, isRefused } = flight
    const { key, changeCount, error } = landing
    const consumed = units ?? (error === undefined ? 1 : 0)
    this.#stages.written(key, attempts, consumed, demandLeft(consumed, isRefused))
    if (error !== undefined) this.#noteFailure(key, changeCount, error)
    if (this.#stages.events.hasListeners('flush')) this.#tellFlush(landing, shardIndex, attempts)
  }

  #tellFlush({ key, changeCount, durationMs, error }: ItemLanding, shardIndex: number, attempts: number): void {
    const outcome = error === undefined ? 'written' : isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'rejected'
    this.#stages.events.emit('flush', {
      record: this.#name,
      key,
      shardIndex,
      changeCount,
      attempts,
      durationMs,
      outcome,
    })
  }

  #noteFailure(key: string, changeCount: number, error: unknown): void {
    this.#stages.counters.failedWrites += changeCount
    this.#failures.add(this.#name, key, changeCount, 0, error)
  }
}

const written: PutOutcome = Object.freeze({ status: 'written' })

function failedAll(batch: readonly AcceptedItem[], error: unknown): readonly PutOutcome[] {
  return batch.map(() => ({ status: 'failed', error }))
}

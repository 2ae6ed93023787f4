// Problem: what a store does on a bad day reaches an adapter through requests; a flaw of an adapter shows only then.
// Scheme: a store in memory that can be cut off, be out of capacity or have a shard that cannot be read; the adapter under test
//   is what a test wraps around it.
// Invariants: each request takes a turn of the event loop, so that requests overlap and can be aborted under way; what is
//   refused has no effect.

import {
  BackendError,
  memory,
  placeOf,
  type Backend,
  type CollectionStore,
  type ShardAnswer,
  type ThrottleDetail,
} from '@spillway/core'
import type { Harness } from '@spillway/conformance'
import { FakeClock } from '@spillway/core/testing'

const throttle: ThrottleDetail = { reason: 'TooBusy', scope: 'other' }

/** What a shard that cannot be read fails with. */
export const unreadable = new BackendError('throttled', 'The store left a shard out of a batch.', { throttle })

/** A store and what is wrong with it just now. */
class TroubledStore {
  /** What reaches the store, as an adapter would send it. */
  readonly backend: Backend
  /** Requests so far. */
  requestCount = 0
  /** Whether it cannot be reached. */
  isCutOff = false
  /** So many of the next requests are refused for lack of capacity. */
  refusedCount = 0
  /** So many of the next requests are answered; then the answers of `lostCount` are lost. */
  answeredCount = 0
  /** So many answers are lost after those. */
  lostCount = 0
  /** The place that cannot be read. */
  unreadablePlace: string | undefined

  constructor(inner: Backend) {
    const { name, capabilities, directory, records, collections } = inner
    const isUnreadable = (shard: Parameters<typeof placeOf>[0]) => placeOf(shard) === this.unreadablePlace
    this.backend = {
      name,
      capabilities,
      directory: {
        read: (call) => this.#send(() => directory.read(call), 'unavailable'),
        swap: (expected, text, call) => this.#send(() => directory.swap(expected, text, call)),
      },
      records: {
        write: (write, call) => this.#send(() => records.write(write, call)),
        read: (read, call) =>
          this.#send(async () => {
            if (read.shards.every(isUnreadable)) throw unreadable
            const answers = await records.read(read, call)
            return answers.map((answer, i): ShardAnswer => {
              const isLeftOut = isUnreadable(read.shards[i] as (typeof read.shards)[number])
              return isLeftOut ? { status: 'failed', error: unreadable } : answer
            })
          }, 'unavailable'),
        seal: (shard, fields, call) =>
          this.#send(() => (isUnreadable(shard) ? Promise.reject(unreadable) : records.seal(shard, fields, call))),
        absorb: (absorb, call) => this.#send(() => records.absorb(absorb, call)),
        clear: (shard, retentionMs, call) => this.#send(() => records.clear(shard, retentionMs, call)),
        stampRoute: (shard, stamp, call) => this.#send(async () => records.stampRoute?.(shard, stamp, call)),
      },
      collections: collections && this.#collections(collections),
    }
  }

  #collections(inner: CollectionStore): CollectionStore {
    return {
      limits: inner.limits,
      put: (put, call) => this.#send(() => inner.put(put, call)),
      delete: (deletion, call) => this.#send(() => inner.delete(deletion, call)),
      get: (read, call) =>
        this.#send(async () => {
          const isLeftOut = read.shards.map((shard) => placeOf(shard) === this.unreadablePlace)
          if (isLeftOut.length > 0 && isLeftOut.every(Boolean)) throw unreadable
          const answers = await inner.get(read, call)
          return answers.map((answer, i) => (isLeftOut[i] === true ? { status: 'failed', error: unreadable } : answer))
        }, 'unavailable'),
      page: (page, call) =>
        this.#send(
          () => (placeOf(page.shard) === this.unreadablePlace ? Promise.reject(unreadable) : inner.page(page, call)),
          'unavailable',
        ),
      append: (append, call) => this.#send(async () => (await inner.append?.(append, call)) ?? []),
    }
  }

  /** Carries a request out, or does not; `ifLost` is what a lost answer means: a read changes nothing, so it is no worse than not done. */
  async #send<T>(request: () => Promise<T>, ifLost: 'unknown' | 'unavailable' = 'unknown'): Promise<T> {
    this.requestCount += 1
    await new Promise<void>((resolve) => setImmediate(() => resolve()))
    if (this.isCutOff) throw new BackendError('unavailable', 'The store cannot be reached.')
    if (this.refusedCount === 0) return this.#isNextLost() ? lostAnswerOf(request, ifLost) : request()
    this.refusedCount -= 1
    throw new BackendError('throttled', 'The store is busy.', { throttle })
  }

  #isNextLost(): boolean {
    if (this.lostCount === 0) return false
    if (this.answeredCount > 0) {
      this.answeredCount -= 1
      return false
    }
    this.lostCount -= 1
    return true
  }
}

async function lostAnswerOf(request: () => Promise<unknown>, kind: 'unknown' | 'unavailable'): Promise<never> {
  await request()
  throw new BackendError(kind, 'The answer was lost.')
}

/** A harness with every hook for an adapter that is wrapped around a troubled store. */
export function troubled(
  adapt: (backend: Backend) => Backend = (backend) => backend,
  inner = (clock: FakeClock) => memory({ clock }),
): Harness {
  const stores = new WeakMap<Backend, TroubledStore>()
  let clock = new FakeClock()
  const storeOf = (backend: Backend) => stores.get(backend) as TroubledStore
  return {
    open() {
      clock = new FakeClock()
      const store = new TroubledStore(inner(clock))
      const backend = adapt(store.backend)
      stores.set(backend, store)
      return backend
    },
    outage(backend) {
      storeOf(backend).isCutOff = true
      return () => void (storeOf(backend).isCutOff = false)
    },
    failShard(backend, shard) {
      storeOf(backend).unreadablePlace = placeOf(shard)
      return () => void (storeOf(backend).unreadablePlace = undefined)
    },
    throttle(backend, requestCount) {
      storeOf(backend).refusedCount = requestCount
      return () => void (storeOf(backend).refusedCount = 0)
    },
    loseAnswers(backend, answeredCount, lostCount) {
      Object.assign(storeOf(backend), { answeredCount, lostCount })
      return () => void (storeOf(backend).lostCount = 0)
    },
    expire: (_, withinMs) => clock.advance(withinMs),
    requestCount: (backend) => storeOf(backend).requestCount,
  }
}

import type { Backend, CollectionStore, DirectoryDocument, ShardRef } from '../../../src/index.js'
import { memory, ownGeneration } from '../../../src/index.js'
import { decodeDirectory, type Directory } from '../../../src/routing/directory.js'
import { placeOf } from '../../../src/backend/place.js'
import type { VirtualTime } from './virtual-time.js'

/** How many earlier directories are kept, to go back to. */
const pastMax = 4

/**
 * The one store of a world: `memory()`, whose sealed places really go when their time is over, and whose directory may forget
 * its newest changes, as Redis does in a failover.
 */
export class SimulatedStore {
  /** Where records and items stand; its own directory is not used. */
  readonly inner: Backend
  /** The items, in pages that may be small. */
  readonly collections: CollectionStore
  /** Shards that are refused as throttled, by key and index. */
  readonly throttled = new Set<string>()
  isDown = false
  /** Keys that have ever had a route. */
  readonly spread = new Set<string>()
  /** Every place above shard 0 that was ever written, sealed or cleared. */
  readonly places = new Map<string, ShardRef>()
  readonly #time: VirtualTime
  #passedMs = 0
  /** Places that were cleared, when they go, and what stands for them then. */
  readonly #cleared = new Map<string, { readonly another: ShardRef; readonly goneMs: number }>()
  readonly #past: { readonly document: DirectoryDocument; readonly replacedMs: number }[] = []
  #document: DirectoryDocument = { text: undefined, version: undefined }
  #decoded: { readonly text: string; readonly directory: Directory } | undefined

  constructor(time: VirtualTime, shardsPerReadMax: number, itemsPerPageMax: number) {
    this.#time = time
    const clock = {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      setTimer: noTimer,
    }
    this.inner = memory({ clock, shardsPerReadMax })
    const items = this.inner.collections as CollectionStore
    this.collections = {
      limits: { ...items.limits, itemsPerPageMax },
      put: (put, call) => items.put(put, call),
      delete: (deletion, call) => items.delete(deletion, call),
      get: (read, call) => items.get(read, call),
      page: (page, call) => items.page(page, call),
    }
  }

  /** By which tombstones and cleared places go. */
  get nowMs(): number {
    return this.#time.nowMs + this.#passedMs
  }

  /** So much time passes in the store alone. */
  passMs(ms: number): void {
    this.#passedMs += ms
  }

  /** The directory as it stands. */
  get document(): DirectoryDocument {
    return this.#document
  }

  /** The same, decoded; undefined when there is none. */
  get directory(): Directory | undefined {
    const { text } = this.#document
    if (text === undefined) return undefined
    if (this.#decoded?.text !== text) this.#decoded = { text, directory: decodeDirectory(text) }
    return this.#decoded.directory
  }

  /** Compare and swap; answers with the new version. */
  swap(expected: string | undefined, text: string): string | undefined {
    if (this.#document.version !== expected) return undefined
    if (this.#document.text !== undefined) this.#past.push({ document: this.#document, replacedMs: this.#time.nowMs })
    if (this.#past.length > pastMax) this.#past.shift()
    const version = String(Number(expected ?? 0) + 1)
    this.#document = { text, version }
    for (const key of this.directory?.routes.keys() ?? []) this.spread.add(key)
    return version
  }

  /** The newest changes of the directory are lost, at most so many and none that is older; answers with how many. */
  forget(changesMax: number, olderMs: number): number {
    let count = 0
    for (let last = this.#past.at(-1); last !== undefined && count < changesMax; last = this.#past.at(-1)) {
      if (this.#time.nowMs - last.replacedMs > olderMs) break
      this.#document = last.document
      this.#past.pop()
      count += 1
    }
    return count
  }

  /** Where requests for a shard go: a place that has expired is as good as new. */
  placed(shard: ShardRef): ShardRef {
    if (shard.index === 0) return shard
    const place = placeOf(shard)
    if (!this.places.has(place)) this.places.set(place, shard)
    const cleared = this.#cleared.get(place)
    return cleared !== undefined && cleared.goneMs <= this.nowMs ? cleared.another : shard
  }

  /** Tombstones go in passing: something passes by every place of a key. */
  sweep(key: string): void {
    const { collections } = this
    const stamp = { timeMs: 0, order: 0, writer: '' }
    const call = { signal: new AbortController().signal }
    const own = { key, index: 0, generation: ownGeneration }
    for (const shard of [own, ...[...this.places.values()].filter((one) => one.key === key)])
      for (let i = 0; i < 3; i++)
        void collections.delete({ shard, sort: ' ', stamp, mode: 'remove', retentionMs: 0 }, call)
  }

  /** Whether a cleared place has gone: what arrives there later is seen by nobody. */
  hasExpired(shard: ShardRef): boolean {
    return (this.#cleared.get(placeOf(shard))?.goneMs ?? Infinity) <= this.nowMs
  }

  /** The store's own expiry takes a cleared place away. */
  expireLater(shard: ShardRef, retentionMs: number): void {
    const place = placeOf(shard)
    if (this.#cleared.has(place)) return
    const { number, nonce } = shard.generation
    const another = { ...shard, generation: { number, nonce: (nonce + 1) % 2 ** 32 } }
    this.#cleared.set(place, { another, goneMs: this.nowMs + retentionMs })
  }
}

function noTimer(): never {
  throw new Error('a store sets no timers')
}

import type { Backend, DirectoryDocument, ShardRef } from '../../../src/index.js'
import { memory } from '../../../src/index.js'
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
  /** Shards that are refused as throttled, by key and index. */
  readonly throttled = new Set<string>()
  isDown = false
  /** Keys that have ever had a route. */
  readonly spread = new Set<string>()
  /** Every place above shard 0 that was ever written, sealed or cleared. */
  readonly places = new Map<string, ShardRef>()
  readonly #time: VirtualTime
  readonly #expired = new Map<string, ShardRef>()
  readonly #past: DirectoryDocument[] = []
  #document: DirectoryDocument = { text: undefined, version: undefined }
  #decoded: { readonly text: string; readonly directory: Directory } | undefined

  constructor(time: VirtualTime, shardsPerReadMax: number) {
    this.#time = time
    const clock = {
      nowMs: () => time.nowMs,
      monotonicMs: () => time.nowMs,
      wallMs: () => time.nowMs,
      setTimer: noTimer,
    }
    this.inner = memory({ clock, shardsPerReadMax })
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
    if (this.#document.text !== undefined) this.#past.push(this.#document)
    if (this.#past.length > pastMax) this.#past.shift()
    const version = String(Number(expected ?? 0) + 1)
    this.#document = { text, version }
    for (const key of this.directory?.routes.keys() ?? []) this.spread.add(key)
    return version
  }

  /** The newest changes of the directory are lost; answers with how many. */
  forget(changeCount: number): number {
    const count = Math.min(changeCount, this.#past.length)
    for (let i = 0; i < count; i++) this.#document = this.#past.pop()!
    return count
  }

  /** Where requests for a shard go: a place that has expired is as good as new. */
  placed(shard: ShardRef): ShardRef {
    if (shard.index === 0) return shard
    const place = placeOf(shard)
    if (!this.places.has(place)) this.places.set(place, shard)
    return this.#expired.get(place) ?? shard
  }

  /** The store's own expiry takes a cleared place away. */
  expireLater(shard: ShardRef, retentionMs: number): void {
    const { number, nonce } = shard.generation
    const another = { ...shard, generation: { number, nonce: (nonce + 1) % 2 ** 32 } }
    this.#time.after(retentionMs, () => this.#expired.set(placeOf(shard), another))
  }
}

function noTimer(): never {
  throw new Error('a store sets no timers')
}

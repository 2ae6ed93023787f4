// Problem: places that may go must go, or whoever writes one a second fills the memory; and no write may take time for all of them.
// Scheme: a map from place to shard. Those that expire stand in a second one, as in a queue: with each further one that is said to
//   expire a few are looked at, of which those whose time is over go and the others stand behind all.
// Invariants: a place whose time is over is never found; of places that are over there are at most about a third as many as of
//   those that are not.
// Cost: a map look-up; of a place that expires a look at the clock.
// Source: memory-backend.ts.

import type { Clock } from '../time/clock.js'
import { StoredShard } from './stored-shard.js'

/** So many are looked at for each one that comes. */
const sweptMax = 4

/** The shards of a store, by place. */
export class StoredShards {
  readonly #shards = new Map<string, StoredShard>()
  readonly #expiring = new Set<string>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many there are, with those that nobody has looked at since they may go. */
  get count(): number {
    return this.#shards.size
  }

  /** What stands at a place; undefined where nothing does. */
  get(place: string): StoredShard | undefined {
    const shard = this.#shards.get(place)
    if (shard === undefined || shard.goneMs === Infinity || shard.goneMs > this.#clock.nowMs()) return shard
    this.#remove(place)
    return undefined
  }

  /** The same; made where there is nothing. */
  at(place: string): StoredShard {
    let shard = this.get(place)
    if (shard === undefined) {
      shard = new StoredShard(place)
      this.#shards.set(place, shard)
    }
    return shard
  }

  /** From so many milliseconds on what stands at a place is gone. */
  expire(place: string, afterMs: number): void {
    const nowMs = this.#clock.nowMs()
    const shard = this.#shards.get(place)
    if (shard === undefined) return
    shard.goneMs = nowMs + afterMs
    this.#expiring.add(place)
    this.#sweep(nowMs)
  }

  #sweep(nowMs: number): void {
    let left = Math.min(sweptMax, this.#expiring.size)
    for (const place of this.#expiring) {
      if (left-- === 0) return
      this.#expiring.delete(place)
      if ((this.#shards.get(place)?.goneMs ?? 0) > nowMs) this.#expiring.add(place)
      else this.#shards.delete(place)
    }
  }

  #remove(place: string): void {
    this.#shards.delete(place)
    this.#expiring.delete(place)
  }
}

import type { ShardPage, StoredItem } from '../backend/collection-store.js'
import { unitsOf } from '../backend/guarded-backend.js'
import type { RouteStamp } from '../backend/request.js'
import type { ShardRef } from '../operation.js'
import { type ItemReadParts, requestItems } from './item-request.js'

/** What is read: the items of a range, in an order. */
export type SortRange = Pick<ShardPage, 'sortType' | 'lower' | 'upper' | 'order'>

/** One shard's items of a range, read a part at a time and handed out one by one. */
export class ShardReader {
  /** The stamp that shard 0 brought back. */
  route: RouteStamp | undefined
  /** When the items that are held began to be read. */
  heldSinceMs = Infinity
  readonly #parts: ItemReadParts
  readonly #shard: ShardRef
  #range: SortRange
  #items: readonly StoredItem[] = []
  #at = 0
  #isAtEnd = false

  constructor(parts: ItemReadParts, shard: ShardRef, range: SortRange) {
    this.#parts = parts
    this.#shard = shard
    this.#range = range
  }

  /** How many items are held. */
  get heldCount(): number {
    return this.#items.length - this.#at
  }

  /** Whether nothing is left to be read from the store. */
  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** The first of the items that are held. */
  get head(): StoredItem | undefined {
    return this.#items[this.#at]
  }

  /** Takes the first of the items that are held. */
  drop(): void {
    this.#at += 1
    if (this.heldCount === 0) this.heldSinceMs = Infinity
  }

  /** Reads up to `limit` items more; at least one, unless the range ends. */
  async fetch(limit: number, untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { store, consistency, clock } = this.#parts
    const beganMs = clock.nowMs()
    const { key, index: shardIndex } = this.#shard
    const before = this.heldCount
    while (!this.#isAtEnd && this.heldCount === before) {
      const page: ShardPage = { shard: this.#shard, ...this.#range, limit, consistency }
      const answer = await requestItems(this.#parts, { key, shardIndex, untilMs, signal }, (call) =>
        store.page(page, call),
      )
      this.#parts.onRequest(key, unitsOf(answer))
      for (const throttle of answer.throttles ?? []) this.#parts.onThrottle(key, shardIndex, throttle)
      this.route ??= answer.route
      this.#items = before === 0 ? answer.items : [...this.#items.slice(this.#at), ...answer.items]
      this.#at = 0
      if (answer.items.length > 0) this.heldSinceMs = Math.min(this.heldSinceMs, beganMs)
      if (answer.next === undefined) this.#isAtEnd = true
      else this.#range = behind(this.#range, answer.next)
    }
  }
}

/** What is left of a range behind a sort value. */
export function behind(range: SortRange, sort: NonNullable<StoredItem['sort']>): SortRange {
  const bound = { sort, isIncluded: false }
  return range.order === 'ascending' ? { ...range, lower: bound } : { ...range, upper: bound }
}

import { compareSort } from '../item/sort-value.js'
import type { ShardReader } from './shard-reader.js'

/** Readers that hold items, of which the one with the earliest is known: a binary heap. */
export class HeadHeap {
  readonly #direction: 1 | -1
  #readers: ShardReader[] = []

  /** `direction` is -1 where later sort values come first. */
  constructor(direction: 1 | -1) {
    this.#direction = direction
  }

  /** Holds those readers that hold items, and no others. */
  fill(readers: readonly ShardReader[]): void {
    this.#readers = readers.filter(({ heldCount }) => heldCount > 0)
    for (let i = (this.#readers.length >> 1) - 1; i >= 0; i--) this.#sink(i)
  }

  /** The reader with the earliest item. */
  get first(): ShardReader | undefined {
    return this.#readers[0]
  }

  /** To be called when the first reader has dropped an item. */
  settle(): void {
    if (this.#readers[0]?.head === undefined) {
      const last = this.#readers.pop()
      if (this.#readers.length === 0 || last === undefined) return
      this.#readers[0] = last
    }
    this.#sink(0)
  }

  #sink(from: number): void {
    const readers = this.#readers
    const sinking = readers[from] as ShardReader
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= readers.length) break
      if (child + 1 < readers.length && this.#isBefore(readers[child + 1], readers[child])) child += 1
      if (!this.#isBefore(readers[child], sinking)) break
      readers[at] = readers[child] as ShardReader
      at = child
    }
    readers[at] = sinking
  }

  #isBefore(a: ShardReader | undefined, b: ShardReader | undefined): boolean {
    const [first, second] = [a?.head, b?.head]
    return first !== undefined && second !== undefined && this.#direction * compareSort(first.sort, second.sort) < 0
  }
}

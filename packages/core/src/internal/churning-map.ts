/** So many entries are set before the table is looked at again, and at least so many for each that is there. */
const setCountMin = 1_024
const setsPerEntry = 8

/**
 * A Map for entries that come and go in no time. V8 gives a Map another table whenever it has grown, shrunk or filled with
 * deleted entries, and the old table points to the new one for the sake of iterators. Once a table has reached the old generation,
 * as that of an idle Map does, all tables after it survive minor collections with every entry that ever stood in them:
 * a quarter of the time of a cold write went into copying dead entries. So the live ones move to a new Map now and then.
 *
 * Source: V8's ordered-hash-table.h, «NextTable»; measured by benchmarks/micro/cold-path.bench.ts.
 */
export class ChurningMap<Key, Value> {
  #map = new Map<Key, Value>()
  #setCount = 0

  /** How many entries there are. */
  get size(): number {
    return this.#map.size
  }

  /** The value of a key; undefined when there is none. */
  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  /** Sets the value of a key. An iteration that is under way may miss it. */
  set(key: Key, value: Value): void {
    this.#setCount += 1
    if (this.#setCount >= setCountMin && this.#setCount >= setsPerEntry * this.#map.size) {
      this.#map = new Map(this.#map)
      this.#setCount = 0
    }
    this.#map.set(key, value)
  }

  /** Deletes a key; says whether it was there. */
  delete(key: Key): boolean {
    return this.#map.delete(key)
  }

  /** All values, oldest first. */
  values(): IterableIterator<Value> {
    return this.#map.values()
  }
}

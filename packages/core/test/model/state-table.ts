const noRecord = -1

/**
 * A set of records of one length that remembers the order in which they came and which record each came from: the states that a
 * breadth-first search has seen and, from a cursor on, its queue. Costs the record's bytes, and 12 to 20 more.
 */
export class StateTable {
  readonly #recordBytes: number
  #records: Uint8Array
  #parents: Int32Array
  /** Open addressing: each slot holds a record's index. */
  #slots: Int32Array
  #count = 0

  /** Makes an empty table for records of so many bytes. */
  constructor(recordBytes: number) {
    this.#recordBytes = recordBytes
    this.#records = new Uint8Array(recordBytes * 1_024)
    this.#parents = new Int32Array(1_024)
    this.#slots = new Int32Array(2_048).fill(noRecord)
  }

  /** How many records are in it. */
  get count(): number {
    return this.#count
  }

  /** Adds a record unless it is there already; says whether it was added. */
  add(record: Uint8Array, parent: number): boolean {
    if (this.#count === this.#parents.length) this.#grow()
    const slot = this.#slotOf(record)
    if (this.#slots[slot] !== noRecord) return false
    this.#records.set(record, this.#count * this.#recordBytes)
    this.#parents[this.#count] = parent
    this.#slots[slot] = this.#count
    this.#count += 1
    return true
  }

  /** The record that came as number `index`. Good until the next record is added. */
  at(index: number): Uint8Array {
    return this.#records.subarray(index * this.#recordBytes, (index + 1) * this.#recordBytes)
  }

  /** The indexes of the records that led to `index`, first to last, itself included. */
  pathTo(index: number): readonly number[] {
    const path: number[] = []
    for (let at = index; at >= 0; at = this.#parents[at]!) path.push(at)
    return path.toReversed()
  }

  /** The slot of an equal record, or the empty one where it belongs. */
  #slotOf(record: Uint8Array): number {
    const mask = this.#slots.length - 1
    for (let slot = hashOf(record, 0, record.length) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!
      if (index === noRecord || this.#isEqual(record, index)) return slot
    }
  }

  #isEqual(record: Uint8Array, index: number): boolean {
    const start = index * this.#recordBytes
    for (let i = 0; i < record.length; i++) if (this.#records[start + i] !== record[i]) return false
    return true
  }

  #grow(): void {
    const records = new Uint8Array(this.#records.length * 2)
    records.set(this.#records)
    this.#records = records
    const parents = new Int32Array(this.#parents.length * 2)
    parents.set(this.#parents)
    this.#parents = parents
    this.#slots = new Int32Array(this.#slots.length * 2).fill(noRecord)
    const mask = this.#slots.length - 1
    for (let index = 0; index < this.#count; index++) {
      const start = index * this.#recordBytes
      let slot = hashOf(records, start, start + this.#recordBytes) & mask
      while (this.#slots[slot] !== noRecord) slot = (slot + 1) & mask
      this.#slots[slot] = index
    }
  }
}

/** FNV-1a, with the high bits mixed down, since slots are chosen by the low ones. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

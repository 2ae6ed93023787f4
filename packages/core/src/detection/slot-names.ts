/** A key's characters may take two bytes each, and V8 puts a header of 16 bytes before them. */
const stringHeaderBytes = 16
const bytesPerUnit = 2

/** A name's fixed part: the pointer to the string (8), its slot (4) and its place in the list of free names (4). */
const nameBytes = 16

/** So much of the budget goes to fixed parts as keys of 16 characters need. */
const typicalStringBytes = stringHeaderBytes + bytesPerUnit * 16

/**
 * Which slots of a {@link HeatTable} have their key remembered: a fingerprint cannot be turned back into a key, and only
 * keys that may be hot are worth the memory. Bounded in names and in the bytes of their strings.
 */
export class SlotNames {
  /** Slot to name; 0 for none. 16 bits, because the names are far fewer than the slots. */
  readonly #nameOf: Uint16Array
  readonly #slotOf: Uint32Array
  readonly #keys: (string | undefined)[]
  readonly #free: Uint32Array
  #freeCount: number
  #stringBytesLeft: number

  /** Room for the keys of `slotCount` slots in `bytesMax` bytes, beside the two bytes that every slot takes. */
  constructor(slotCount: number, bytesMax: number) {
    const count = Math.min(Math.floor(bytesMax / (nameBytes + typicalStringBytes)), 0xffff)
    this.#nameOf = new Uint16Array(slotCount)
    this.#slotOf = new Uint32Array(count + 1)
    this.#keys = Array.from<string | undefined>({ length: count + 1 }).fill(undefined)
    this.#free = Uint32Array.from({ length: count }, (_, i) => count - i)
    this.#freeCount = count
    this.#stringBytesLeft = bytesMax - count * nameBytes
  }

  /** Whether the slot's key is remembered. */
  has(slot: number): boolean {
    return this.#nameOf[slot] !== 0
  }

  /** The slot's key, if it is remembered. */
  keyOf(slot: number): string | undefined {
    return this.#keys[this.#nameOf[slot] ?? 0]
  }

  /** Remembers the key of a slot that has no name. False, and nothing done, if there is no room. */
  give(slot: number, key: string): boolean {
    const bytes = stringBytes(key)
    if (this.#freeCount === 0 || bytes > this.#stringBytesLeft) return false
    this.#stringBytesLeft -= bytes
    this.#freeCount -= 1
    const name = this.#free[this.#freeCount] as number
    this.#keys[name] = key
    this.#slotOf[name] = slot
    this.#nameOf[slot] = name
    return true
  }

  /** Forgets the slot's key, if it is remembered. */
  take(slot: number): void {
    const name = this.#nameOf[slot] as number
    if (name === 0) return
    this.#stringBytesLeft += stringBytes(this.#keys[name] ?? '')
    this.#nameOf[slot] = 0
    this.#keys[name] = undefined
    this.#free[this.#freeCount] = name
    this.#freeCount += 1
  }

  /** The slots that have a name, in no particular order. */
  slots(): number[] {
    const slots: number[] = []
    for (let name = 1; name < this.#keys.length; name++) {
      if (this.#keys[name] !== undefined) slots.push(this.#slotOf[name] as number)
    }
    return slots
  }
}

function stringBytes(key: string): number {
  return stringHeaderBytes + bytesPerUnit * key.length
}

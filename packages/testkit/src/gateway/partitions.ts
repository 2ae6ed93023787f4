// Problem: no local engine has partitions, so nothing is ever hot in one.
// Scheme: keys are hashed to partitions, each with a bucket of write units and one of read units, which fill at the partition's
//   rate and hold some seconds of it.
// Invariants: a partition serves at most rate × (t + burst) units in t seconds, but for what an item turns out to cost beyond
//   what was taken for it: that is charged afterwards, as a debt.
// Cost: a hash and a bucket a key.
// Source: bp-partition-key-design.html, burst-adaptive-capacity.html. DynamoDB does not disclose its hash; neither splits for
//   heat nor adaptive capacity are imitated.

/** How a table is cut up. */
export interface PartitionOptions {
  /** How many partitions. @default 4 */
  readonly count?: number
  /** Write units a second of one of them. @default 1000 */
  readonly writeUnitsPerSecond?: number
  /** Read units a second of one of them. @default 3000 */
  readonly readUnitsPerSecond?: number
  /** So many seconds of unused units are kept. @default 1 */
  readonly burstSeconds?: number
}

/** What a request takes its units from. */
export type Direction = 'Read' | 'Write'

/** The partitions of all tables behind a gateway. */
export class Partitions {
  readonly #lanes: readonly Readonly<Record<Direction, Bucket>>[]

  constructor(options: PartitionOptions, nowMs: number) {
    const { count = 4, writeUnitsPerSecond = 1_000, readUnitsPerSecond = 3_000, burstSeconds = 1 } = options
    this.#lanes = Array.from({ length: count }, () => ({
      Read: new Bucket(readUnitsPerSecond, burstSeconds, nowMs),
      Write: new Bucket(writeUnitsPerSecond, burstSeconds, nowMs),
    }))
  }

  /** Takes units for a key; false when its partition has none left, and then nothing is taken. */
  admit(key: string, direction: Direction, units: number, nowMs: number): boolean {
    return this.#at(key)[direction].take(units, nowMs, 0)
  }

  /** Takes units that turned out to be needed. */
  charge(key: string, direction: Direction, units: number, nowMs: number): void {
    if (units > 0) this.#at(key)[direction].take(units, nowMs, Infinity)
  }

  #at(key: string): Readonly<Record<Direction, Bucket>> {
    let hash = 0x811c9dc5
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    const lane = this.#lanes[((hash ^ (hash >>> 13)) >>> 0) % this.#lanes.length]
    return lane as Readonly<Record<Direction, Bucket>>
  }
}

class Bucket {
  readonly #unitsPerMs: number
  readonly #unitsMax: number
  #units: number
  #atMs: number

  constructor(unitsPerSecond: number, burstSeconds: number, nowMs: number) {
    this.#unitsPerMs = unitsPerSecond / 1_000
    this.#unitsMax = unitsPerSecond * burstSeconds
    this.#units = this.#unitsMax
    this.#atMs = nowMs
  }

  take(units: number, nowMs: number, debtMax: number): boolean {
    this.#units = Math.min(this.#unitsMax, this.#units + Math.max(0, nowMs - this.#atMs) * this.#unitsPerMs)
    this.#atMs = nowMs
    if (this.#units + debtMax < units) return false
    this.#units -= units
    return true
  }
}

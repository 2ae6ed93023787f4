import { CapacityLane } from './capacity-lane.js'
import { partitionOf } from './partition-map.js'
import type { ThrottleReason } from './simulated-throttle.js'
import { TokenBucket } from './token-bucket.js'

/** What a provisioned table was given. */
export interface ProvisionedThroughput {
  /** Write units a second of the whole table. */
  readonly writeUnitsPerSecond: number
  /** Read units a second of the whole table. */
  readonly readUnitsPerSecond: number
  /** How many seconds of unused capacity are saved up to begin with, at most 300. @default 0 */
  readonly savedSeconds?: number
  /**
   * True: adaptive capacity lends a partition whatever the table has, at once. False: each partition keeps to its equal
   * share and its own savings, as before 2018. @default true
   */
  readonly isAdaptive?: boolean
}

/** A table's size and speed, resolved. */
export interface TableShape {
  readonly partitionCount: number
  readonly seed: number
  readonly writeUnitsPerSecond: number
  readonly readUnitsPerSecond: number
  readonly provisioned: ProvisionedThroughput | undefined
}

/** Reads and writes of one partition. */
export interface Partition {
  readonly write: CapacityLane
  readonly read: CapacityLane
}

/** What one partition has done. */
export interface PartitionUse {
  /** Writes that reached it, refused ones included. */
  readonly writes: number
  /** Shards that reads asked of it, refused ones included. */
  readonly reads: number
  /** Write units consumed. */
  readonly unitsWritten: number
  /** Read units consumed. */
  readonly unitsRead: number
  /** What it refused, by reason. */
  readonly throttled: Partial<Record<ThrottleReason, number>>
  /** The part of its write cap in use over about the last second. */
  readonly writeUtilisation: number
  /** The part of its read cap in use over about the last second. */
  readonly readUtilisation: number
}

/** Savings of at most so many seconds of unused capacity: burst-adaptive-capacity.html. */
export const savedSecondsMax = 300

/** The partitions of one table. */
export class PartitionTable {
  readonly #partitions: readonly Partition[]
  readonly #seed: number

  constructor(shape: TableShape, nowMs: number) {
    this.#seed = shape.seed
    const writeShare = sharesOf(shape, shape.provisioned?.writeUnitsPerSecond, nowMs)
    const readShare = sharesOf(shape, shape.provisioned?.readUnitsPerSecond, nowMs)
    this.#partitions = Array.from({ length: shape.partitionCount }, () => ({
      write: new CapacityLane('Write', shape.writeUnitsPerSecond, writeShare(), nowMs),
      read: new CapacityLane('Read', shape.readUnitsPerSecond, readShare(), nowMs),
    }))
  }

  /** The partition that a place lies in. */
  at(place: string): Partition {
    return this.#partitions[partitionOf(place, this.#partitions.length, this.#seed)] as Partition
  }

  /** What each partition has done. */
  use(nowMs: number): readonly PartitionUse[] {
    return this.#partitions.map(({ write, read }) => ({
      writes: write.requests,
      reads: read.requests,
      unitsWritten: write.units,
      unitsRead: read.units,
      throttled: { ...write.throttled, ...read.throttled },
      writeUtilisation: write.utilisation(nowMs),
      readUtilisation: read.utilisation(nowMs),
    }))
  }
}

/** What the partitions pay from: one bucket for all with adaptive capacity, one each without, none on demand. */
function sharesOf(shape: TableShape, unitsPerSecond: number | undefined, nowMs: number): () => TokenBucket | undefined {
  if (shape.provisioned === undefined || unitsPerSecond === undefined) return () => undefined
  const savedSeconds = shape.provisioned.savedSeconds ?? 0
  const bucket = (rate: number) => new TokenBucket(rate, rate * (1 + savedSecondsMax), rate * (1 + savedSeconds), nowMs)
  if (shape.provisioned.isAdaptive === false) return () => bucket(unitsPerSecond / shape.partitionCount)
  const whole = bucket(unitsPerSecond)
  return () => whole
}

import type { PartitionUse } from './partition-table.js'
import type { ThrottleReason } from './simulated-throttle.js'

/** How many requests of each sort were sent, refused ones included. */
export interface RequestCounters {
  /** Writes; seals and absorbs are writes as well, and so are puts and deletes of items. An append of several counts once. */
  readonly writeRequests: number
  /** Reads, pages among them; a read of several shards counts once. */
  readonly readRequests: number
  /** Directory requests; in no other number unless the directory is throttled. */
  readonly directoryRequests: number
}

/** What a `PartitionedBackend` has served and refused. */
export interface PartitionCounters extends RequestCounters {
  /** Write units consumed. */
  readonly unitsWritten: number
  /** Read units consumed. */
  readonly unitsRead: number
  /** Items of collections that were read, tombstones among them. */
  readonly itemsRead: number
  /** Writes, items of appends and shards of reads that were refused. */
  readonly throttledAttempts: number
  /** The same by reason; only reasons that came up. */
  readonly throttled: Partial<Record<ThrottleReason, number>>
  /** Each partition's part. */
  readonly partitions: readonly PartitionUse[]
}

/** Adds up what the partitions have done. */
export function countersOf(
  counted: RequestCounters & Pick<PartitionCounters, 'itemsRead'>,
  partitions: readonly PartitionUse[],
): PartitionCounters {
  const throttled: Partial<Record<ThrottleReason, number>> = {}
  let [unitsWritten, unitsRead, throttledAttempts] = [0, 0, 0]
  for (const partition of partitions) {
    unitsWritten += partition.unitsWritten
    unitsRead += partition.unitsRead
    for (const [reason, count] of Object.entries(partition.throttled) as [ThrottleReason, number][]) {
      throttled[reason] = (throttled[reason] ?? 0) + count
      throttledAttempts += count
    }
  }
  return { ...counted, unitsWritten, unitsRead, throttledAttempts, throttled, partitions }
}

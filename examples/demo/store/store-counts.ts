/** What a store has served since it was opened, counted at its door: repeated attempts and refused ones are requests, too. */
export interface StoreCounts {
  /** Requests that write to shards. */
  writeRequests: number
  /** Requests that read shards. */
  readRequests: number
  /** Shards that those requests asked for. */
  shardsRead: number
  /** Requests that read the directory of routes. */
  directoryReads: number
  /** Requests that swap it. */
  directorySwaps: number
  /** Attempts to write that were throttled. */
  writesThrottled: number
  /** Attempts to read a shard that were throttled. */
  readsThrottled: number
  /** Capacity units consumed by writes, those of the directory included; NaN for a store that has no such thing. */
  writeUnits: number
  /** Likewise, by reads. */
  readUnits: number
}

/** All zero, but for the units of a store that has none. */
export function noCounts(hasUnits = true): StoreCounts {
  const units = hasUnits ? 0 : NaN
  return {
    writeRequests: 0,
    readRequests: 0,
    shardsRead: 0,
    directoryReads: 0,
    directorySwaps: 0,
    writesThrottled: 0,
    readsThrottled: 0,
    writeUnits: units,
    readUnits: units,
  }
}

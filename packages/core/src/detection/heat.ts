/** What can be done with a key. Each side has a threshold, rates and a state of its own. */
export type Side = 'write' | 'read'

/** Both sides. */
export const sides = ['write', 'read'] as const satisfies readonly Side[]

/**
 * The rates of a key in this process, a second, as of the last tick. Logical rates count what the application asked for and
 * decide about collapsing; physical rates count requests and the capacity units they consumed and decide about spreading.
 * Logical rates are known for every key with an entry; physical rates are counted from a quarter of the threshold on.
 */
export interface Heat {
  /** Writes that the application asked for. */
  readonly logicalWritesPerSecond: number
  /** Write requests to the backend. */
  readonly physicalWritesPerSecond: number
  /** Capacity units that the write requests consumed. */
  readonly writeUnitsPerSecond: number
  /** Reads that the application asked for. */
  readonly logicalReadsPerSecond: number
  /** Read requests to the backend. */
  readonly physicalReadsPerSecond: number
  /** Capacity units that the read requests consumed. */
  readonly readUnitsPerSecond: number
  /** Throttled requests of both sides, for whatever reason. */
  readonly throttlesPerSecond: number
  /** How far above the truth the logical rates may be: what the key inherited with its entry and has not outlived. */
  readonly estimateErrorPerSecond: number
  /** Whether writes are hot: they are collapsed over a window. */
  readonly isWriteHot: boolean
  /** Whether reads are hot. */
  readonly isReadHot: boolean
  /** Whether write throttles of late speak for the key being hot itself, and not a victim of others on its partition. */
  readonly isWriteThrottled: boolean
  /** The same for reads. */
  readonly isReadThrottled: boolean
}

/** A hot key with its rates. */
export interface KeyHeat extends Heat {
  /** The key. */
  readonly key: string
  /** The key's part of all logical operations of this process, writes and reads together, 0 to 1. */
  readonly share: number
}

/** A key that turned hot or cold on one side. */
export interface HeatChange {
  /** The key. */
  readonly key: string
  /** The side whose state changed. */
  readonly side: Side
  /** The new state. */
  readonly state: 'hot' | 'cold'
}

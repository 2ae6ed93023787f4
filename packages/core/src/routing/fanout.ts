import { nextPowerOfTwo } from '../internal/power-of-two.js'

/** What a fanout is decided from. */
export interface FanoutNeed {
  /** Capacity units that the key's writes consume a second, over all shards. */
  readonly writeUnitsPerSecond: number
  /** Whether the store has throttled the key lately, and the key is not just a neighbour of the cause. */
  readonly isThrottled: boolean
  /** How many shards writes go to now. */
  readonly writeFanout: number
}

/** What bounds it. */
export interface FanoutBounds {
  /** What one shard may be planned to consume: the partition's capacity × target utilization. */
  readonly unitsPerShard: number
  /** See `ShardingOptions.fanoutMax`. */
  readonly fanoutMax: number
}

/** A shard that gets less than this of its planned share from this process is throttled for its neighbours' sake: spreading it further would not help. */
const throttledShareMin = 1 / 200

/**
 * How many shards a key should have: the next power of two that brings each below its planned share. A throttle doubles it
 * even when the key's own rate is not over the limit, since two half-hot keys, or many processes, may meet in one partition.
 */
export function fanoutFor(need: FanoutNeed, bounds: FanoutBounds): number {
  const byRate = nextPowerOfTwo(need.writeUnitsPerSecond / bounds.unitsPerShard)
  const perShard = need.writeUnitsPerSecond / need.writeFanout
  const byThrottle = need.isThrottled && perShard >= bounds.unitsPerShard * throttledShareMin ? need.writeFanout * 2 : 1
  return Math.min(bounds.fanoutMax, Math.max(byRate, byThrottle))
}

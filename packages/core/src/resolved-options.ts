import type { Backend } from './backend/backend.js'
import type { Random } from './chance/random.js'
import type { ResolvedDetectionOptions } from './detection/detection.js'
import type { ShardingRule } from './options.js'
import type { Spool } from './spool/spool.js'
import type { Clock } from './time/clock.js'

/** Options with every default filled in and every value checked. Stages take nothing else. */
export interface ResolvedOptions {
  readonly backend: Backend
  readonly clock: Clock
  readonly random: Random
  readonly consistency: 'strong' | 'eventual'
  readonly collapse: { readonly windowMs: number }
  readonly detection: ResolvedDetectionOptions
  readonly routing: ResolvedRoutingOptions
  readonly sharding: ResolvedShardingOptions
  readonly gather: ResolvedGatherOptions
  readonly limits: ResolvedLimits
  readonly spool: Spool | undefined
}

/** See `RoutingOptions`. */
export interface ResolvedRoutingOptions {
  readonly refreshMs: number
  readonly leaseMs: number
  readonly retryHorizonMs: number
  readonly sealRetentionMs: number
  readonly directoryBytesMax: number
  readonly directoryCopies: number
}

/** See `ShardingOptions`. */
export interface ResolvedShardingOptions {
  readonly fanoutMax: number
  readonly targetUtilization: number
  readonly coolMs: number
  readonly rules: readonly ShardingRule[]
}

/** See `GatherOptions`. */
export interface ResolvedGatherOptions {
  readonly concurrencyMax: number
  readonly shardTimeoutMs: number
}

/** See `LimitOptions`. */
export interface ResolvedLimits {
  readonly keysMax: number
  readonly bytesMax: number
  readonly atLimit: 'wait' | 'reject'
  readonly waitersMax: number
  readonly requestTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly clockSkewMaxMs: number
}

/** How long a tombstone stays: an older operation may have begun just before, send its last request a horizon later, and that may live as long. */
export function tombstoneMs({ routing, limits }: ResolvedOptions): number {
  return 2 * routing.retryHorizonMs + routing.leaseMs + limits.clockSkewMaxMs
}

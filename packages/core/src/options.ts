import type { Backend } from './backend/backend.js'
import type { Random } from './chance/random.js'
import type { Spool } from './spool/spool.js'
import type { Clock } from './time/clock.js'

/** What `createClient` takes. Only `backend` is needed. */
export interface ClientOptions {
  /** Where the data lives: `memory()`, or an adapter's. */
  readonly backend: Backend
  /** Merging writes in time. */
  readonly collapse?: CollapseOptions
  /** Finding hot keys. */
  readonly detection?: DetectionOptions
  /** Agreeing on routes with the other clients of the backend. */
  readonly routing?: RoutingOptions
  /** Spreading hot keys over shards. */
  readonly sharding?: ShardingOptions
  /** Reading shards. */
  readonly gather?: GatherOptions
  /**
   * Where changes to records that are written with `ack: 'buffered'` are kept until they are in the backend, so that they survive
   * the process: `spool()` of `@spillway/spool`. Opened and closed by the client. @default none: they are lost with the process
   */
  readonly spool?: Spool
  /** Bounds on what is held in memory and waited for. */
  readonly limits?: LimitOptions
  /** `strong` reads see every acknowledged write. `eventual` reads cost half in DynamoDB and waive that promise. @default 'strong' */
  readonly consistency?: 'strong' | 'eventual'
  /** Where time comes from. @default the machine's */
  readonly clock?: Clock
  /** Where chance comes from. @default the machine's */
  readonly random?: Random
}

/** Merging writes in time. */
export interface CollapseOptions {
  /**
   * A hot key is written at most once in so many milliseconds by this client, so callers that await it wait about as long. With
   * 0 its next write leaves as soon as the one before has landed: the least latency, for more requests. 0 to 60,000. @default 100
   */
  readonly windowMs?: number
}

/** Finding hot keys. */
export interface DetectionOptions {
  /** Memory for all counters. 4,096 to 67,108,864 bytes. @default 65_536 */
  readonly bytesMax?: number
  /** After so long without traffic a rate is estimated at half. 10 to 600,000. @default 250 */
  readonly halfLifeMs?: number
  /** How often hot and cold are decided. 5 to 1,000. @default 50 */
  readonly tickMs?: number
  /** From so many writes a second (or capacity units, if more) a key is hot: its writes wait for their window. @default a tenth of what a partition serves */
  readonly hotWritesPerSecond?: number
  /** From so many reads a second (or capacity units, if more) a key is reported as hot. @default a tenth of what a partition serves */
  readonly hotReadsPerSecond?: number
  /** A hot key is cold again once its rate has stayed below half the threshold for so long. 0 to 86,400,000. @default 5_000 */
  readonly coolMs?: number
}

/** Agreeing on routes. `leaseMs`, `retryHorizonMs` and `sealRetentionMs` must be the same for every client of a backend. */
export interface RoutingOptions {
  /** How often the directory is fetched. Less than `leaseMs`. @default 1_000 */
  readonly refreshMs?: number
  /** How long a fetched directory may be acted upon. @default 3_000 */
  readonly leaseMs?: number
  /** How long a write whose outcome is unknown may be sent again. @default 300_000 */
  readonly retryHorizonMs?: number
  /** How long a sealed shard is kept. @default 86_400_000 */
  readonly sealRetentionMs?: number
  /** The most bytes that the directory may take. 1,024 to 262,144. @default 32_768 */
  readonly directoryBytesMax?: number
  /**
   * In how many places the directory is kept, of which each client reads one: for fleets that read it more often than one
   * partition serves. Every change is written to all of them. The same for every client of a backend. 1 to 16. @default 1
   */
  readonly directoryCopies?: number
}

/** Spreading hot keys. */
export interface ShardingOptions {
  /** The most shards that one key may have; a power of two up to 1,024. 1 never spreads. @default 64 */
  readonly fanoutMax?: number
  /** The share of a partition's capacity that one shard may be planned to use. Above 0, up to 1. @default 0.7 */
  readonly targetUtilization?: number
  /**
   * A key is merged back once fewer shards have been enough for so long, twice its rate included. Longer means fewer changes of
   * its route, and reads of all its shards meanwhile. No shorter than four `routing.leaseMs` (12 s), whatever is set, and it
   * begins only when the smoothed rate has fallen, by a quarter in each third of a lease: some 8 s for a key on 8 shards that is
   * written no more. 0 to 86,400,000. @default 60_000
   */
  readonly coolMs?: number
  /** Keys that are known to be hot; they pass the same phases. The first rule that matches counts. @default none */
  readonly rules?: readonly ShardingRule[]
}

/** Declares keys to be hot. */
export interface ShardingRule {
  /** A key as it is stored, the record's prefix included, or a pattern for such keys. */
  readonly match: string | RegExp
  /** How many shards; a power of two from 2 up to `fanoutMax`. */
  readonly fanout: number
}

/** Reading shards. */
export interface GatherOptions {
  /** How many requests one read makes at a time, where a backend needs several. 1 to 1,024. @default 16 */
  readonly concurrencyMax?: number
  /** After so long no request for a shard is sent again; if the last one fails, too, the shard is missing. 1 to 600,000. @default 2_000 */
  readonly shardTimeoutMs?: number
}

/** Bounds. */
export interface LimitOptions {
  /** How many keys may have changes that are not yet written, and likewise reads under way. @default 100_000 */
  readonly keysMax?: number
  /** How many bytes those changes may take. @default 67_108_864 */
  readonly bytesMax?: number
  /** What happens to a call at a bound: it waits its turn, or rejects with `LIMIT_REACHED`. @default 'wait' */
  readonly atLimit?: 'wait' | 'reject'
  /** How many calls may wait; the next rejects with `LIMIT_REACHED`. @default 10_000 */
  readonly waitersMax?: number
  /** After so long without an answer a request is taken as lost and sent again. 1 to 600,000, at most `writeTimeoutMs`. @default 1_000 */
  readonly requestTimeoutMs?: number
  /** After so long no write is sent again: when its last attempt fails, too, it is given up. Less than `routing.retryHorizonMs`. @default 10_000 */
  readonly writeTimeoutMs?: number
  /** A stamp so far ahead of this machine's clock is not followed. @default 60_000 */
  readonly clockSkewMaxMs?: number
}

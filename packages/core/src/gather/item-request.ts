import type { CollectionStore } from '../backend/collection-store.js'
import { asBackendError, type ThrottleDetail, throttlesOf } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import type { Call, RouteStamp } from '../backend/request.js'
import type { Random } from '../chance/random.js'
import { ReadFailedError } from '../errors/read-error.js'
import { rejectOnAbort } from '../internal/abort.js'
import { backoffMs } from '../internal/backoff.js'
import type { ResolvedGatherOptions } from '../resolved-options.js'
import type { ItemHash } from '../routing/item-hash.js'
import type { Routing } from '../routing/routing.js'
import type { Snapshot } from '../routing/snapshot.js'
import type { Clock } from '../time/clock.js'
import { forgottenBy, restoreRoute } from './forgotten-route.js'
import type { Hedge } from './hedge.js'

/** What reading items needs from the stages around it. */
export interface ItemReadParts {
  readonly store: CollectionStore
  readonly routing: Routing
  readonly hash: ItemHash
  readonly clock: Clock
  readonly random: Random
  readonly options: ResolvedGatherOptions
  readonly leaseMs: number
  readonly consistency: 'strong' | 'eventual'
  readonly shardsPerReadMax: number
  readonly requestTimeoutMs: number
  /** Undefined where slow requests are waited for. */
  readonly hedge: Hedge | undefined
  /** A request has been answered; `units` is what the store told, or undefined. */
  onRequest(key: string, units: number | undefined): void
  /** A shard was throttled. */
  onThrottle(key: string, shardIndex: number, throttle: ThrottleDetail): void
}

/** Where a request of a read goes, and until when it is sent again. */
export interface ItemRequest {
  readonly key: string
  readonly shardIndex: number
  readonly untilMs: number
  readonly signal: AbortSignal | undefined
}

/** How often a read is thrown away because its lease ended meanwhile. */
export const attemptsMax = 5

/** Sends a request of a read, again with back-off while that may help. Rejects with `READ_FAILED`, or with the signal's reason. */
export async function requestItems<T>(
  parts: ItemReadParts,
  { key, shardIndex, untilMs, signal }: ItemRequest,
  send: (call: Call) => Promise<T>,
): Promise<T> {
  const { clock, random, requestTimeoutMs, hedge } = parts
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      const request = (end: AbortSignal | undefined) => callWithin(clock, requestTimeoutMs, send, end)
      return await (hedge === undefined ? request(signal) : hedge.run(request, signal))
    } catch (failure) {
      signal?.throwIfAborted()
      const error = asBackendError(failure)
      for (const throttle of throttlesOf(error)) parts.onThrottle(key, shardIndex, throttle)
      const delayMs = backoffMs(attempt, random)
      if (error.kind === 'invalid' || clock.nowMs() + delayMs >= untilMs)
        throw new ReadFailedError(key, `Shard ${shardIndex} could not be read: ${error.message}`, error)
      const pause = new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
      await (signal === undefined ? pause : rejectOnAbort(pause, signal))
    }
  }
}

/**
 * Runs a read until it ends under the lease of the snapshot that it began with (rule lease-at-end), and has a route written back
 * that shard 0 remembers and the directory does not. Rejects with `READ_FAILED` or `ROUTE_UNAVAILABLE`.
 */
export async function readUnderLease<T>(
  parts: ItemReadParts,
  key: string,
  read: (snapshot: Snapshot, untilMs: number) => Promise<readonly [value: T, stamp: RouteStamp | undefined]>,
): Promise<T> {
  const { routing, clock, options } = parts
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const beganMs = clock.nowMs()
    const snapshot = routing.currentAt(beganMs) ?? (await routing.ready(options.shardTimeoutMs))
    const untilMs = clock.nowMs() + options.shardTimeoutMs
    const [value, route] = await read(snapshot, untilMs)
    const stamp = forgottenBy(snapshot, key, route)
    if (stamp !== undefined) await restoreRoute(parts, key, stamp, untilMs)
    else if (snapshot.isValidAt(clock.nowMs())) return value
  }
  throw new ReadFailedError(
    key,
    `The lease on the routes ended during each of ${attemptsMax} attempts: shards take longer to read than routing.leaseMs.`,
  )
}

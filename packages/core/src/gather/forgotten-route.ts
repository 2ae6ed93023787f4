import type { RouteStamp } from '../backend/request.js'
import { callWithin } from '../backend/call.js'
import { ReadFailedError } from '../errors/read-error.js'
import { isForgotten } from '../routing/route-stamp.js'
import type { Routing } from '../routing/routing.js'
import type { Snapshot } from '../routing/snapshot.js'
import type { Clock } from '../time/clock.js'

/** The stamp of shard 0 if a snapshot knows nothing of it. */
export function forgottenBy(snapshot: Snapshot, key: string, stamp: RouteStamp | undefined): RouteStamp | undefined {
  return stamp !== undefined && isForgotten(snapshot.directory, key, stamp) ? stamp : undefined
}

/** Has a forgotten route written back. Rejects with `READ_FAILED` when it could not be by `untilMs`. */
export async function restoreRoute(
  { clock, routing }: { readonly clock: Clock; readonly routing: Routing },
  key: string,
  stamp: RouteStamp,
  untilMs: number,
): Promise<void> {
  try {
    await callWithin(clock, Math.max(1, untilMs - clock.nowMs()), () => routing.restore(key, stamp))
  } catch (error) {
    throw new ReadFailedError(key, 'The directory has lost its route, which could not be written back.', error)
  }
}

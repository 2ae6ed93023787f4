// Problem: a store may forget the newest change of the directory. Before anything is built upon a route, shard 0 must carry its
//   stamp; and the shard 0 of a hot key is the very place that is throttled, slow or unreachable.
// Scheme: a job for each route whose next step is due.
// Invariants: only a stamp that the store acknowledged lets a route move on; a stamp that a slow store still works on is not sent
//   a second time, since another copy would only queue behind, and its late answer counts.
// Cost: one request for each growth and two for each merging back, only in stores that may forget (`RecordStore.stampRoute`).
// Source: docs/routing.md, «When the store itself forgets».

import type { RecordStore } from '../backend/backend.js'
import { callWithin } from '../backend/call.js'
import type { Random } from '../chance/random.js'
import type { Events } from '../telemetry/events.js'
import type { Clock } from '../time/clock.js'
import { type JobOutcome, KeyJobs } from './key-jobs.js'
import { type Route, shardOf } from './route.js'
import { stampOf } from './route-stamp.js'

/** How many stamps are under way at once. */
const underWayMax = 16

/** What stamping is built from. */
export interface StampingParts {
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly requestTimeoutMs: number
  /** After so long a stamp whose answer never came is sent again. */
  readonly retryHorizonMs: number
}

/** Stamps shard 0 of keys whose routes are about to move on. */
export class Stamping {
  readonly #parts: StampingParts
  readonly #jobs: KeyJobs

  constructor(parts: StampingParts) {
    const { clock, random, events } = parts
    this.#parts = parts
    this.#jobs = new KeyJobs({
      clock,
      random,
      underWayMax,
      refusedPauseMs: 0, // whatever it is that refuses a stamp, the key must not wait for long when it is mended
      silentMsMax: parts.retryHorizonMs,
      run: (key, route, outcome) => this.#send(key, route, outcome),
      onFailure: (key, { phase }, error) => {
        if (events.hasListeners('route-stalled')) events.emit('route-stalled', { key, phase, error })
      },
    })
  }

  /** Whether a route may move on as far as its stamp goes. */
  isThere(key: string, route: Route): boolean {
    return this.#parts.store.stampRoute === undefined || this.#jobs.isDone(key, route)
  }

  /** Sends the stamps of these routes that are not there yet. */
  want(routes: ReadonlyMap<string, Route>): void {
    if (this.#parts.store.stampRoute !== undefined) this.#jobs.want(routes)
  }

  /** Forgets which are there. */
  reset(): void {
    this.#jobs.reset()
  }

  /** Resolves when none is under way, or each has had its time. */
  idle(): Promise<void> {
    return this.#jobs.idle()
  }

  #send(key: string, route: Route, outcome: JobOutcome): Promise<void> {
    const { store, clock, requestTimeoutMs } = this.#parts
    return callWithin(clock, requestTimeoutMs, async (call) => {
      try {
        await store.stampRoute?.(shardOf(key, undefined, 0), stampOf(route), call)
        outcome.done()
      } finally {
        outcome.over()
      }
    })
  }
}

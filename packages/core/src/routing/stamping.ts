// Problem: a route may become active only once shard 0 carries its stamp, and the shard 0 of a hot key is the very place that
//   is throttled, slow or unreachable. One key that cannot be stamped must hold up no other.
// Scheme: stamps are sent beside everything else, each with a back-off of its own; the coordinator asks which are there.
// Invariants: at most one request a key is under way, and `underWayMax` in all, until the store has answered it, however late;
//   only a stamp that the store acknowledged lets a route become active.
// Cost: one request a growth, only in stores that may forget (`RecordStore.stampRoute`).
// Source: docs/routing.md, «When the store itself forgets».

import type { RecordStore } from '../backend/backend.js'
import { callWithin } from '../backend/call.js'
import type { Random } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import type { Events } from '../telemetry/events.js'
import type { Clock } from '../time/clock.js'
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
}

/** What is known of the stamp of one announced route. */
interface Stamped {
  readonly revision: number
  isThere: boolean
  isUnderWay: boolean
  failures: number
  notBeforeMs: number
}

/** Stamps shard 0 of keys whose routes are about to become active. */
export class Stamping {
  readonly #parts: StampingParts
  readonly #known = new Map<string, Stamped>()
  readonly #underWay = new Set<Promise<void>>()

  constructor(parts: StampingParts) {
    this.#parts = parts
  }

  /** Whether a route may become active as far as its stamp goes. */
  isThere(key: string, route: Route): boolean {
    if (this.#parts.store.stampRoute === undefined) return true
    const known = this.#known.get(key)
    return known !== undefined && known.revision === route.revision && known.isThere
  }

  /** Sends the stamps that are not there yet, of these announced routes; forgets what it knew of others. */
  want(announced: ReadonlyMap<string, Route>): void {
    for (const [key, { revision, isUnderWay }] of this.#known)
      if (!isUnderWay && announced.get(key)?.revision !== revision) this.#known.delete(key)
    if (this.#parts.store.stampRoute === undefined) return
    const nowMs = this.#parts.clock.monotonicMs()
    for (const [key, route] of announced) {
      if (this.#underWay.size >= underWayMax) return
      const known = this.#known.get(key)
      if (known !== undefined && (known.isThere || known.isUnderWay || nowMs < known.notBeforeMs)) continue
      this.#send(key, route, known?.revision === route.revision ? known.failures : 0)
    }
  }

  /** Resolves when none is under way, or each has had its time. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  #send(key: string, route: Route, failures: number): void {
    const { store, clock, random, events, requestTimeoutMs } = this.#parts
    const stamp: Stamped = { revision: route.revision, isThere: false, isUnderWay: true, failures, notBeforeMs: 0 }
    this.#known.set(key, stamp)
    const sent = callWithin(clock, requestTimeoutMs, async (call) => {
      // A store that is slower than the time-out still works on it: another copy would only queue behind, and its late answer counts.
      try {
        await store.stampRoute?.(shardOf(key, undefined, 0), stampOf(route), call)
        stamp.isThere = true
      } finally {
        stamp.isUnderWay = false
      }
    }).catch((error: unknown) => {
      stamp.failures += 1
      stamp.notBeforeMs = clock.monotonicMs() + backoffMs(stamp.failures, random)
      if (events.hasListeners('growth-stalled')) events.emit('growth-stalled', { key, error })
    })
    this.#underWay.add(sent)
    void sent.finally(() => this.#underWay.delete(sent))
  }
}

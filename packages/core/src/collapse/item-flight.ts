// Problem: a put or a delete may be answered late, twice or never, and its key may be spread meanwhile; still it must be in once,
//   in the order of stamps, and no older copy may come back.
// Scheme: a flight carries one change of one item under one stamp, to the places that its route names, until all have answered
//   under the lease of that very route. A put that was routed again looks at all places of the item; where it finds a newer
//   tombstone, it leaves that in every place, its own copy's included, and so is taken back for good.
// Invariants: nothing is acknowledged after its lease (rule late-ack); repeating is safe, since the greater stamp stays (rule
//   newest-wins); only a first attempt that finds something newer takes a later stamp, so that a slow clock is not ignored.
// Cost: one request for a put, and for a delete of a key without a route; else one for each place that the item may be in.
// Source: docs/routing.md, rules late-ack, take-back, tombstone, every-candidate and newest-wins.

import type { ItemChange } from '../admission/item-admission.js'
import type { CollectionStore, ItemWriteAnswer } from '../backend/collection-store.js'
import { asBackendError, BackendError, type ThrottleDetail, throttlesOf, isRefusal } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import { unitsOf } from '../backend/guarded-backend.js'
import type { Call, RouteStamp } from '../backend/request.js'
import type { Random } from '../chance/random.js'
import { WriteRejectedError, WriteUnknownError } from '../errors/write-error.js'
import { backoffMs } from '../internal/backoff.js'
import type { ItemValue } from '../item/item-value.js'
import type { HybridClock } from '../merge/hybrid-clock.js'
import { compareStamps, type Stamp } from '../merge/stamp.js'
import type { ShardRef } from '../operation.js'
import type { ItemHash } from '../routing/item-hash.js'
import { candidatesOf, homeOf } from '../routing/placement.js'
import { isForgotten } from '../routing/route-stamp.js'
import type { Routing } from '../routing/routing.js'
import type { Snapshot } from '../routing/snapshot.js'
import type { Clock } from '../time/clock.js'

/** What every flight of a collection needs. */
export interface ItemFlightParts {
  readonly store: CollectionStore
  readonly routing: Routing
  readonly hash: ItemHash
  readonly stamps: HybridClock
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly clockSkewMaxMs: number
  /** A tombstone outlives every request, operation, copy and read that is older. */
  readonly tombstoneMs: number
  readonly shardsPerReadMax: number
  /** An attempt was throttled. */
  onThrottle(key: string, shardIndex: number, throttle: ThrottleDetail): void
  /** A partition has refused a change for the first time. */
  onRefused(key: string): void
}

/** How often a first attempt takes a later stamp: each time it has met one that was made meanwhile. */
const restampsMax = 5

type WriteError = WriteRejectedError | WriteUnknownError

/** A change of an item on its way to the store. */
export class ItemFlight {
  /** How many requests have been made. */
  attempts = 0
  /** Capacity units that the store has told of; undefined while it has told none. */
  units: number | undefined
  /** Where the last attempt went. */
  shardIndex = 0
  /** Whether a partition has refused it, which was told then. */
  isRefused = false
  readonly #parts: ItemFlightParts
  readonly #change: ItemChange
  readonly #startedMs: number
  #stamp: Stamp
  #restamps = 0
  /** Whether a request may have been done of which nobody knows. */
  #isUncertain = false
  /** Whether a part of it is known to be in. */
  #mayBeIn = false
  /** Whether the lease ended before a request was answered; it may have been prolonged since. */
  #isCutShort = false
  /** Whether the change has been routed before, and may stand in places of that route. */
  #isAgain = false
  /** A route that shard 0 remembers and the directory does not: the item may stand in places that were not reached. */
  #forgotten: RouteStamp | undefined
  /** How many places a delete goes to, at the same time: one may have it when another refuses it. */
  #placeCount = 1
  /** Why it was given up: nothing more is sent. */
  #failure: WriteError | undefined

  constructor(parts: ItemFlightParts, change: ItemChange) {
    this.#parts = parts
    this.#change = change
    this.#startedMs = parts.clock.nowMs()
    this.#stamp = parts.stamps.next()
  }

  /** Carries the change; answers with what went wrong, undefined when it is in, or something newer. */
  async run(): Promise<WriteError | undefined> {
    try {
      for (;;) {
        const snapshot = await this.#snapshot()
        this.#isCutShort = false
        const newer = await this.#send(snapshot)
        if (this.#forgotten !== undefined) {
          this.#noteMisrouted(newer)
          await this.#restore(this.#forgotten)
          this.#forgotten = undefined
          continue
        }
        const isFirst = !this.#isUncertain && !this.#isAgain
        const isLeased = !this.#isCutShort && snapshot.isValidAt(this.#parts.clock.nowMs())
        if (newer !== undefined && isFirst) this.#stampAfter(newer)
        else if (isLeased) return undefined
        else {
          this.#isAgain = true
          this.#requireTime(undefined)
        }
      }
    } catch (error) {
      return error instanceof WriteRejectedError || error instanceof WriteUnknownError ? error : this.#gaveUp(error)
    }
  }

  /** It is in, by a route that is not the key's. A delete that finds something newer elsewhere must still come after it. */
  #noteMisrouted(newer: Stamp | undefined): void {
    if (newer !== undefined) return
    this.#mayBeIn = true
    if (this.#change.value !== undefined) this.#isAgain = true
  }

  async #restore(stamp: RouteStamp): Promise<void> {
    this.#requireTime(undefined)
    const { clock, routing, writeTimeoutMs } = this.#parts
    const leftMs = this.#startedMs + writeTimeoutMs - clock.nowMs()
    await callWithin(clock, leftMs, () => routing.restore(this.#change.key, stamp))
  }

  async #snapshot(): Promise<Snapshot> {
    const { routing, clock } = this.#parts
    const nowMs = clock.nowMs()
    return routing.currentAt(nowMs) ?? routing.ready(Math.max(1, this.#startedMs + this.#parts.writeTimeoutMs - nowMs))
  }

  /** Answers with the greatest stamp that was found to be newer. */
  #send(snapshot: Snapshot): Promise<Stamp | undefined> {
    const { hash } = this.#parts
    const { key, sort, value } = this.#change
    const route = snapshot.route(key)
    const hashed = route === undefined ? 0 : hash(sort, snapshot.directory.hashSeed)
    if (value === undefined) return this.#delete(candidatesOf(key, route, hashed), snapshot)
    const looked = this.#isAgain ? candidatesOf(key, route, hashed) : none
    return this.#put(homeOf(key, route, hashed), looked, value, snapshot)
  }

  async #put(
    home: ShardRef,
    places: readonly ShardRef[],
    value: ItemValue,
    snapshot: Snapshot,
  ): Promise<Stamp | undefined> {
    const { store } = this.#parts
    const { sort } = this.#change
    const stamp = this.#stamp
    const newer = await this.#write(home, snapshot, (call) => store.put({ shard: home, sort, value, stamp }, call))
    const tombstone = await this.#newerTombstoneIn(places, snapshot)
    if (tombstone !== undefined) await this.#leaveTombstones(places, tombstone, snapshot)
    return newer
  }

  /**
   * Rule take-back: a delete may have been acknowledged meanwhile under another route, or be under way, or never come to its end.
   * A newer put that stands in another place is no reason to yield: it may be routed again itself, and vanish from there.
   */
  async #newerTombstoneIn(places: readonly ShardRef[], snapshot: Snapshot): Promise<Stamp | undefined> {
    const { store, shardsPerReadMax } = this.#parts
    const { sort } = this.#change
    let newest: Stamp | undefined
    for (let from = 0; from < places.length; from += shardsPerReadMax) {
      const shards = places.slice(from, from + shardsPerReadMax)
      const answers = await this.#repeated(shards[0] as ShardRef, snapshot, true, async (call) => {
        const items = await store.get({ shards, sort, consistency: 'strong' }, call)
        for (const item of items) if (item.status === 'failed') throw asBackendError(item.error)
        return items
      })
      for (const answer of answers ?? []) {
        const found = answer.status === 'read' ? answer.item : undefined
        if (found?.stamp === undefined || found.value !== undefined) continue
        if (compareStamps(found.stamp, this.#stamp) > 0) newest = later(newest, found.stamp)
      }
    }
    return newest
  }

  #delete(places: readonly ShardRef[], snapshot: Snapshot): Promise<Stamp | undefined> {
    const [only] = places
    if (snapshot.route(this.#change.key) === undefined && only !== undefined) return this.#remove(only, snapshot)
    return this.#leaveTombstones(places, this.#stamp, snapshot)
  }

  /** A key without a route has one place for an item, and no older version that could stand in another. */
  #remove(shard: ShardRef, snapshot: Snapshot): Promise<Stamp | undefined> {
    const { sort } = this.#change
    const deletion = { shard, sort, stamp: this.#stamp, mode: 'remove', retentionMs: 0 } as const
    return this.#write(shard, snapshot, (call) => this.#parts.store.delete(deletion, call))
  }

  async #leaveTombstones(places: readonly ShardRef[], stamp: Stamp, snapshot: Snapshot): Promise<Stamp | undefined> {
    const { store, tombstoneMs: retentionMs } = this.#parts
    const { sort } = this.#change
    const mode = 'tombstone'
    this.#placeCount = places.length
    const ends = await Promise.allSettled(
      places.map((shard) =>
        this.#write(shard, snapshot, (call) => store.delete({ shard, sort, stamp, mode, retentionMs }, call)),
      ),
    )
    let newest: Stamp | undefined
    for (const end of ends) {
      if (end.status === 'rejected') throw end.reason
      newest = later(newest, end.value)
    }
    return newest
  }

  async #write(
    shard: ShardRef,
    snapshot: Snapshot,
    send: (call: Call) => Promise<ItemWriteAnswer>,
  ): Promise<Stamp | undefined> {
    const answer = await this.#repeated(shard, snapshot, false, send)
    if (answer === undefined) return undefined
    for (const throttle of answer.throttles ?? []) this.#noteThrottle(shard, throttle, false)
    const units = unitsOf(answer)
    if (units !== undefined) this.units = (this.units ?? 0) + units
    const { route } = answer
    if (route !== undefined && isForgotten(snapshot.directory, this.#change.key, route)) this.#forgotten = route
    return answer.status === 'newer' ? answer.stamp : undefined
  }

  /** Sends a request until it is answered; undefined when the lease ended meanwhile, so that its answer would not count. */
  async #repeated<T>(
    shard: ShardRef,
    snapshot: Snapshot,
    isRead: boolean,
    send: (call: Call) => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, random, requestTimeoutMs } = this.#parts
    for (let attempt = 1; ; attempt++) {
      if (this.#failure !== undefined) throw this.#failure // of another place
      if (!snapshot.isValidAt(clock.nowMs())) {
        this.#requireTime(undefined)
        this.#isCutShort = true
        return undefined
      }
      try {
        this.attempts += 1
        this.shardIndex = shard.index
        return await callWithin(clock, requestTimeoutMs, send)
      } catch (failure) {
        const error = asBackendError(failure)
        for (const throttle of throttlesOf(error)) this.#noteThrottle(shard, throttle, isRead)
        if (isRefusal(error) && !snapshot.isValidAt(clock.nowMs())) continue // by a place that may have been given up since
        this.#note(error, isRead)
        const delayMs = backoffMs(attempt, random)
        this.#requireTime(error, delayMs)
        await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
      }
    }
  }

  #noteThrottle(shard: ShardRef, throttle: ThrottleDetail, isRead: boolean): void {
    const { key } = this.#change
    this.#parts.onThrottle(key, shard.index, throttle)
    if (this.isRefused || isRead || throttle.scope !== 'key-range') return
    this.isRefused = true
    this.#parts.onRefused(key)
  }

  /** Throws what will not get better by itself. */
  #note(error: BackendError, isRead: boolean): void {
    switch (error.kind) {
      case 'unknown':
        if (!isRead) this.#isUncertain = true
        return
      case 'throttled':
      case 'unavailable':
        return
      case 'rejected':
      case 'invalid':
        throw this.#gaveUp(error)
      default:
        error.kind satisfies never
    }
  }

  #requireTime(cause: unknown, delayMs = 0): void {
    const { clock, writeTimeoutMs } = this.#parts
    if (clock.nowMs() + delayMs < this.#startedMs + writeTimeoutMs) return
    throw this.#gaveUp(cause, `No success within ${writeTimeoutMs} ms and ${this.attempts} attempts.`)
  }

  /** A change of which a part may be in is not known to be out. */
  #gaveUp(cause: unknown, why = cause instanceof Error ? cause.message : 'It could not be sent.'): WriteError {
    const { key } = this.#change
    const isPartly = this.#placeCount > 1 && this.attempts > 1
    const isKnown = !this.#isUncertain && !this.#isAgain && !this.#mayBeIn && !isPartly
    this.#failure ??= isKnown ? new WriteRejectedError(key, why, cause) : new WriteUnknownError(key, why, cause)
    return this.#failure
  }

  #stampAfter(newer: Stamp): void {
    const { stamps, clock, clockSkewMaxMs } = this.#parts
    this.#restamps += 1
    if (this.#restamps > restampsMax)
      throw this.#gaveUp(
        undefined,
        `Others wrote the item ${restampsMax} times meanwhile, each time with a later stamp.`,
      )
    const aheadMs = newer.timeMs - clock.wallMs()
    if (aheadMs > clockSkewMaxMs) {
      const error = new BackendError(
        'rejected',
        `What is stored has a stamp ${Math.round(aheadMs)} ms ahead of this machine's clock, more than limits.clockSkewMaxMs = ${clockSkewMaxMs} allows.`,
      )
      throw this.#gaveUp(error)
    }
    stamps.observe(newer)
    this.#stamp = stamps.next()
  }
}

const none: readonly ShardRef[] = []

function later(a: Stamp | undefined, b: Stamp | undefined): Stamp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return compareStamps(a, b) > 0 ? a : b
}

// Problem: a store's batches take many items at once, but know no conditions, and do a part of what they are given.
// Scheme: where no sort value is ever written twice, nothing newer can be there, and a batch may put without a condition. What
//   comes back undone goes out again; what was answered after the lease of its route goes out again under the new one.
// Invariants: an item is acknowledged only under the lease of the route that placed it (rule late-ack); each item has an outcome.
// Cost: one request for each `itemsPerAppendMax` items, and one more for what it left undone.
// Source: docs/routing.md, rule late-ack; API_BatchWriteItem.html, «UnprocessedItems».

import type { ItemChange } from '../admission/item-admission.js'
import type { AppendAnswer, ItemPut } from '../backend/collection-store.js'
import { asBackendError, type BackendError, type ThrottleDetail, throttlesOf } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import { unitsOf } from '../backend/guarded-backend.js'
import { WriteRejectedError, WriteUnknownError } from '../errors/write-error.js'
import { backoffMs } from '../internal/backoff.js'
import type { Stamp } from '../merge/stamp.js'
import { homeOf } from '../routing/placement.js'
import type { Snapshot } from '../routing/snapshot.js'
import type { ItemFlightParts } from './item-flight.js'

type WriteError = WriteRejectedError | WriteUnknownError

/** An item to append: a change with a value. */
export interface Appending extends ItemChange {
  readonly value: NonNullable<ItemChange['value']>
}

/** How an append ended. */
export interface AppendLanding {
  /** One for each item, in the order given: what went wrong, undefined when it is in. */
  readonly errors: readonly (WriteError | undefined)[]
  /** Where each was sent last. */
  readonly shardIndexes: readonly number[]
  /** How many requests were made. */
  readonly attempts: number
  readonly durationMs: number
  /** How many items were sent, those that were sent again counted again. */
  readonly sentCount: number
  /** Capacity units that the store has told of; undefined when it told none. */
  readonly units: number | undefined
  /** How many items a partition has refused, each of which was told then. */
  readonly refusedCount: number
}

/** One item on its way. */
interface Open {
  readonly index: number
  readonly item: Appending
  readonly stamp: Stamp
  isUncertain: boolean
  isRefused: boolean
  cause: BackendError | undefined
}

/** Appends items of one key: at most as many as one batch takes. */
export class AppendFlight {
  readonly #parts: ItemFlightParts
  readonly #startedMs: number
  readonly #errors: (WriteError | undefined)[]
  readonly #shardIndexes: number[]
  #open: readonly Open[]
  #sentCount = 0
  #units: number | undefined
  #refusedCount = 0

  constructor(parts: ItemFlightParts, items: readonly Appending[]) {
    this.#parts = parts
    this.#startedMs = parts.clock.nowMs()
    this.#errors = items.map(() => undefined)
    this.#shardIndexes = items.map(() => 0)
    this.#open = items.map((item, index) => {
      return { index, item, stamp: parts.stamps.next(), isUncertain: false, isRefused: false, cause: undefined }
    })
  }

  /** Sends until every item has an outcome. */
  async run(): Promise<AppendLanding> {
    const { clock, random, writeTimeoutMs, routing } = this.#parts
    for (let attempt = 1; ; attempt++) {
      const leftMs = this.#startedMs + writeTimeoutMs - clock.nowMs()
      try {
        const snapshot = routing.currentAt(clock.nowMs()) ?? (await routing.ready(Math.max(1, leftMs)))
        await this.#send(snapshot)
      } catch (error) {
        this.#giveUp('No lease on the routes could be had in time.', error)
      }
      const delayMs = backoffMs(attempt, random)
      if (this.#open.length > 0 && clock.nowMs() + delayMs >= this.#startedMs + writeTimeoutMs)
        this.#giveUp(`No success within ${writeTimeoutMs} ms and ${attempt} attempts.`)
      if (this.#open.length === 0) return this.#landing(attempt)
      await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
    }
  }

  #landing(attempts: number): AppendLanding {
    const durationMs = this.#parts.clock.nowMs() - this.#startedMs
    const shardIndexes = this.#shardIndexes
    return {
      errors: this.#errors,
      shardIndexes,
      attempts,
      durationMs,
      sentCount: this.#sentCount,
      units: this.#units,
      refusedCount: this.#refusedCount,
    }
  }

  async #send(snapshot: Snapshot): Promise<void> {
    const { store, clock, requestTimeoutMs } = this.#parts
    const sent = this.#open
    const items = sent.map((open) => this.#putOf(open, snapshot))
    this.#sentCount += items.length
    let answers: readonly AppendAnswer[]
    try {
      const append = store.append?.bind(store)
      answers = await callWithin(clock, requestTimeoutMs, (call) => append?.({ items }, call) ?? Promise.resolve([]))
    } catch (error) {
      answers = sent.map(() => ({ status: 'failed', error }))
    }
    const isLeased = snapshot.isValidAt(clock.nowMs())
    this.#open = sent.filter((open, i) => this.#isStillOpen(open, answers[i], items[i], isLeased))
  }

  #putOf({ index, item, stamp }: Open, snapshot: Snapshot): ItemPut {
    const { key, sort, value } = item
    const route = snapshot.route(key)
    const hash = route === undefined ? 0 : this.#parts.hash(sort, snapshot.directory.hashSeed)
    const shard = homeOf(key, route, hash)
    this.#shardIndexes[index] = shard.index
    return { shard, sort, value, stamp }
  }

  #isStillOpen(open: Open, answer: AppendAnswer | undefined, put: ItemPut | undefined, isLeased: boolean): boolean {
    if (answer?.status === 'done') {
      const units = unitsOf(answer)
      if (units !== undefined) this.#units = (this.#units ?? 0) + units
      for (const throttle of answer.throttles ?? []) this.#noteThrottle(open, put, throttle)
      open.isUncertain = true // it is in; but its acknowledgement may come too late
      return !isLeased
    }
    const error = asBackendError(answer?.error)
    for (const throttle of throttlesOf(error)) this.#noteThrottle(open, put, throttle)
    open.cause = error
    if (error.kind === 'unknown') open.isUncertain = true
    if (error.kind !== 'rejected' && error.kind !== 'invalid') return true
    this.#errors[open.index] = errorOf(open, error.message, error)
    return false
  }

  #noteThrottle(open: Open, put: ItemPut | undefined, throttle: ThrottleDetail): void {
    if (put === undefined) return
    const { key, index } = put.shard
    this.#parts.onThrottle(key, index, throttle)
    if (open.isRefused || throttle.scope !== 'key-range') return
    open.isRefused = true
    this.#refusedCount += 1
    this.#parts.onRefused(key)
  }

  #giveUp(why: string, cause?: unknown): void {
    for (const open of this.#open) this.#errors[open.index] = errorOf(open, why, cause ?? open.cause)
    this.#open = []
  }
}

function errorOf({ isUncertain, item }: Open, why: string, cause: unknown): WriteError {
  return isUncertain ? new WriteUnknownError(item.key, why, cause) : new WriteRejectedError(item.key, why, cause)
}

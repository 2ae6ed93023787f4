// Problem: a write's answer may be lost, late, or say that the shard is frozen, and the change must still be in once.
// Scheme: a flight carries one window under one sequence number until its outcome is known or its time is up.
// Invariants: once an attempt's outcome is unknown, the same contents go to the same shard with the same number until it
//   answers «done» or «sealed» (rule sticky-retry); an answer counts only for attempts at the very place it comes from (rule
//   own-answer); a first attempt goes out only under a live lease.
// Cost: one request when nothing fails; a list entry and no timer for its time-out.
// Source: docs/routing.md, rules dedupe, sticky-retry, own-answer and seal.

import type { FieldChange, RecordStore, WriteAnswer, WriteStamp } from '../backend/backend.js'
import { asBackendError, type BackendError, type ThrottleDetail, throttlesOf } from '../backend/backend-error.js'
import { LazyCall } from '../backend/call.js'
import { checkWriteAnswer, unitsOf } from '../backend/guarded-backend.js'
import type { Random } from '../chance/random.js'
import { WriteRejectedError, WriteUnknownError } from '../errors/write-error.js'
import { backoffMs } from '../internal/backoff.js'
import type { DeadlineList, Expiring } from '../internal/deadline-list.js'
import type { ShardRef } from '../operation.js'
import type { Routing } from '../routing/routing.js'
import type { Clock, Timer } from '../time/clock.js'
import type { Window } from './window.js'

/** What every flight of a record needs. */
export interface FlightParts {
  readonly store: RecordStore
  readonly routing: Routing
  readonly clock: Clock
  readonly random: Random
  readonly deadlines: DeadlineList
  readonly requestTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly retryHorizonMs: number
  /** The shard that this writer writes to under the present snapshot; undefined when the lease is over. */
  pickShard(key: string, nowMs: number): ShardRef | undefined
  /** Names the next write. */
  nextStamp(aboveSequence: number): WriteStamp
  /** An attempt was throttled. */
  onThrottle(key: string, shardIndex: number, throttle: ThrottleDetail): void
}

/** How a flight ended. */
export interface FlightOutcome {
  /** Undefined when the change is written. */
  readonly error: WriteRejectedError | WriteUnknownError | undefined
  /** Capacity units that the write consumed, where the store tells. */
  readonly units: number | undefined
}

/** One window on its way to the store. */
export class Flight implements Expiring {
  deadlineMs = 0
  before: Expiring | undefined
  after: Expiring | undefined
  /** The application's key. */
  readonly key: string
  /** What is written. */
  readonly window: Window
  /** How many requests have been made. */
  attempts = 0
  /** Where the last attempt went; 0 before the first. */
  shardIndex = 0
  /** When it set out; undefined before. */
  startedMs: number | undefined
  readonly #parts: FlightParts
  readonly #changes: readonly FieldChange[]
  readonly #onEnd: (flight: Flight, outcome: FlightOutcome) => void
  #stamp: WriteStamp | undefined
  #shard: ShardRef | undefined
  #call: LazyCall | undefined
  #retryTimer: Timer | undefined
  #isUncertain = false
  #isOver = false

  constructor(
    parts: FlightParts,
    key: string,
    window: Window,
    changes: readonly FieldChange[],
    stamp: WriteStamp | undefined,
    onEnd: (flight: Flight, outcome: FlightOutcome) => void,
  ) {
    this.#parts = parts
    this.key = key
    this.window = window
    this.#changes = changes
    this.#stamp = stamp
    this.#onEnd = onEnd
  }

  /** Makes the next attempt: at the same shard while the outcome of an earlier one is unknown, else where the route says. */
  send(): void {
    if (this.#isOver) return
    const nowMs = this.#parts.clock.nowMs()
    this.startedMs ??= nowMs
    const shard = this.#isUncertain ? this.#shard : this.#parts.pickShard(this.key, nowMs)
    if (shard === undefined) {
      this.#parts.routing.ready(this.#parts.writeTimeoutMs - (nowMs - this.startedMs)).then(
        () => this.send(),
        (error: unknown) => this.#giveUp(error, 'No lease on the routes could be had in time.'),
      )
      return
    }
    const call = new LazyCall()
    const attempt = (this.attempts += 1)
    this.#shard = shard
    this.shardIndex = shard.index
    this.#call = call
    this.#parts.deadlines.add(this, nowMs + this.#parts.requestTimeoutMs)
    this.#parts.store.write({ shard, changes: this.#changes, stamp: this.#stamp }, call).then(
      (answer) => this.#received(answer, shard, call, attempt),
      (error: unknown) => this.#failed(asBackendError(error), shard, call, attempt),
    )
  }

  /** No answer came in time. The request may still arrive, or have arrived. */
  expire(): void {
    this.#call?.abort()
    this.#call = undefined
    this.#isUncertain = true
    this.#retry(undefined)
  }

  #received(answer: WriteAnswer, shard: ShardRef, call: LazyCall, attempt: number): void {
    if (this.#isOver || shard !== this.#shard) return
    try {
      checkWriteAnswer(answer)
    } catch (error) {
      this.#failed(asBackendError(error), shard, call, attempt)
      return
    }
    if (answer.throttles !== undefined)
      for (const throttle of answer.throttles) this.#parts.onThrottle(this.key, shard.index, throttle)
    this.#answered(answer)
  }

  #answered(answer: WriteAnswer): void {
    switch (answer.status) {
      case 'done':
        // Past the horizon a shard may have forgotten an earlier attempt and taken this one for the first.
        if (this.#isUncertain && this.#isOlderThan(this.#parts.retryHorizonMs))
          this.#giveUp(undefined, 'The answer came after the retry horizon.')
        else this.#end(undefined, unitsOf(answer))
        return
      case 'sealed':
        // Dedupe comes before the seal in the store, so «sealed» also says that no earlier attempt is in, nor ever will be.
        // It is left for good: a second answer of it must not send the change a second time.
        this.#dropAttempt()
        this.#isUncertain = false
        this.#shard = undefined
        this.#parts.routing.refresh().then(
          () => this.#retry(undefined),
          (error: unknown) => this.#retry(error),
        )
        return
      case 'expired':
        this.#dropAttempt()
        this.#expired(answer.forgottenUpTo)
        return
      default:
        answer.status satisfies never
    }
  }

  #expired(forgottenUpTo: number | undefined): void {
    if (this.#isUncertain || this.#stamp === undefined || forgottenUpTo === undefined) {
      this.#giveUp(
        undefined,
        'The shard has forgotten this writer: the write is older than the retry horizon, or clocks are far apart.',
      )
      return
    }
    this.#stamp = this.#parts.nextStamp(forgottenUpTo)
    this.#retry(undefined)
  }

  #failed(error: BackendError, shard: ShardRef, call: LazyCall, attempt: number): void {
    // Evidence of heat also where nobody waits for this attempt any more.
    for (const throttle of throttlesOf(error)) this.#parts.onThrottle(this.key, shard.index, throttle)
    if (this.#isOver || call !== this.#call) return
    this.#dropAttempt()
    switch (error.kind) {
      case 'throttled':
      case 'unavailable':
        this.#retry(error, attempt)
        return
      case 'unknown':
        this.#isUncertain = true
        this.#retry(error, attempt)
        return
      case 'rejected':
      case 'invalid':
        this.#giveUp(error, error.message)
        return
      default:
        error.kind satisfies never
    }
  }

  #retry(cause: unknown, attempt = this.attempts): void {
    if (this.#isOver) return
    const { clock, random } = this.#parts
    if (this.#isLate()) this.#giveUp(cause, this.#lateness())
    else this.#retryTimer = clock.setTimer(() => this.#sendAgain(cause), backoffMs(attempt, random))
  }

  /** A process may have been stopped since: nothing is sent again after its time. */
  #sendAgain(cause: unknown): void {
    if (this.#isLate()) this.#giveUp(cause, this.#lateness())
    else this.send()
  }

  #lateness(): string {
    return `No success within ${this.#parts.writeTimeoutMs} ms and ${this.attempts} attempts.`
  }

  #giveUp(cause: unknown, why: string): void {
    if (this.#isOver) return
    this.#end(
      this.#isUncertain ? new WriteUnknownError(this.key, why, cause) : new WriteRejectedError(this.key, why, cause),
      undefined,
    )
  }

  #end(error: WriteRejectedError | WriteUnknownError | undefined, units: number | undefined): void {
    this.#isOver = true
    this.#dropAttempt()
    this.#onEnd(this, { error, units })
  }

  /** Ends the watch over the attempt under way, or the wait for the next: it has been answered, or its answer does not matter any more. */
  #dropAttempt(): void {
    this.#retryTimer?.clear()
    this.#retryTimer = undefined
    if (this.#call === undefined) return
    this.#call = undefined
    this.#parts.deadlines.remove(this)
  }

  #isLate(): boolean {
    return this.#isOlderThan(this.#parts.writeTimeoutMs)
  }

  #isOlderThan(ms: number): boolean {
    const nowMs = this.#parts.clock.nowMs()
    return nowMs - (this.startedMs ?? nowMs) >= ms
  }
}

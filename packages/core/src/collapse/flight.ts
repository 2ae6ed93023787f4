// Problem: a write's answer may be lost, late, or say that the shard is frozen, and the change must still be in once.
// Scheme: a flight carries one window under one sequence number until its outcome is known or its time is up.
// Invariants: once an attempt's outcome is unknown, the same contents go to the same shard with the same number until it
//   answers «done» or «sealed» (rule sticky-retry); an answer counts only for attempts at the very place it comes from (rule
//   own-answer); a first attempt goes out only under a live lease; what a crash must not lose is on disk with its number and
//   its place before it goes there.
// Cost: one request when nothing fails; a list entry and no timer for its time-out; with a spool, one commit before it.
// Source: docs/routing.md, rules dedupe, sticky-retry, own-answer and seal.

import type { FieldChange, RecordStore, WriteAnswer, WriteStamp } from '../backend/backend.js'
import { asBackendError, type BackendError, type ThrottleDetail, throttlesOf } from '../backend/backend-error.js'
import { LazyCall } from '../backend/call.js'
import { checkWriteAnswer, unitsOf } from '../backend/guarded-backend.js'
import type { Random } from '../chance/random.js'
import { describeError } from '../errors/describe-error.js'
import { isSpillwayError } from '../errors/spillway-error.js'
import { WriteRejectedError, WriteUnknownError } from '../errors/write-error.js'
import { backoffMs } from '../internal/backoff.js'
import type { DeadlineList, Expiring } from '../internal/deadline-list.js'
import type { ShardRef } from '../operation.js'
import type { Routing } from '../routing/routing.js'
import type { FlightEntry } from '../spool/flight-entry.js'
import type { Clock, Timer } from '../time/clock.js'
import { flightMsMin } from './demand.js'
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
  /** Whether what is kept on disk is left for the next start, rather than tried for longer than `writeTimeoutMs`. */
  isClosing(): boolean
  /** An attempt was throttled. */
  onThrottle(key: string, shardIndex: number, throttle: ThrottleDetail): void
  /** A partition has refused a flight for the first time, or holds up a change that would have left in another. */
  onRefused(key: string): void
}

/** What a flight begins with. */
export interface FlightStart {
  /** Undefined when writing it twice is the same as once. */
  readonly stamp: WriteStamp | undefined
  /** What is kept on disk of it; undefined when it may be lost with the process. */
  readonly entry?: FlightEntry | undefined
  /** Where an earlier life sent it, and how long ago: its outcome is unknown. */
  readonly sent?: { readonly shard: ShardRef; readonly agoMs: number } | undefined
}

/** How a flight ended. */
export interface FlightOutcome {
  /** Whether it stays on disk for the next start: neither written nor lost. */
  readonly isLeft: boolean
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
  /** Whether its partition has refused it. */
  isRefused = false
  /** When it, or a change behind it, was last counted as demand. */
  #countedMs = 0
  /** Told at each try beyond its time, while the spool keeps it. */
  onLate: ((cause: unknown) => void) | undefined
  readonly #parts: FlightParts
  readonly #changes: readonly FieldChange[]
  readonly #onEnd: (flight: Flight, outcome: FlightOutcome) => void
  #stamp: WriteStamp | undefined
  #shard: ShardRef | undefined
  #call: LazyCall | undefined
  #retryTimer: Timer | undefined
  /** Since when the present number may be in; from here the retry horizon counts. */
  #firstSentMs: number | undefined
  #isUncertain = false
  #isOver = false
  readonly #entry: FlightEntry | undefined
  #keepFailures = 0

  constructor(
    parts: FlightParts,
    key: string,
    window: Window,
    changes: readonly FieldChange[],
    { stamp, entry, sent }: FlightStart,
    onEnd: (flight: Flight, outcome: FlightOutcome) => void,
  ) {
    this.#parts = parts
    this.key = key
    this.window = window
    this.#changes = changes
    this.#stamp = stamp
    this.#entry = entry
    this.#onEnd = onEnd
    if (sent === undefined) return
    this.#shard = sent.shard
    this.#isUncertain = true
    this.#firstSentMs = parts.clock.nowMs() - sent.agoMs
  }

  /** For how long it has been on its way. */
  ageMs(): number {
    const nowMs = this.#parts.clock.nowMs()
    return nowMs - (this.startedMs ?? nowMs)
  }

  /** Counts what has joined the window behind it as a flight that would have left, if no other would have in the last `restMs`. */
  countBehind(window: Window, restMs: number): void {
    const nowMs = this.#parts.clock.nowMs()
    if (nowMs - this.#countedMs < Math.max(restMs, flightMsMin)) return
    this.#countedMs = nowMs
    window.isCounted = true
    this.#parts.onRefused(this.key)
  }

  /** Makes the next attempt: at the same shard while the outcome of an earlier one is unknown, else where the route says. */
  send(): void {
    if (this.#isOver) return
    const nowMs = this.#parts.clock.nowMs()
    this.startedMs ??= nowMs
    this.#firstSentMs ??= nowMs
    const shard = this.#isUncertain ? this.#shard : this.#parts.pickShard(this.key, nowMs)
    if (shard === undefined) {
      this.#parts.routing.ready(this.#parts.writeTimeoutMs - (nowMs - this.startedMs)).then(
        () => this.send(),
        (error: unknown) => this.#unrouted(error),
      )
      return
    }
    if (!this.#isUncertain) this.#renewNumber(nowMs)
    if (this.#entry !== undefined && !this.#entry.has(shard, this.#stamp)) {
      this.#keep(this.#entry, shard)
      return
    }
    if (!this.#isUncertain && this.#entry === undefined) this.#firstSentMs = nowMs // what was refused is not in
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

  /** None of the earlier attempts is in, nor ever will be. What is kept on disk may have waited long for this one, and shards forget old numbers. */
  #renewNumber(nowMs: number): void {
    if (this.#entry === undefined || !this.#isSentBefore(this.#parts.writeTimeoutMs)) return
    if (this.#stamp !== undefined) this.#stamp = this.#parts.nextStamp(0)
    this.#firstSentMs = nowMs
  }

  /** The lease may end meanwhile, so the shard is picked anew. */
  #keep(entry: FlightEntry, shard: ShardRef): void {
    entry.keep(shard, this.#stamp).then(
      () => this.send(),
      (error: unknown) => {
        this.#keepFailures += 1
        if (isSpillwayError(error)) this.#retry(error, this.attempts + this.#keepFailures)
        else this.#giveUp(error, `A rule's encode threw: ${describeError(error)}`)
      },
    )
  }

  #unrouted(error: unknown): void {
    if (this.#entry === undefined) this.#giveUp(error, 'No lease on the routes could be had in time.')
    else this.#retry(error, this.attempts + 1)
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
    if (answer.throttles !== undefined) for (const throttle of answer.throttles) this.#noteThrottle(shard, throttle)
    this.#answered(answer)
  }

  #answered(answer: WriteAnswer): void {
    switch (answer.status) {
      case 'done':
        // Past the horizon a shard may have forgotten an earlier attempt and taken this one for the first, or have been merged
        // back and gone: then nobody reads what stands there.
        if (this.#isSentBefore(this.#parts.retryHorizonMs)) {
          this.#isUncertain = true
          this.#giveUp(undefined, 'The answer came after the retry horizon.')
        } else {
          this.#end({ error: undefined, units: unitsOf(answer), isLeft: false })
          this.#entry?.remove().catch(reportedOnceMore)
        }
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
    for (const throttle of throttlesOf(error)) this.#noteThrottle(shard, throttle)
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

  #noteThrottle(shard: ShardRef, throttle: ThrottleDetail): void {
    this.#parts.onThrottle(this.key, shard.index, throttle)
    if (this.isRefused || this.#isOver || throttle.scope !== 'key-range') return
    this.isRefused = true
    this.#countedMs = this.startedMs ?? 0
    if (this.window.isCounted) return
    this.window.isCounted = true
    this.#parts.onRefused(this.key)
  }

  #retry(cause: unknown, attempt = this.attempts): void {
    if (this.#isOver || this.#isEndedLate(cause)) return
    const { clock, random } = this.#parts
    this.#retryTimer = clock.setTimer(() => this.#sendAgain(cause), backoffMs(attempt, random))
  }

  /** A process may have been stopped since: nothing is sent again after its time. */
  #sendAgain(cause: unknown): void {
    if (!this.#isEndedLate(cause)) this.send()
  }

  /** Ends the flight when its time is up. What is kept on disk has more of it, but nobody is made to wait that long. */
  #isEndedLate(cause: unknown): boolean {
    const { writeTimeoutMs, retryHorizonMs } = this.#parts
    if (this.#entry !== undefined && this.#isUncertain && this.#isSentBefore(retryHorizonMs)) {
      this.#giveUp(cause, `No answer within the retry horizon of ${retryHorizonMs} ms.`)
      return true
    }
    if (this.ageMs() < writeTimeoutMs) return false
    const why = `No success within ${writeTimeoutMs} ms and ${this.attempts} attempts.`
    if (this.#entry === undefined) this.#giveUp(cause, why)
    else {
      const error = new WriteUnknownError(this.key, `${why} The spool keeps it, and it is tried again.`, cause)
      this.window.settle(error)
      this.onLate?.(cause)
      if (this.#parts.isClosing()) this.#leave(this.#entry, error)
    }
    return this.#isOver
  }

  /** From now on nothing may be sent to this key by this writer: a later number that is in would have this one answered as «done». */
  #leave(entry: FlightEntry, error: WriteUnknownError): void {
    this.#isOver = true
    this.#dropAttempt()
    const left = () => this.#onEnd(this, { error, units: undefined, isLeft: true })
    if (this.#isUncertain) left()
    else entry.unsend().then(left, left)
  }

  #giveUp(cause: unknown, why: string): void {
    if (this.#isOver) return
    const entry = this.#entry
    if (this.#isUncertain) {
      this.#end(failedWith(new WriteUnknownError(this.key, why, cause)))
      entry?.remove().catch(reportedOnceMore)
      return
    }
    const rejected = failedWith(new WriteRejectedError(this.key, why, cause))
    if (entry === undefined) {
      this.#end(rejected)
      return
    }
    this.#isOver = true
    this.#dropAttempt()
    // Nobody may be told «not written» of what the next start would write.
    entry.remove().then(
      () => this.#onEnd(this, rejected),
      (error: unknown) => {
        const doubt = `${why} It could not be removed from the spool, from which the next start may write it.`
        this.#onEnd(this, failedWith(new WriteUnknownError(this.key, doubt, error)))
      },
    )
  }

  #end(outcome: FlightOutcome): void {
    this.#isOver = true
    this.#dropAttempt()
    this.#onEnd(this, outcome)
  }

  /** Ends the watch over the attempt under way, or the wait for the next: it has been answered, or its answer does not matter any more. */
  #dropAttempt(): void {
    this.#retryTimer?.clear()
    this.#retryTimer = undefined
    if (this.#call === undefined) return
    this.#call = undefined
    this.#parts.deadlines.remove(this)
  }

  #isSentBefore(ms: number): boolean {
    return this.#firstSentMs !== undefined && this.#parts.clock.nowMs() - this.#firstSentMs >= ms
  }
}

function failedWith(error: WriteRejectedError | WriteUnknownError): FlightOutcome {
  return { error, units: undefined, isLeft: false }
}

/** The next start finds it, asks its shard again or reports it as too old: neither writes it twice. */
function reportedOnceMore(): void {}

// Problem: a store may refuse to have a key spread for as long as it is as it is: a key with an expiry in Redis, or of a type
//   that is not adopted. An announced route is never taken back, so such a key would stay announced: its reads ask all N shards,
//   and its route keeps the room of others in the directory.
// Scheme: the store is asked before a key that has no route is announced. What it lets through counts for a lease; what it
//   refuses is not asked again for a pause.
// Invariants: no key is announced that was not let through within the last lease; `underWayMax` questions at once, in the order
//   of the wishes, and none holds up the wish for another key; a bounded number of answers is kept.
// Cost: one request a growth from one shard, in stores that have something to refuse (`RecordStore.checkSpread`); for a key that
//   is refused and still wished for, one a pause, which doubles from a lease to the retry horizon.
// Source: docs/routing.md, «When a key is spread».

import type { RecordStore } from '../backend/backend.js'
import { isRefusal } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import type { Random } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import type { Events } from '../telemetry/events.js'
import type { Clock } from '../time/clock.js'
import { shardOf } from './route.js'

/** How many questions are under way at once. */
const underWayMax = 16

/** The answers of how many keys are kept; of the oldest beyond them, the store is asked anew. */
const answersMax = 4_096

/** What the questions are asked with. */
export interface SpreadChecksParts {
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly requestTimeoutMs: number
  readonly leaseMs: number
  readonly retryHorizonMs: number
}

interface Answer {
  readonly status: 'passed' | 'refused' | 'failed'
  /** So long it counts, or keeps the store from being asked again. */
  readonly untilMs: number
  /** How many of this status came in a row. */
  readonly count: number
}

/** Asks the store whether keys may be spread. */
export class SpreadChecks {
  readonly #parts: SpreadChecksParts
  readonly #answers = new Map<string, Answer>()
  /** Who is to be asked about, in this order. */
  #waiting: readonly string[] = []
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(parts: SpreadChecksParts) {
    this.#parts = parts
  }

  /** Whether the store refuses anything at all. */
  get isNeeded(): boolean {
    return this.#parts.store.checkSpread !== undefined
  }

  /** Whether a key may be announced now. */
  isPassed(key: string): boolean {
    return !this.isNeeded || this.#answerFor(key)?.status === 'passed'
  }

  /** Whether the key was refused lately, and the store is not asked about it for a while. */
  isRefused(key: string): boolean {
    return this.#answerFor(key)?.status === 'refused'
  }

  /** Asks about these keys, the most important first, and no longer about others that wait. */
  want(keys: readonly string[]): void {
    this.#waiting = keys.filter((key) => !this.#underWay.has(key) && this.#answerFor(key) === undefined)
    this.#askNext()
  }

  /** Asks about nothing more. Resolves when no question is under way. */
  async idle(): Promise<void> {
    this.#waiting = []
    await Promise.all(this.#underWay.values())
  }

  #answerFor(key: string): Answer | undefined {
    const answer = this.#answers.get(key)
    return answer !== undefined && this.#parts.clock.monotonicMs() < answer.untilMs ? answer : undefined
  }

  #askNext(): void {
    const room = Math.max(0, underWayMax - this.#underWay.size)
    const [next, later] = [this.#waiting.slice(0, room), this.#waiting.slice(room)]
    this.#waiting = later
    for (const key of next) this.#underWay.set(key, this.#ask(key))
  }

  async #ask(key: string): Promise<void> {
    const { store, clock, requestTimeoutMs, leaseMs } = this.#parts
    try {
      await callWithin(clock, requestTimeoutMs, async (call) => store.checkSpread?.(shardOf(key, undefined, 0), call))
      this.#note(key, 'passed', () => leaseMs)
    } catch (error) {
      this.#notPassed(key, error)
    } finally {
      this.#underWay.delete(key)
      this.#askNext()
    }
  }

  #notPassed(key: string, error: unknown): void {
    const { random, events, leaseMs, retryHorizonMs } = this.#parts
    if (isRefusal(error))
      // By chance later than that: all processes that see the key to be hot were refused at about the same time.
      this.#note(key, 'refused', (count) =>
        Math.min(leaseMs * 2 ** (count - 1) * (1 + random.next()), Math.max(leaseMs, retryHorizonMs)),
      )
    else this.#note(key, 'failed', (count) => backoffMs(count, random))
    if (events.hasListeners('route-stalled')) events.emit('route-stalled', { key, phase: 'cold', error })
  }

  #note(key: string, status: Answer['status'], pauseMs: (count: number) => number): void {
    const before = this.#answers.get(key)
    const count = before?.status === status ? before.count + 1 : 1
    this.#answers.delete(key) // so that the order is that of the answers
    this.#answers.set(key, { status, count, untilMs: this.#parts.clock.monotonicMs() + pauseMs(count) })
    for (const [oldest] of this.#answers) {
      if (this.#answers.size <= answersMax) return
      this.#answers.delete(oldest)
    }
  }
}

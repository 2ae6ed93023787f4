// Problem: the parts of a hot key's value stand in many shards, some of which may be slow, throttled or just being merged back.
// Scheme: read all shards of the route, in one backend batch where that is possible, else with bounded concurrency; read again
//   those that failed, with jittered back-off, until their time is up; merge what came.
// Invariants: the snapshot that named the shards is still under its lease when the last answer is in, or all is thrown away
//   and read again (rule lease-at-end); a shard that this very gather shows as absorbed is left out (rule absorbed).
// Cost: a cold key is one request and one call-back; a spread one ⌈shards ÷ shardsPerReadMax⌉ requests.
// Source: docs/routing.md; Dean and Barroso, «The Tail at Scale» (CACM 2013), for why fanout is kept small.

import pLimit from 'p-limit'

import type { RecordStore, RouteStamp, ShardAnswer, ShardContents, ShardsRead } from '../backend/backend.js'
import { asBackendError, type ThrottleDetail, throttlesOf } from '../backend/backend-error.js'
import { checkReadAnswers, unitsOf } from '../backend/guarded-backend.js'
import type { Random } from '../chance/random.js'
import { ReadFailedError } from '../errors/read-error.js'
import { backoffMs } from '../internal/backoff.js'
import type { DeadlineList } from '../internal/deadline-list.js'
import type { Field } from '../merge/merge-rule.js'
import type { ShardRef } from '../operation.js'
import type { ResolvedGatherOptions } from '../resolved-options.js'
import { shardOf, shardsToRead } from '../routing/route.js'
import type { Routing } from '../routing/routing.js'
import type { Snapshot } from '../routing/snapshot.js'
import type { Clock } from '../time/clock.js'
import { combine, type Gathered } from './combine.js'
import { forgottenBy, restoreRoute } from './forgotten-route.js'
import { ReadRequest } from './read-request.js'

/** What gathering needs from the stages around it. */
export interface GatherParts {
  readonly store: RecordStore
  readonly fields: readonly Field[]
  readonly routing: Routing
  readonly clock: Clock
  readonly random: Random
  readonly deadlines: DeadlineList
  readonly options: ResolvedGatherOptions
  readonly consistency: 'strong' | 'eventual'
  readonly shardsPerReadMax: number
  readonly requestTimeoutMs: number
  /** A request has been answered; `units` is what the store told, or undefined. */
  onRequest(key: string, units: number | undefined): void
  /** A shard, or a request as a whole, was throttled. */
  onThrottle(key: string, shardIndex: number, throttle: ThrottleDetail): void
}

/** Called once with what was gathered, or with an error. */
export type GatherDone = (gathered: Gathered | undefined, error: unknown) => void

/** How often a gather is thrown away because its lease ended meanwhile. */
const attemptsMax = 5

/** Reads keys of one record. */
export class Gather {
  readonly #parts: GatherParts

  constructor(parts: GatherParts) {
    this.#parts = parts
  }

  /** Reads all shards of a key. The first request leaves before this returns, if the lease holds. */
  read(key: string, done: GatherDone): void {
    const nowMs = this.#parts.clock.nowMs()
    const snapshot = this.#parts.routing.currentAt(nowMs)
    const route = snapshot?.route(key)
    if (snapshot !== undefined && (route === undefined || route.read === 1)) this.#readOne(key, snapshot, nowMs, done)
    else this.#readSpread(key, snapshot, nowMs, done)
  }

  #readOne(key: string, snapshot: Snapshot, nowMs: number, done: GatherDone): void {
    const { clock, random, options } = this.#parts
    const shards = [shardOf(key, undefined, 0)]
    this.#request(key, shards, nowMs, (answers, error) => {
      const answer = answers?.[0]
      const stamp = forgottenBy(snapshot, key, stampOf(answer))
      if (answer?.status === 'read' && stamp === undefined && snapshot.isValidAt(clock.nowMs())) {
        done({ states: answer.states, missingShards: none, shardCount: 1, cause: undefined }, undefined)
        return
      }
      this.#noteThrottle(key, shards, answers, error)
      if (answer?.status === 'read') {
        const restored = stamp === undefined ? settled : this.#restore(key, stamp, nowMs) // else the lease ended meanwhile
        restored.then(
          () => this.#readSpread(key, undefined, clock.nowMs(), done),
          (reason: unknown) => done(undefined, reason),
        )
        return
      }
      const cause = answer?.error ?? error
      const delayMs = backoffMs(1, random)
      if (!isWorthAnother(cause) || clock.nowMs() + delayMs >= nowMs + options.shardTimeoutMs)
        done(undefined, noneRead(key, 1, cause))
      else clock.setTimer(() => this.#readSpread(key, undefined, nowMs, done), delayMs)
    })
  }

  #readSpread(key: string, snapshot: Snapshot | undefined, beganMs: number, done: GatherDone): void {
    this.#gather(key, snapshot, beganMs).then(
      (gathered) => done(gathered, undefined),
      (error: unknown) => done(undefined, error),
    )
  }

  async #gather(key: string, known: Snapshot | undefined, beganMs: number): Promise<Gathered> {
    const { routing, clock, fields, options } = this.#parts
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const snapshot = attempt === 1 && known !== undefined ? known : await routing.ready(options.shardTimeoutMs)
      const shards = shardsToRead(key, snapshot.route(key))
      const attemptBeganMs = attempt === 1 ? beganMs : clock.nowMs()
      const answers = await this.#readAll(key, shards, attemptBeganMs)
      const stamp = forgottenBy(snapshot, key, stampOf(answers[0]))
      if (stamp !== undefined) await this.#restore(key, stamp, attemptBeganMs)
      else if (snapshot.isValidAt(clock.nowMs())) return requireSome(key, combine(fields, shards, answers))
    }
    throw new ReadFailedError(
      key,
      `The lease on the routes ended during each of ${attemptsMax} attempts: shards take longer to read than routing.leaseMs.`,
    )
  }

  /** Within the time of the attempt that found it. */
  #restore(key: string, stamp: RouteStamp, beganMs: number): Promise<void> {
    return restoreRoute(this.#parts, key, stamp, beganMs + this.#parts.options.shardTimeoutMs)
  }

  async #readAll(key: string, shards: readonly ShardRef[], beganMs: number): Promise<readonly ShardAnswer[]> {
    const { options, shardsPerReadMax } = this.#parts
    const giveUpMs = beganMs + options.shardTimeoutMs
    if (shards.length <= shardsPerReadMax) return this.#readBatch(key, shards, giveUpMs)
    const limit = pLimit(options.concurrencyMax)
    const batches: Promise<readonly ShardAnswer[]>[] = []
    for (let from = 0; from < shards.length; from += shardsPerReadMax) {
      const batch = shards.slice(from, from + shardsPerReadMax)
      batches.push(limit(() => this.#readBatch(key, batch, giveUpMs)))
    }
    return (await Promise.all(batches)).flat()
  }

  /** Reads a batch, and what failed of it again until it is complete or its time is up. */
  async #readBatch(key: string, shards: readonly ShardRef[], giveUpMs: number): Promise<readonly ShardAnswer[]> {
    const { clock, random } = this.#parts
    const answers = new Map<ShardRef, ShardAnswer>()
    let open = shards
    for (let attempt = 1; ; attempt++) {
      const asked = open
      const got = await new Promise<readonly ShardAnswer[]>((resolve) => {
        this.#request(key, asked, clock.nowMs(), (received, error) => {
          this.#noteThrottle(key, asked, received, error)
          resolve(received ?? asked.map(() => ({ status: 'failed', error })))
        })
      })
      for (const [i, shard] of asked.entries()) answers.set(shard, got[i] ?? { status: 'failed', error: undefined })
      open = asked.filter((shard) => {
        const answer = answers.get(shard)
        return answer?.status === 'failed' && isWorthAnother(answer.error)
      })
      const delayMs = backoffMs(attempt, random)
      if (open.length === 0 || clock.nowMs() + delayMs >= giveUpMs) break
      await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs))
    }
    return shards.map((shard) => answers.get(shard) ?? { status: 'failed', error: undefined })
  }

  #request(
    key: string,
    shards: readonly ShardRef[],
    nowMs: number,
    onAnswer: (answers: readonly ShardAnswer[] | undefined, error: unknown) => void,
  ): void {
    const { store, fields, consistency, deadlines, requestTimeoutMs } = this.#parts
    const read: ShardsRead = { shards, fields, consistency }
    const request = new ReadRequest(deadlines, (answers, error) => {
      const problem = answers === undefined ? error : problemOf(answers, read)
      this.#parts.onRequest(key, problem === undefined && answers !== undefined ? unitsOfAll(answers) : undefined)
      if (problem === undefined) {
        this.#noteHidden(key, shards, answers)
        onAnswer(answers, undefined)
      } else onAnswer(undefined, problem)
    })
    request.await(store.read(read, request.call), nowMs + requestTimeoutMs)
  }

  /** Throttles that the client made good by itself are heat all the same. */
  #noteHidden(key: string, shards: readonly ShardRef[], answers: readonly ShardAnswer[] | undefined): void {
    if (answers === undefined) return
    for (let i = 0; i < answers.length; i++) {
      const answer = answers[i]
      if (answer?.status !== 'read' || answer.throttles === undefined) continue
      for (const throttle of answer.throttles) this.#parts.onThrottle(key, shards[i]?.index ?? 0, throttle)
    }
  }

  #noteThrottle(
    key: string,
    shards: readonly ShardRef[],
    answers: readonly ShardAnswer[] | undefined,
    error: unknown,
  ): void {
    if (answers === undefined) this.#noteFailure(key, shards[0]?.index ?? 0, error)
    else {
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 'failed') this.#noteFailure(key, shards[i]?.index ?? 0, answer.error)
      }
    }
  }

  #noteFailure(key: string, shardIndex: number, error: unknown): void {
    for (const throttle of throttlesOf(asBackendError(error))) this.#parts.onThrottle(key, shardIndex, throttle)
  }
}

const settled = Promise.resolve()

function stampOf(answer: ShardAnswer | undefined): RouteStamp | undefined {
  return answer?.status === 'read' ? answer.route : undefined
}

/** A value of which no shard is known is none, however much a caller allows. */
function requireSome(key: string, gathered: Gathered): Gathered {
  if (gathered.missingShards.length < gathered.shardCount) return gathered
  throw noneRead(key, gathered.shardCount, gathered.cause)
}

function noneRead(key: string, shardCount: number, cause: unknown): ReadFailedError {
  return new ReadFailedError(key, `None of its shards (${shardCount}) could be read.`, cause)
}

function problemOf(answers: readonly ShardAnswer[], read: ShardsRead): unknown {
  try {
    checkReadAnswers(answers, read)
    return undefined
  } catch (error) {
    return error
  }
}

/** Shared by all reads in which no shard is missing. */
const none: readonly number[] = Object.freeze([])

function isWorthAnother(error: unknown): boolean {
  return asBackendError(error).kind !== 'invalid'
}

function unitsOfAll(answers: readonly ShardAnswer[]): number | undefined {
  let units: number | undefined
  for (const answer of answers) {
    const consumed = unitsOf(answer as Partial<ShardContents>)
    if (consumed !== undefined) units = (units ?? 0) + consumed
  }
  return units
}

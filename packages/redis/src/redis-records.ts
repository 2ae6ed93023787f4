// Problem: a change must be in a shard once, whatever the client, the network and the cluster do; a read must see all of it.
// Scheme: a shard is one hash. A write or an absorption is one run of one script; a read is one HMGET a shard, sent together.
//   A single whole number that needs no dedupe, to shard 0, which is never sealed, is a bare HINCRBY; several
//   fields are not, since what EXEC has begun it does not take back.
// Invariants: those of the contract. What routes rest upon – seals, absorptions, stamps – is answered once a replica has it.
// Cost: one request a write; one round trip a primary for a read.
// Source: backend.ts of the core; apply.ts.

import {
  BackendError,
  type Absorb,
  type Field,
  type FieldChange,
  type RecordStore,
  type RouteStamp,
  type ShardAnswer,
  type ShardContents,
  type ShardRef,
  type ShardsRead,
  type ShardWrite,
  type WriteAnswer,
} from '@spillway/core'

import { type Application, addBare, apply } from './apply.js'
import { absorbArgs, checkCount, inScriptOrder, isWholeSum, type Merged, writeArgs } from './apply-request.js'
import { answersOf, type CommandAnswer, type RedisPort } from './client-port.js'
import { isWrongType, readFailure, writeFailure } from './error-table.js'
import type { ResolvedRedisOptions } from './options.js'
import { placeOf } from './physical-key.js'
import { awaitReplicas, type Repetition } from './replication.js'
import { applyScript } from './scripts/apply.js'
import { clearScript } from './scripts/clear.js'
import { sealScript } from './scripts/seal.js'
import { stampScript } from './scripts/stamp.js'
import { contentsOf, fieldNamesOf, otherFieldsOf } from './shard-contents.js'

const done: WriteAnswer = Object.freeze({ status: 'done' })
const sealed: WriteAnswer = Object.freeze({ status: 'sealed' })

/** Records in Redis. */
export class RedisRecords implements RecordStore {
  readonly #port: RedisPort
  readonly #options: ResolvedRedisOptions

  constructor(port: RedisPort, options: ResolvedRedisOptions) {
    this.#port = port
    this.#options = options
  }

  write({ shard, changes, stamp, expiresInMs }: ShardWrite): Promise<WriteAnswer> {
    try {
      const { adoptStringAs, writeReplicas } = this.#options
      const isConfirmed = writeReplicas > 0
      if (changes.length === 0)
        throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
      const ordered = inScriptOrder(changes)
      if (stamp === undefined) this.#checkRough(shard, ordered)
      const application: Application<WriteAnswer> = {
        key: placeOf(shard),
        changes: ordered,
        isConfirmed,
        isDeduped: stamp !== undefined,
        resendCount: this.#port.resendCount(),
        argsOf: (merged) => writeArgs(stamp, isConfirmed, adoptStringAs, ordered, expiresInMs, merged),
        made: writeAnswerOf,
      }
      const [first] = ordered as [FieldChange]
      const isBare = stamp === undefined && shard.index === 0 && expiresInMs === undefined
      return isBare && ordered.length === 1 && !isConfirmed && isWholeSum(first)
        ? addBare(this.#port, this.#options, application, done)
        : apply(this.#port, this.#options, application)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async read({ shards, fields }: ShardsRead): Promise<readonly ShardAnswer[]> {
    if (shards.length === 0 || shards.length > this.#options.shardsPerReadMax)
      throw new BackendError(
        'invalid',
        `A read takes 1 to ${this.#options.shardsPerReadMax} shards, but came with ${shards.length}.`,
      )
    const namesElsewhere = fieldNamesOf(fields, 1)
    const sent = await answersOf(
      shards.map((shard) => {
        const key = placeOf(shard)
        return this.#port.send(key, ['hmget', key, ...(shard.index === 0 ? fieldNamesOf(fields, 0) : namesElsewhere)])
      }),
    )
    const answers: ShardAnswer[] = []
    let failureCount = 0
    for (const [i, shard] of shards.entries()) {
      const answer = sent[i] as CommandAnswer
      const isString = answer.status === 'failed' && this.#mayBeAdopted(shard, answer.error)
      const contents = isString ? await this.#adopted(shard, fields, answer.error) : answered(fields, answer)
      if (contents.status === 'failed') failureCount += 1
      answers.push(contents)
    }
    if (failureCount < answers.length) return answers
    throw (answers[0] as { error: unknown }).error
  }

  async seal(shard: ShardRef, fields: readonly Field[]): Promise<ShardContents> {
    checkCount(fields)
    const request = { script: sealScript, key: placeOf(shard), args: fieldNamesOf(fields, shard.index) }
    const answer = (await this.#change(request)) as readonly unknown[]
    const again = { ...request, stands: Array.isArray }
    const stood = (await awaitReplicas(this.#port, again, answer, answer[1], this.#options)) as readonly unknown[]
    const [values, , others] = stood
    return { ...contentsOf(fields, values), otherFields: otherFieldsOf(others) }
  }

  async absorb(absorb: Absorb): Promise<void> {
    const { adoptStringAs } = this.#options
    const { target, contents, fields } = absorb
    const changes = fields.flatMap((field, i) =>
      contents.states[i] === undefined ? [] : [{ ...field, state: contents.states[i] }],
    )
    const ordered = inScriptOrder(changes)
    const key = placeOf(target)
    const argsOf = (merged?: Merged) => absorbArgs(absorb, adoptStringAs, ordered, merged)
    const attachedCount = await apply(this.#port, this.#options, {
      key,
      changes: ordered,
      isConfirmed: false,
      isDeduped: true,
      resendCount: this.#port.resendCount(),
      argsOf,
      made: attachedOf,
    })
    const again = { script: applyScript, key, args: argsOf(), stands: isAbsorbed }
    await awaitReplicas(this.#port, again, undefined, attachedCount, this.#options)
  }

  async clear(shard: ShardRef, retentionMs: number): Promise<'expires'> {
    const args = [String(Math.ceil(retentionMs))]
    const answer = await this.#change({ script: clearScript, key: placeOf(shard), args })
    if (answer === 'cleared') return 'expires'
    throw new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.')
  }

  async stampRoute(shard: ShardRef, { revision, text }: RouteStamp): Promise<void> {
    const request = {
      script: stampScript,
      key: placeOf(shard),
      args: [String(revision), text, this.#options.adoptStringAs],
    }
    const attachedCount = await this.#change(request)
    await awaitReplicas(this.#port, { ...request, stands: () => true }, undefined, attachedCount, this.#options)
  }

  async checkSpread(shard: ShardRef): Promise<void> {
    const { adoptStringAs } = this.#options
    const args = [String(Number.MAX_SAFE_INTEGER), '', adoptStringAs, 'look'] // a stamp that is later than any
    try {
      await stampScript.run(this.#port, placeOf(shard), args)
    } catch (error) {
      throw readFailure(error)
    }
  }

  /**
   * Throws for a write that counts once for each copy, where copies are certain: without a connection the client would keep
   * every attempt and send them all, and replicas that miss one have others made.
   */
  #checkRough(shard: ShardRef, changes: readonly FieldChange[]): void {
    const field = changes.find(({ rule }) => !rule.isIdempotent)
    if (field === undefined) return
    const { writeReplicas } = this.#options
    if (writeReplicas > 0)
      throw new BackendError(
        'invalid',
        `redis({ writeReplicas }) must be 0 for records with dedupe: false and a field such as ${JSON.stringify(field.name)}, but is ${writeReplicas}: whenever replicas are late, the write would be repeated and count again. Leave dedupe on.`,
      )
    if (this.#port.isUp?.(placeOf(shard)) === false)
      throw new BackendError(
        'unavailable',
        `The ${this.#port.name} client has no connection, and would send every attempt of a write without a number once it has one. Nothing was sent.`,
      )
  }

  async #change({ script, key, args }: Omit<Repetition, 'stands'>): Promise<unknown> {
    const before = this.#port.resendCount()
    try {
      return await script.run(this.#port, key, args)
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
  }

  #mayBeAdopted(shard: ShardRef, error: unknown): boolean {
    return shard.index === 0 && this.#options.adoptStringAs !== '' && isWrongType(error)
  }

  /** A counter that was never written by Spillway. */
  async #adopted(shard: ShardRef, fields: readonly Field[], wrongType: unknown): Promise<ShardAnswer> {
    const [got] = await answersOf([this.#port.send(shard.key, ['get', shard.key])])
    if (got?.status !== 'answered') {
      const error = got !== undefined && !isWrongType(got.error) ? got.error : wrongType
      return { status: 'failed', error: readFailure(error) }
    }
    const values = fieldNamesOf(fields, 0).map((name) => (name === this.#options.adoptStringAs ? got.value : null))
    return answered(fields, { status: 'answered', value: values })
  }
}

function answered(fields: readonly Field[], answer: CommandAnswer): ShardAnswer {
  try {
    if (answer.status === 'answered') return contentsOf(fields, answer.value)
    return { status: 'failed', error: readFailure(answer.error) }
  } catch (error) {
    return { status: 'failed', error: readFailure(error) }
  }
}

function isAbsorbed(answer: unknown): answer is readonly ['done', unknown] {
  return Array.isArray(answer) && answer[0] === 'done'
}

function attachedOf(answer: unknown): unknown {
  if (isAbsorbed(answer)) return answer[1]
  throw new BackendError('unknown', 'Redis answered an absorb in a form that is not known.')
}

function writeAnswerOf(answer: unknown): WriteAnswer {
  if (answer === 'done') return done
  if (answer === 'sealed') return sealed
  if (Array.isArray(answer) && answer[0] === 'expired') return { status: 'expired', forgottenUpTo: Number(answer[1]) }
  throw new BackendError('unknown', 'Redis answered a write in a form that is not known.')
}

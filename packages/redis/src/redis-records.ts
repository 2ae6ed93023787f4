// Problem: a change must be in a shard once, whatever the client, the network and the cluster do; a read must see all of it.
// Scheme: a shard is one hash. A write or an absorption is one run of one script; a read is one HMGET a shard, sent together.
//   A field with a rule of the user's own is merged here, and the script takes it only if the stored text is still the one that
//   it was merged with.
// Invariants: those of the contract.
// Cost: one request a write, two where a field with a user's own rule has a value already; one round trip a primary for a read.
// Source: backend.ts of the core; scripts/apply.ts.

import {
  BackendError,
  type Absorb,
  type Field,
  type FieldChange,
  type RecordStore,
  type ShardAnswer,
  type ShardContents,
  type ShardRef,
  type ShardsRead,
  type ShardWrite,
  type WriteAnswer,
} from '@spillway/core'

import type { CommandAnswer, RedisPort } from './client-port.js'
import { isRedirection, isWrongType, readFailure, writeFailure } from './error-table.js'
import { absorbedField, absorbedOf, absorbedText, encoded, hashFieldOf, operationOf, stateOf } from './field-state.js'
import type { ResolvedRedisOptions } from './options.js'
import { placeOf } from './physical-key.js'
import { applyScript } from './scripts/apply.js'
import { clearScript } from './scripts/clear.js'
import { sealScript } from './scripts/seal.js'

/** So often a user's own merge is tried against others before the write is called unavailable: nothing is done, and the core waits. */
const mergesMax = 64

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

  async write({ shard, changes, stamp }: ShardWrite): Promise<WriteAnswer> {
    if (changes.length === 0)
      throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
    const head =
      stamp === undefined
        ? ['write', '', '', '']
        : ['write', stamp.writer, String(stamp.sequence), String(stamp.forgetUpTo)]
    const answer = await this.#apply(placeOf(shard), head, changes)
    if (answer === 'done') return done
    if (answer === 'sealed') return sealed
    if (Array.isArray(answer) && answer[0] === 'expired') return { status: 'expired', forgottenUpTo: Number(answer[1]) }
    throw new BackendError('unknown', 'Redis answered a write in a form that is not known.')
  }

  async read({ shards, fields }: ShardsRead): Promise<readonly ShardAnswer[]> {
    if (shards.length === 0 || shards.length > this.#options.shardsPerReadMax)
      throw new BackendError(
        'invalid',
        `A read takes 1 to ${this.#options.shardsPerReadMax} shards, but came with ${shards.length}.`,
      )
    const names = [...fields.map(({ name }) => hashFieldOf(name)), absorbedField]
    const commands = shards.map((shard) => {
      const key = placeOf(shard)
      return { key, command: ['hmget', key, ...names] }
    })
    const sent = await this.#port.sendEach(commands)
    const answers = await Promise.all(sent.map((answer, i) => this.#contents(shards[i] as ShardRef, fields, answer)))
    const failures = answers.flatMap((answer) => (answer.status === 'failed' ? [answer.error] : []))
    if (failures.length === answers.length) throw failures[0] as BackendError
    return answers
  }

  async seal(shard: ShardRef, fields: readonly Field[]): Promise<ShardContents> {
    const names = [...fields.map(({ name }) => hashFieldOf(name)), absorbedField]
    const key = placeOf(shard)
    const before = this.#port.resendCount()
    let values: unknown
    try {
      values = await sealScript.run(this.#port, key, names)
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
    return contentsOf(fields, values)
  }

  async clear(shard: ShardRef, retentionMs: number): Promise<'expires'> {
    const before = this.#port.resendCount()
    let answer: unknown
    try {
      answer = await clearScript.run(this.#port, placeOf(shard), [String(Math.ceil(retentionMs))])
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
    if (answer !== 1) throw new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.')
    return 'expires'
  }

  async absorb({ target, source, contents, fields }: Absorb): Promise<void> {
    const changes = fields.flatMap((field, i) =>
      contents.states[i] === undefined ? [] : [{ ...field, state: contents.states[i] }],
    )
    const head = ['absorb', String(source.index), String(source.generation.number), absorbedText(contents.absorbed)]
    const answer = await this.#apply(placeOf(target), head, changes)
    if (answer !== 'done') throw new BackendError('unknown', 'Redis answered an absorb in a form that is not known.')
  }

  /** Runs the script until no user's own rule was overtaken. */
  async #apply(key: string, head: readonly string[], changes: readonly FieldChange[]): Promise<unknown> {
    const custom = changes.filter(({ rule }) => rule.kind === 'custom')
    let args = [...head, this.#options.adoptStringAs, ...changes.flatMap((change) => argsOf(change))]
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#run(key, args, changes)
      if (!Array.isArray(answer) || answer[0] !== 'retry') return answer
      if (attempt === mergesMax)
        throw new BackendError('unavailable', `Others changed the key ${mergesMax} times while its fields were merged.`)
      const [, ...known] = answer as unknown[]
      const merged = new Map(
        custom.map((change, i) => [change.name, mergedArgs(change, known[2 * i], known[2 * i + 1])]),
      )
      args = [
        ...head,
        this.#options.adoptStringAs,
        ...changes.flatMap((change) => merged.get(change.name) ?? argsOf(change)),
      ]
    }
  }

  async #run(key: string, args: readonly string[], changes: readonly FieldChange[]): Promise<unknown> {
    const before = this.#port.resendCount()
    try {
      const { writeReplicas } = this.#options
      if (writeReplicas === 0) return await applyScript.run(this.#port, key, args)
      return await this.#runReplicated(key, args, writeReplicas)
    } catch (error) {
      const failure = writeFailure(error, this.#port.resendCount() !== before)
      throw failure.kind === 'invalid' ? withFieldName(failure, changes) : failure
    }
  }

  /** The script and a WAIT behind it on the same connection, which then covers what the script wrote. */
  async #runReplicated(key: string, args: readonly string[], replicas: number): Promise<unknown> {
    const wait = ['wait', String(replicas), String(this.#options.replicaWaitMs)]
    const [ran, waited] = await this.#port.sendInOrder(key, [applyScript.whole(key, args), wait])
    if (ran?.status !== 'answered') {
      // A pipeline follows no redirection; a read of the key lets the client learn where it is now.
      if (isRedirection(ran?.error)) await this.#port.send(key, ['exists', key])
      throw ran?.error
    }
    const count = waited?.status === 'answered' ? Number(waited.value) : 0
    if (ran.value === 'done' && count < replicas)
      throw new BackendError(
        'unknown',
        `${count} of ${replicas} replicas have the write. It may be lost in a failover.`,
      )
    return ran.value
  }

  async #contents(shard: ShardRef, fields: readonly Field[], answer: CommandAnswer): Promise<ShardAnswer> {
    try {
      if (answer.status === 'answered') return contentsOf(fields, answer.value)
      if (shard.index === 0 && this.#options.adoptStringAs !== '' && isWrongType(answer.error))
        return await this.#adopted(shard, fields, answer.error)
      throw answer.error
    } catch (error) {
      return { status: 'failed', error: readFailure(error) }
    }
  }

  /** A counter that was never written by Spillway. */
  async #adopted(shard: ShardRef, fields: readonly Field[], wrongType: unknown): Promise<ShardContents> {
    const text = await this.#port.send(shard.key, ['get', shard.key]).catch((error: unknown) => {
      throw isWrongType(error) ? wrongType : error
    })
    const values = fields.map(({ name }) => (hashFieldOf(name) === this.#options.adoptStringAs ? text : null))
    return contentsOf(fields, [...values, null])
  }
}

function contentsOf(fields: readonly Field[], values: unknown): ShardContents {
  if (!Array.isArray(values) || values.length !== fields.length + 1)
    throw new BackendError('unavailable', 'Redis answered a read in a form that is not known.')
  return {
    status: 'read',
    states: fields.map((field, i) => stateOf(field, values[i])),
    absorbed: absorbedOf(values[fields.length]),
  }
}

function argsOf(change: FieldChange): readonly string[] {
  return [operationOf(change), hashFieldOf(change.name), encoded(change), '']
}

function mergedArgs(change: FieldChange, text: unknown, digest: unknown): readonly string[] {
  if (typeof text !== 'string') return argsOf(change)
  try {
    const state = change.rule.merge(change.rule.decode(text), change.state)
    return ['c', hashFieldOf(change.name), change.rule.encode(state), String(digest)]
  } catch (error) {
    throw new BackendError('invalid', `A rule of the user's own threw: ${String(error)}`, { cause: error })
  }
}

/** The script names a field by its position. */
function withFieldName(failure: BackendError, changes: readonly FieldChange[]): BackendError {
  const [, position, why] = /^(\d+) (.*)$/.exec(failure.message) ?? []
  const name = changes[Number(position) - 1]?.name
  if (name === undefined) return failure
  return new BackendError('invalid', `Field ${JSON.stringify(name)} ${why}. Nothing was changed.`, {
    cause: failure.cause,
  })
}

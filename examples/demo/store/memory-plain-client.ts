import {
  type Backend,
  type Call,
  type Field,
  type FieldChange,
  type Generation,
  type PrepareContext,
  type Random,
  type ShardRef,
} from '@spillway/core'

import { userRules, type UserChange, type UserTotals } from '../record.js'
import { BlindRetries } from './blind-retries.js'
import type { Place, PlainClient } from './demo-store.js'

/** Places of an application without Spillway have no generations: a suffix, once given, stays. */
const noGeneration: Generation = { number: 0, nonce: 0 }

/**
 * The store as an application without Spillway uses it: one atomic update a write (`ADD` and the like, no number that would tell a repetition), one
 * request a read. Better off than with DynamoDB itself, where `max` and `latest` need a condition and a second field of theirs.
 */
export class MemoryPlainClient implements PlainClient {
  readonly #backend: Backend
  readonly #retries: BlindRetries
  readonly #context: Omit<PrepareContext, 'field'>
  readonly #fields: readonly Field[] = Object.entries(userRules).map(([name, rule]) => ({ name, rule }))
  readonly #call: Call = { signal: new AbortController().signal }

  constructor(backend: Backend, writer: string, random: Random) {
    this.#backend = backend
    this.#retries = new BlindRetries(random)
    this.#context = { stamps: { writer, next: noStamp }, integerMax: backend.capabilities.integerMax }
  }

  write(place: Place, change: UserChange): Promise<void> {
    return this.#retries.run(() => this.#write(shardOf(place), change))
  }

  read(places: readonly Place[]): Promise<UserTotals> {
    return this.#retries.run(this.#reading(places.map(shardOf)))
  }

  async #write(shard: ShardRef, change: UserChange): Promise<void> {
    const changes: FieldChange[] = []
    for (const field of this.#fields) {
      const value: unknown = change[field.name as keyof UserChange]
      if (value === undefined) continue
      changes.push({ ...field, state: field.rule.prepare(value, { ...this.#context, field: field.name }) })
    }
    await this.#backend.records.write({ shard, changes, stamp: undefined }, this.#call)
  }

  /** Each call of what it returns is one attempt, which asks only for places that have not answered yet. */
  #reading(shards: readonly ShardRef[]): () => Promise<UserTotals> {
    const states: unknown[] = this.#fields.map(() => undefined)
    let missing = shards
    return async () => {
      const answers = await this.#backend.records.read(
        { shards: missing, fields: this.#fields, consistency: 'strong' },
        this.#call,
      )
      const failed: ShardRef[] = []
      let failure: unknown
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 'read') this.#merge(states, answer.states)
        else {
          failed.push(missing[i] as ShardRef)
          failure = answer.error
        }
      }
      missing = failed
      if (missing.length > 0) throw failure
      return this.#view(states)
    }
  }

  #merge(states: unknown[], more: readonly unknown[]): void {
    for (const [i, field] of this.#fields.entries()) {
      const [a, b] = [states[i], more[i]]
      states[i] = a === undefined ? b : b === undefined ? a : field.rule.merge(a, b)
    }
  }

  #view(states: readonly unknown[]): UserTotals {
    return Object.fromEntries(
      this.#fields.map((field, i) => [field.name, field.rule.view(states[i], field.name)]),
    ) as UserTotals
  }
}

function shardOf({ key, index }: Place): ShardRef {
  return { key, index, generation: noGeneration }
}

function noStamp(): never {
  throw new Error('Every page comes with the time of its edit.')
}

import {
  isBackendError,
  type Backend,
  type Call,
  type Field,
  type FieldChange,
  type Generation,
  type PrepareContext,
  type ShardRef,
} from '@spillway/core'

import type { Outcome } from '../check/expected-totals.js'
import { userRules, type UserChange, type UserTotals } from '../record.js'

/** Places of an application without Spillway have no generations: a suffix, once given, stays. */
export const noGeneration: Generation = { number: 0, nonce: 0 }

/**
 * The store as an application without Spillway uses it: one atomic update a write (`ADD` and the like, no number that would tell a repetition), one
 * request a read. Better off than with DynamoDB itself, where `max` and `latest` need a condition and a second field of theirs.
 */
export class PlainTable {
  readonly #backend: Backend
  readonly #context: Omit<PrepareContext, 'field'>
  readonly #fields: readonly Field[] = Object.entries(userRules).map(([name, rule]) => ({ name, rule }))
  readonly #call: Call = { signal: new AbortController().signal }

  constructor(backend: Backend, writer: string) {
    this.#backend = backend
    this.#context = { stamps: { writer, next: noStamp }, integerMax: backend.capabilities.integerMax }
  }

  /** One attempt to merge a change into one place. */
  async write(shard: ShardRef, change: UserChange): Promise<void> {
    const changes: FieldChange[] = []
    for (const field of this.#fields) {
      const value: unknown = change[field.name as keyof UserChange]
      if (value === undefined) continue
      changes.push({ ...field, state: field.rule.prepare(value, { ...this.#context, field: field.name }) })
    }
    await this.#backend.records.write({ shard, changes, stamp: undefined }, this.#call)
  }

  /** Begins a read of some places of a record. Each call of what it returns is one attempt, which asks only for places that have not answered yet. */
  reading(shards: readonly ShardRef[]): () => Promise<UserTotals> {
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

function noStamp(): never {
  throw new Error('Every page comes with the time of its edit.')
}

/** What the error that a retried call ends with tells its caller: a lost answer leaves open whether the write is in, all others say that it is not. */
export function outcomeOfPlain(error: unknown): Exclude<Outcome, 'done'> | undefined {
  if (!isBackendError(error) || error.kind === 'invalid') return undefined
  return error.kind === 'unknown' ? 'unknown' : 'rejected'
}

import type { ShardAnswer } from '../backend/backend.js'
import { isRetryable } from '../errors/is-retryable.js'
import type { Field } from '../merge/merge-rule.js'
import type { ShardRef } from '../operation.js'

/** What the shards of a key say together. */
export interface Gathered {
  /** Merged states in the order of the fields; undefined where nothing was written. */
  readonly states: readonly unknown[]
  /** Indexes of shards that could not be read; frozen, since readers share it. */
  readonly missingShards: readonly number[]
  /** How many shards the key has for reads. */
  readonly shardCount: number
  /** Why the last of them is missing; rather why one that will never be there. */
  readonly cause: unknown
}

/**
 * Merges shards into one value. A shard that any shard of this same gather records as absorbed is left out, also when it
 * could not be read: its contents are in the other already (rule absorbed).
 */
export function combine(
  fields: readonly Field[],
  shards: readonly ShardRef[],
  answers: readonly ShardAnswer[],
): Gathered {
  const absorbed = absorbedGenerations(answers)
  const states: unknown[] = fields.map(() => undefined)
  const missingShards: number[] = []
  let cause: unknown
  for (const [i, shard] of shards.entries()) {
    const answer = answers[i]
    if (
      answer === undefined ||
      (absorbed !== undefined && (absorbed.get(shard.index) ?? -1) >= shard.generation.number)
    )
      continue
    if (answer.status === 'failed') {
      missingShards.push(shard.index)
      if (isRetryable(cause)) cause = answer.error
    } else mergeStates(states, fields, answer.states)
  }
  return { states, missingShards: Object.freeze(missingShards), shardCount: shards.length, cause }
}

/** Merges `more` into `states`, field by field. */
export function mergeStates(states: unknown[], fields: readonly Field[], more: readonly unknown[]): void {
  for (const [i, { rule }] of fields.entries()) {
    const state = more[i]
    if (state !== undefined) states[i] = states[i] === undefined ? state : rule.merge(states[i], state)
  }
}

function absorbedGenerations(answers: readonly ShardAnswer[]): Map<number, number> | undefined {
  let highest: Map<number, number> | undefined
  for (const answer of answers) {
    if (answer.status !== 'read' || answer.absorbed === undefined) continue
    highest ??= new Map<number, number>()
    for (const { index, generation } of answer.absorbed)
      highest.set(index, Math.max(generation, highest.get(index) ?? generation))
  }
  return highest
}

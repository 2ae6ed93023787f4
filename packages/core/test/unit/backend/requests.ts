import type { Absorb, Backend, Call, FieldChange, ShardContents, WriteStamp } from '../../../src/backend/backend.js'
import type { AnyRule, Field } from '../../../src/merge/merge-rule.js'
import { sum } from '../../../src/merge/sum.js'
import { ownGeneration, type ShardRef } from '../../../src/operation.js'

/** A call that nobody aborts. */
export const call: Call = { signal: new AbortController().signal }

/** The rule of the field `total`. */
const total = sum() as AnyRule

/** The one field that most of these tests use. */
export const totalField: Field = { name: 'total', rule: total }

export function ownShard(key: string): ShardRef {
  return { key, index: 0, generation: ownGeneration }
}

export function shardOf(key: string, index: number, number = 7, nonce = 0xc0ffee): ShardRef {
  return { key, index, generation: { number, nonce } }
}

export function adding(amount: number): readonly FieldChange[] {
  return [{ ...totalField, state: amount }]
}

export function stampOf(writer: string, sequence: number, forgetUpTo = 0): WriteStamp {
  return { writer, sequence, forgetUpTo }
}

/** Writes an amount; answers with the status. */
export async function add(backend: Backend, shard: ShardRef, amount: number, stamp?: WriteStamp): Promise<string> {
  return (await backend.records.write({ shard, changes: adding(amount), stamp }, call)).status
}

/** What a strong read says of one shard. */
export async function contentsOf(
  backend: Backend,
  shard: ShardRef,
  fields: readonly Field[] = [totalField],
): Promise<ShardContents> {
  const [answer] = await backend.records.read({ shards: [shard], fields, consistency: 'strong' }, call)
  if (answer?.status !== 'read') throw new Error(`expected contents, but the answer was ${String(answer?.status)}`)
  return answer
}

/** The total of one shard. */
export async function totalOf(backend: Backend, shard: ShardRef): Promise<unknown> {
  return (await contentsOf(backend, shard)).states[0]
}

export function absorbOf(target: ShardRef, source: ShardRef, contents: ShardContents): Absorb {
  return { target, source, contents, fields: [totalField] }
}

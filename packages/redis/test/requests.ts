import { sum, type AnyRule, type Backend, type WriteAnswer } from '@spillway/core'

/** What goes with requests that nobody aborts. */
export const call = { signal: new AbortController().signal }

/** The field that most tests write. */
export const total = { name: 'total', rule: sum() as AnyRule }

/** A shard of a key. */
export function shardOf(key: string, index = 0) {
  return { key, index, generation: { number: index, nonce: 7 } }
}

/** Adds 1 to a shard, under a number of the writer `w`, or under none. */
export function addOne(backend: Backend, key: string, sequence?: number, index = 0): Promise<WriteAnswer> {
  const stamp = sequence === undefined ? undefined : { writer: 'w', sequence, forgetUpTo: 0 }
  return backend.records.write({ shard: shardOf(key, index), changes: [{ ...total, state: 1 }], stamp }, call)
}

/** The state of a shard. */
export async function totalIn(backend: Backend, key: string, index = 0): Promise<unknown> {
  const read = { shards: [shardOf(key, index)], fields: [total], consistency: 'strong' } as const
  const [answer] = await backend.records.read(read, call)
  return answer?.status === 'read' ? answer.states[0] : answer?.error
}

/** What a request fails with. */
export async function failureOf(request: Promise<unknown>): Promise<{ kind: unknown; message: string }> {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('The request was answered.')
  return { kind: (error as { kind?: unknown }).kind, message: error.message }
}

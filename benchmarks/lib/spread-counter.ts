import { type Backend, type ClientOptions, createClient, type ShardsRead } from '@spillway/core'

import { counterRules } from './counter.js'

/** A key that stands in many shards of a real store, each of which holds something. */
export interface SpreadCounter {
  /** What all shards hold together. */
  readonly total: number
  /** What the adapter is asked for when the key is read. */
  readonly asked: ShardsRead
  /** What a client needs beside its backend, to find the key spread and to keep it so. */
  readonly options: Omit<ClientOptions, 'backend'>
}

/** Has a client spread a key that is declared hot, through all phases, and writes to each shard. Nobody else may use the backend object. */
export async function spreadCounter(backend: Backend, key: string, shardCount: number): Promise<SpreadCounter> {
  const { records: store } = backend
  const options = {
    sharding: { rules: [{ match: key, fanout: shardCount }] },
    routing: { refreshMs: 300, leaseMs: 900 }, // phases last leases
  }
  let asked: ShardsRead | undefined
  const read = store.read.bind(store)
  store.read = (shardsRead, call) => {
    asked = shardsRead
    return read(shardsRead, call)
  }
  const client = await createClient({ backend, ...options })
  const records = client.records('counter', counterRules)
  await new Promise<void>((resolve) => {
    client.on('route-changed', (route) => {
      if (route.key === key && route.write === shardCount) resolve()
    })
  })
  await records.read(key)
  if (asked?.shards.length !== shardCount) throw new Error(`${key} was read from ${asked?.shards.length} shards`)
  const { shards, fields } = asked
  const { signal } = new AbortController()
  for (const shard of shards) {
    const changes = fields.map((field) => ({ ...field, state: shard.index + 1 }))
    await store.write({ shard, changes, stamp: undefined }, { signal })
  }
  await client.close()
  return { total: (shardCount * (shardCount + 1)) / 2, asked, options }
}

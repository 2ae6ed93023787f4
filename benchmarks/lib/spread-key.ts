import { createClient, memory, sum } from '@spillway/core'

/** A record, one key of which is read from `shardCount` shards of a backend that takes so many a request. */
export async function spreadKey(key: string, shardCount: number, shardsPerReadMax: number, concurrencyMax: number) {
  const client = await createClient({
    backend: memory({ shardsPerReadMax }),
    sharding: { rules: [{ match: key, fanout: shardCount }] },
    gather: { concurrencyMax },
  })
  const records = client.records('edits', { edits: sum() })
  const fanouts = new Set([1])
  client.on('route-changed', ({ read }) => fanouts.add(read))
  while (!fanouts.has(shardCount)) await new Promise((resolve) => setTimeout(resolve, 10))
  return records
}

import { join } from 'node:path'

import { createClient, type Client, type ShardingRule } from '@spillway/core'
import { hottestChannel, storeEdits, type Edit, type EditReport, type RedisCluster } from '@spillway/testkit'
import { Cluster } from 'ioredis'

import { redis } from '../src/index.js'
import { opened, type ClusterPlace } from './clients.js'

/** What was stored, and what is there. */
export interface StoredEdits extends EditReport {
  /** How many members the sorted set at each place of the hottest channel has: items, and a few of Spillway's own. */
  readonly membersByPlace: Readonly<Record<string, number>>
}

/** A client on a cluster with timings under which routes grow within a test, also on a machine that is busy. */
export async function openEdits(
  { addresses, natMap = {} }: ClusterPlace,
  rules: readonly ShardingRule[] = [],
): Promise<{ readonly client: Client; readonly close: () => Promise<void> }> {
  const driver = await opened(new Cluster([...addresses], { natMap: { ...natMap }, clusterRetryStrategy: () => 20 }))
  const client = await createClient({
    backend: redis({ client: driver.client }),
    routing: { refreshMs: 100, leaseMs: 600 },
    collapse: { windowMs: 5 },
    limits: { requestTimeoutMs: 3_000, writeTimeoutMs: 30_000 },
    sharding: { fanoutMax: 4, rules },
  })
  return {
    client,
    async close() {
      await client.close()
      await driver.close()
    },
  }
}

/** Stores the log's first edits by processes, which find the cluster at `place`; reads them back from the nodes themselves. */
export async function storedEdits(
  cluster: RedisCluster,
  place: ClusterPlace,
  editCount: number,
  draftCount: number,
): Promise<StoredEdits> {
  const { client, close } = await openEdits(cluster)
  try {
    const { addresses, natMap } = place
    const report = await storeEdits({
      script: join(import.meta.dirname, 'edit-process.ts'),
      args: [JSON.stringify({ addresses, natMap })],
      editCount,
      draftCount,
      feed: client.collection<Edit>('edits'),
    })
    return { ...report, membersByPlace: await hottestPlaces(cluster) }
  } finally {
    await close()
  }
}

async function hottestPlaces(cluster: RedisCluster): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {}
  for (const node of cluster.nodes.slice(0, 3))
    for (const place of (await node.call('KEYS', `*${hottestChannel}*`)) as string[])
      sizes[place] = (await node.call('ZCARD', place)) as number
  return sizes
}

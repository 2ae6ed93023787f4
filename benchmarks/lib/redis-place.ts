// A running Redis, single or a cluster, and the clients that are compared on it. Each client has connections of its own; what
// was stored is read by another one.

import type { Backend } from '@spillway/core'
import { redis } from '@spillway/redis'
import { Cluster, Redis } from 'ioredis'
import { createClient as createNodeRedis, createCluster as createNodeRedisCluster } from 'redis'

import type { Counted } from './counter.js'

const noTimeout = { timeout: 0 }

/** A Redis and its clients. INCR and HINCRBY are counted on all primaries, also inside of scripts: there is one in each request. */
export interface RedisPlace extends Counted {
  readonly name: string
  /** A client of ioredis that is ready. */
  ioredis(options?: { readonly enableAutoPipelining?: boolean }): Promise<Redis | Cluster>
  /** A client of node-redis that is connected, without a time-out a command, which would cost it five times as much. */
  nodeRedis(): Promise<{ incr(key: string): Promise<number> }>
}

/** A place at `redis://host:port`. */
export async function singleRedis(address: string): Promise<RedisPlace> {
  const connect = async (options = {}) => readyIoredis(new Redis(address, { ...options, lazyConnect: true }))
  const control = await connect()
  return {
    name: 'single Redis',
    ioredis: connect,
    nodeRedis: () => createNodeRedis({ url: address, commandOptions: noTimeout }).on('error', endOfEngines).connect(),
    requestCount: () => requestCountOf([control]),
    totalOf: (keys) => totalOf(control, keys),
  }
}

/** A place at `host:port,…`. */
export async function clusteredRedis(address: string): Promise<RedisPlace> {
  const nodes = address.split(',').map((node) => {
    const [host = '', port] = node.split(':')
    return { host, port: Number(port) }
  })
  const connect = async (options = {}) => readyIoredis(new Cluster(nodes, { ...options, lazyConnect: true }))
  const control = await connect()
  return {
    name: 'six-node cluster',
    ioredis: connect,
    nodeRedis: async () => {
      const rootNodes = nodes.map((socket) => ({ socket }))
      const cluster = createNodeRedisCluster({ rootNodes, commandOptions: noTimeout })
      return cluster.on('error', endOfEngines).connect()
    },
    requestCount: () => requestCountOf(control.nodes('master')),
    totalOf: (keys) => totalOf(control, keys),
  }
}

/** A backend over a client of ioredis. */
export function backendOf(client: Redis | Cluster): Backend {
  return redis({ client })
}

async function readyIoredis<Client extends Redis | Cluster>(client: Client): Promise<Client> {
  client.on('error', endOfEngines)
  await client.connect()
  return client
}

/** Engines go down before their clients do; whatever fails earlier rejects an operation. */
function endOfEngines(): void {}

async function requestCountOf(nodes: readonly Redis[]): Promise<number> {
  const stats = await Promise.all(nodes.map((node) => node.info('commandstats')))
  const calls = stats.flatMap((text) => [...text.matchAll(/^cmdstat_h?incr(?:by)?:calls=(\d+)/gm)])
  return calls.reduce((total, [, count]) => total + Number(count), 0)
}

/** Strings, and the field `n` of hashes. */
async function totalOf(client: Redis | Cluster, keys: readonly string[]): Promise<number> {
  const values = await Promise.all(
    keys.map(async (key) => {
      const type = await client.type(key)
      return type === 'hash' ? client.hget(key, 'n') : type === 'none' ? 0 : client.get(key)
    }),
  )
  return values.reduce<number>((total, value) => total + Number(value), 0)
}

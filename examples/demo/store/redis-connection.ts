import { Cluster, Redis } from 'ioredis'

import { ArgumentError } from '../argument-error.js'
import type { HostedEngine } from './start-host.js'

/** A client of Redis, as applications have it: with ioredis's own defaults. */
export type RedisConnection = Redis | Cluster

/** Opens a client. It connects by itself and again whenever it is cut off. */
export function openRedis(isCluster: boolean, { address, natMap }: HostedEngine): RedisConnection {
  const nodes = address.split(',').map(nodeOf)
  const client = isCluster ? openCluster(nodes, natMap) : new Redis({ ...nodes[0] })
  client.on('error', () => undefined) // callers hear of it by what they have asked for
  return client
}

function openCluster(nodes: readonly Node[], natMap: HostedEngine['natMap']): Cluster {
  const { host: _host, port: _port, db: _db, ...redisOptions } = nodes[0] as Node
  const starts = nodes.map(({ host, port }) => ({ host, port }))
  return new Cluster(starts, { redisOptions, ...(natMap !== undefined && { natMap: { ...natMap } }) })
}

interface Node {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly tls?: object
  readonly db?: number
}

/** Host, port and what else a URL or `host:port` says of a node. */
function nodeOf(text: string): Node {
  const url = new URL(text.includes('://') ? text : `redis://${text}`)
  return {
    host: url.hostname,
    port: Number(url.port || 6_379),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
    ...(url.pathname.length > 1 && { db: Number(url.pathname.slice(1)) }),
  }
}

/** Where it is, without the password. */
export function shownAddress({ address }: HostedEngine): string {
  return address.replaceAll(/\/\/[^/@,]*@/g, '//')
}

const probeMs = 5_000
const probeAttempts = 3 // a proxy may cut one off

/** Asks for the version, to see that somebody is there. Throws `ArgumentError` when nobody is, or not what was asked for. */
export async function probeRedis(isCluster: boolean, engine: HostedEngine): Promise<string> {
  const client = openRedis(isCluster, engine)
  try {
    const info = await Promise.race([client.info('server'), unreachable(client)])
    if (!isCluster && /redis_mode:cluster/.test(info))
      throw new Error('it is a node of a cluster, which --backend redis-cluster is for')
    return /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version'
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
    const what = isCluster ? 'nodes of a Redis Cluster' : 'a Redis'
    throw new ArgumentError(
      `--address must name ${what} that can be reached, but was ${JSON.stringify(shownAddress(engine))}: ${why}`,
    )
  } finally {
    client.disconnect()
  }
}

/** Rejects once it is plain that nobody answers: a client of Redis tries for ever. */
function unreachable(client: RedisConnection): Promise<never> {
  return new Promise((_resolve, reject) => {
    let failureCount = 0
    client.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
      failureCount += 1
      if (failureCount === probeAttempts) reject(error.lastNodeError ?? error)
    })
    setTimeout(() => reject(new Error('no answer')), probeMs).unref()
  })
}

/** Removes every key that contains `mark`, and nothing else. */
export async function removeKeys(client: RedisConnection, mark: string): Promise<void> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  for (const node of nodes) {
    for await (const found of node.scanStream({ match: `*${mark}*`, count: 1_000 })) {
      const commands = (found as string[]).map((key) => ['unlink', key])
      if (commands.length > 0) await node.pipeline(commands).exec()
    }
  }
}

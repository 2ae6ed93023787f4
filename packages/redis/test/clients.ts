import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster } from 'redis'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis-5'
import type { NodeAddress } from '@spillway/testkit'

import { fromNodeRedis, type RedisOptions } from '../src/index.js'

/** A client of an application, and how it is closed. */
export interface Opened {
  readonly client: RedisOptions['client']
  flush(): Promise<unknown>
  ping(): Promise<unknown>
  close(): Promise<void> | void
}

/** Clients that say soon that they cannot reach Redis; by default some wait for ever. */
const impatient = { host: '127.0.0.1', maxRetriesPerRequest: 1, retryStrategy: () => 50 }
const often = { host: '127.0.0.1', reconnectStrategy: 50 }

/** Every client that the backend is made for, on a single Redis. */
export const singleClients: readonly (readonly [string, (port: number) => Promise<Opened>])[] = [
  ['ioredis 6', (port) => opened(new Redis({ port, ...impatient }))],
  ['ioredis 5', (port) => opened(new Redis5({ port, ...impatient }))],
  ['node-redis 6', (port) => connected(createClient({ socket: { port, ...often }, disableOfflineQueue: true }))],
  ['node-redis 5', (port) => connected(createClient5({ socket: { port, ...often }, disableOfflineQueue: true }))],
]

/** The same on a cluster. */
export const clusterClients: readonly (readonly [string, (nodes: readonly NodeAddress[]) => Promise<Opened>])[] = [
  ['ioredis 6', (nodes) => opened(new Cluster([...nodes]))],
  ['ioredis 5', (nodes) => opened(new Cluster5([...nodes]))],
  ['node-redis 6', (nodes) => connectedCluster(createCluster({ rootNodes: rootsOf(nodes) }))],
  ['node-redis 5', (nodes) => connectedCluster(createCluster5({ rootNodes: rootsOf(nodes) }))],
]

function rootsOf(nodes: readonly NodeAddress[]) {
  return nodes.map((socket) => ({ socket }))
}

/** Faults are part of many tests; what a client says of them to nobody is of no interest. */
function quiet(client: { on(event: 'error', listener: (error: unknown) => void): unknown }): void {
  client.on('error', () => undefined)
}

/** Wraps an ioredis client. */
export function opened(client: Redis | Redis5 | Cluster | Cluster5): Promise<Opened> {
  quiet(client)
  const flush = () =>
    'nodes' in client
      ? Promise.all(client.nodes('master').map((node: Redis | Redis5) => node.call('flushall')))
      : client.call('flushall')
  return Promise.resolve({ client, flush, ping: () => client.call('ping'), close: () => client.disconnect() })
}

interface NodeRedisSingle {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
  sendCommand(command: string[]): Promise<unknown>
  destroy(): void
}

/** Connects and wraps a client of node-redis. */
export async function connected(client: NodeRedisSingle): Promise<Opened> {
  quiet(client)
  await client.connect()
  return {
    client: fromNodeRedis(client),
    flush: () => client.sendCommand(['FLUSHALL']),
    ping: () => client.sendCommand(['PING']),
    close: () => client.destroy(),
  }
}

interface NodeRedisClustered {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, command: string[]): Promise<unknown>
  readonly slots: readonly { readonly master: unknown }[]
  readonly masters: readonly unknown[]
  nodeClient(node: never): Promise<{ sendCommand(command: string[]): Promise<unknown> }>
  destroy(): void
}

/** Connects and wraps a cluster client of node-redis. */
export async function connectedCluster(client: NodeRedisClustered): Promise<Opened> {
  quiet(client)
  await client.connect()
  const flush = () =>
    Promise.all(client.masters.map(async (node) => (await client.nodeClient(node as never)).sendCommand(['FLUSHALL'])))
  const ping = () => client.sendCommand(undefined, false, ['PING'])
  return { client: fromNodeRedis(client), flush, ping, close: () => client.destroy() }
}

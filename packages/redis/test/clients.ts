import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster } from 'redis'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis-5'
import type { NodeAddress, RedisSentinel } from '@spillway/testkit'

import { fromNodeRedis, type NodeRedisClient, type NodeRedisCluster, type RedisOptions } from '../src/index.js'

/** A client of an application, and how it is closed. */
export interface Opened {
  readonly client: RedisOptions['client']
  /** How many commands it was asked to send so far. */
  requestCount(): number
  ping(): Promise<unknown>
  close(): Promise<void> | void
}

/** Where the nodes of a cluster are, and where clients are to find them instead. */
export interface ClusterPlace {
  readonly addresses: readonly NodeAddress[]
  readonly natMap?: Readonly<Record<string, NodeAddress>>
}

type IoredisCluster = Cluster | Cluster5 | ValkeyCluster
type Ioredis = Redis | Redis5 | Valkey | IoredisCluster

/**
 * Clients that say soon that they cannot reach Redis; by default some wait for ever. One that sends again by itself would do so as
 * long as answers are lost.
 */
const impatient = {
  host: '127.0.0.1',
  maxRetriesPerRequest: 1,
  retryStrategy: () => 50,
  autoResendUnfulfilledCommands: false,
}
const often = { host: '127.0.0.1', reconnectStrategy: 50 }
const impatientCluster = { enableOfflineQueue: false, clusterRetryStrategy: () => 50 }

/** Every client that the backend is made for, on a single Redis. */
export const singleClients: readonly (readonly [string, (port: number) => Promise<Opened>])[] = [
  ['ioredis 6', (port) => opened(new Redis({ port, ...impatient }))],
  ['ioredis 5', (port) => opened(new Redis5({ port, ...impatient }))],
  ['iovalkey', (port) => opened(new Valkey({ port, ...impatient }))],
  ['node-redis 6', (port) => connected(createClient({ socket: { port, ...often }, disableOfflineQueue: true }))],
  ['node-redis 5', (port) => connected(createClient5({ socket: { port, ...often }, disableOfflineQueue: true }))],
]

/** The same on a cluster. */
export const clusterClients: readonly (readonly [string, (place: ClusterPlace) => Promise<Opened>])[] = [
  ['ioredis 6', (place) => ready(new Cluster([...place.addresses], { ...impatientCluster, ...mapOf(place) }))],
  ['ioredis 5', (place) => ready(new Cluster5([...place.addresses], { ...impatientCluster, ...mapOf(place) }))],
  ['iovalkey', (place) => ready(new ValkeyCluster([...place.addresses], { ...impatientCluster, ...mapOf(place) }))],
  ['node-redis 6', (place) => connectedCluster(createCluster(nodeRedisOptions(place)))],
  ['node-redis 5', (place) => connectedCluster(createCluster5(nodeRedisOptions(place)))],
]

/** Those that know sentinels, on a primary that sentinels watch. */
export const sentinelClients: readonly (readonly [string, (group: RedisSentinel, nat?: object) => Promise<Opened>])[] =
  [
    ['ioredis 6', (group, nat) => opened(new Redis({ ...sentinelOptions(group), ...nat }))],
    ['ioredis 5', (group, nat) => opened(new Redis5({ ...sentinelOptions(group), ...nat }))],
    ['iovalkey', (group, nat) => opened(new Valkey({ ...sentinelOptions(group), ...nat }))],
  ]

function sentinelOptions(group: RedisSentinel) {
  const { host: _, ...options } = impatient
  return { sentinels: [...group.addresses], name: group.name, ...options }
}

function mapOf({ natMap }: ClusterPlace) {
  return natMap === undefined ? {} : { natMap: { ...natMap } }
}

/** Options of node-redis for a cluster. */
export function nodeRedisOptions({ addresses, natMap }: ClusterPlace) {
  return {
    rootNodes: addresses.map((socket) => ({ socket })),
    defaults: { socket: { reconnectStrategy: 50 }, disableOfflineQueue: true },
    ...(natMap && { nodeAddressMap: { ...natMap } }),
  }
}

/** Faults are part of many tests; what a client says of them to nobody is of no interest. */
function quiet(client: { on(event: 'error', listener: (error: unknown) => void): unknown }): void {
  client.on('error', () => undefined)
}

/** Counts what a client is asked to send. */
function countCommands(client: object): () => number {
  const counted = client as { sendCommand(...args: unknown[]): unknown }
  const send = counted.sendCommand.bind(client)
  let count = 0
  counted.sendCommand = (...args) => {
    count += 1
    return send(...args)
  }
  return () => count
}

/** Wraps a client of ioredis or iovalkey. */
export function opened(client: Ioredis): Promise<Opened> {
  quiet(client)
  const requestCount = countCommands(client)
  return Promise.resolve({ client, requestCount, ping: () => client.call('ping'), close: () => client.disconnect() })
}

/** The same once it knows its cluster. */
async function ready(client: IoredisCluster): Promise<Opened> {
  const wrapped = await opened(client)
  const ping = () => Promise.all([client.call('ping'), ...client.nodes('master').map((node) => node.call('ping'))])
  await new Promise<void>((resolve) => void client.once('ready', () => resolve()))
  return { ...wrapped, ping }
}

interface Connectable {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
  destroy(): void
}

/** Connects and wraps a client of node-redis. */
export async function connected(client: NodeRedisClient & Connectable): Promise<Opened> {
  quiet(client)
  await client.connect()
  const requestCount = countCommands(client)
  const ping = () => client.sendCommand(['PING'])
  return { client: fromNodeRedis(client), requestCount, ping, close: () => client.destroy() }
}

/** Connects and wraps a cluster client of node-redis. */
export async function connectedCluster(client: NodeRedisCluster & Connectable): Promise<Opened> {
  quiet(client)
  await client.connect()
  const requestCount = countCommands(client)
  const pinged = async (node: unknown) => (await client.nodeClient(node as never)).sendCommand(['PING'])
  const ping = () => Promise.all(client.masters.map((node) => pinged(node)))
  return { client: fromNodeRedis(client), requestCount, ping, close: () => client.destroy() }
}

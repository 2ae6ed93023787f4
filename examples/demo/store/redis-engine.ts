// Problem: the same replay, but on Redis itself: what it costs there, and whether the totals are right.
// Scheme: an engine in a process of its own behind proxies that now and then cut a connection before its answer, or whatever
//   address was given, as it is. Each client of the fleet has its own connection; each strategy its own prefix and directory.
// Invariants: nothing is removed but keys that bear the store's own name, which no other run has.
// Cost: six seconds of start for a cluster, less than one for a single Redis.

import { redis, type RedisOptions } from '@spillway/redis'

import { count } from '../format.js'
import type { Settings } from '../settings.js'
import type { DemoEngine, DemoStore, StoreContext } from './demo-store.js'
import { MeteredBackend } from './metered-backend.js'
import { openRedis, probeRedis, removeKeys, shownAddress, type RedisConnection } from './redis-connection.js'
import { RedisPlainClient } from './redis-plain-client.js'
import { startHost, type EngineHost, type HostedEngine } from './start-host.js'
import { noCounts } from './store-counts.js'

/** So seldom that the 99th percentile is not made of reconnections, so often that a repetition which counts twice shows. */
const lostAnswerChance = 1 / 2_000

/** What a key is planned to be written a second, over all clients. Redis has no such limit: at Spillway's default nothing in this log would be spread. */
const plannedWrites = 640
const readsPerWrite = 3 // as in DynamoDB

/** Engine, proxies and clients share one machine, which may be silent for longer than a network is. */
const options = { routing: { refreshMs: 300, leaseMs: 1_500 }, limits: { requestTimeoutMs: 5_000 } }

/** Starts a Redis, or takes the one at `address`. Throws `ArgumentError` when nobody answers there. */
export async function redisEngine(
  engine: 'redis' | 'redis-cluster',
  { address, clients }: Pick<Settings, 'address' | 'clients'>,
): Promise<DemoEngine> {
  const isCluster = engine === 'redis-cluster'
  const host = address === undefined ? await startHost({ engine, lostAnswerChance }) : undefined
  const named: HostedEngine = host ?? { address: address ?? '' }
  const version = await probeRedis(isCluster, named).catch(async (error: unknown) => {
    await host?.close()
    throw error
  })
  const planned = plannedBy(clients)
  let storesOpened = 0
  return {
    description: {
      real: [
        `Redis ${version}, ${isCluster ? 'a cluster' : 'one server'} ${host === undefined ? '' : 'started for this run '}at ${shownAddress(named)}, and ioredis with its defaults, a connection for each client`,
      ],
      simulated: [
        ...(host === undefined ? [] : [networkLine()]),
        `hot keys: Redis refuses no write at this speed, and at Spillway's default of 20,000 a second nothing would be spread, so it is told to`,
        `plan ${count(plannedWrites)} writes a second for a key; each client goes by what it writes itself, and so by its share of them, ${planned.writeUnitsPerSecond}`,
      ],
      plainWrite:
        'one script a line (HINCRBY, and the last edit if it is newer), sent again by ioredis when a connection is lost',
      tenPlacesRead: 'one HMGET each, sent together',
      options,
    },
    lost: host?.lost ?? new Promise(() => undefined),
    open: ({ onThrottle }) => {
      const name = `spillway-demo-${process.pid}-${Date.now().toString(36)}-${storesOpened++}`
      return openStore({ name, isCluster, engine: named, host, planned, onThrottle })
    },
    close: async () => host?.close(),
  }
}

/** What one client of so many is told of the plan. */
function plannedBy(clients: number): Planned {
  const writeUnitsPerSecond = Math.max(1, Math.round(plannedWrites / clients))
  return { writeUnitsPerSecond, readUnitsPerSecond: readsPerWrite * writeUnitsPerSecond }
}

type Planned = Pick<Required<RedisOptions>, 'writeUnitsPerSecond' | 'readUnitsPerSecond'>

function networkLine(): string {
  return `connections: a proxy cuts one in ${count(1 / lostAnswerChance)} after the engine has carried out what came and before it answers`
}

interface StoreParts extends Pick<StoreContext, 'onThrottle'> {
  /** In every key of the store, and in no other. */
  readonly name: string
  readonly isCluster: boolean
  readonly engine: HostedEngine
  readonly host: EngineHost | undefined
  readonly planned: Planned
}

async function openStore({ name, isCluster, engine, host, planned, onThrottle }: StoreParts): Promise<DemoStore> {
  const counts = noCounts(false)
  const connections: RedisConnection[] = []
  const connect = () => {
    const connection = openRedis(isCluster, engine)
    connections.push(connection)
    return connection
  }
  const prefix = `${name}:`
  const lostBefore = (await host?.lostCount()) ?? NaN
  return {
    prefix,
    partitionWriteUnits: plannedWrites,
    options,
    backend: () => new MeteredBackend(redis({ client: connect(), directory: name, ...planned }), counts, onThrottle),
    plain: () => new RedisPlainClient(connect(), prefix, counts),
    counts: () => ({ ...counts }),
    answersLost: async () => ((await host?.lostCount()) ?? NaN) - lostBefore,
    close: async () => {
      // An engine of this run's own goes as a whole, and its proxies may cut off who removes keys.
      if (host === undefined) await removeKeys(connections[0] ?? connect(), name)
      for (const connection of connections) connection.disconnect()
    },
  }
}

// Problem: the same replay, but on Redis itself: what it costs there, and whether the totals are right.
// Scheme: an engine in a process of its own behind proxies that now and then cut a connection before its answer, or whatever
//   address was given, as it is. Each client of the fleet has its own connection; each strategy its own prefix and directory.
// Invariants: nothing is removed but keys that bear the store's own name, which no other run has.
// Cost: six seconds of start for a cluster, less than one for a single Redis.

import { redis } from '@spillway/redis'

import { count } from '../format.js'
import type { DemoEngine, DemoStore, StoreContext } from './demo-store.js'
import { MeteredBackend } from './metered-backend.js'
import { openRedis, probeRedis, removeKeys, shownAddress, type RedisConnection } from './redis-connection.js'
import { RedisPlainClient } from './redis-plain-client.js'
import { startHost, type EngineHost, type HostedEngine } from './start-host.js'
import { noCounts } from './store-counts.js'

/** So seldom that the 99th percentile is not made of reconnections, so often that a repetition which counts twice shows. */
const lostAnswerChance = 1 / 2_000

/** Redis has no such limit: at its default of 20,000 nothing in this log would be spread. */
const planned = { writeUnitsPerSecond: 250, readUnitsPerSecond: 750 }
/** Engine, proxies and clients share one machine, which may be silent for longer than a network is. */
const options = { routing: { refreshMs: 300, leaseMs: 1_500 }, limits: { requestTimeoutMs: 5_000 } }

/** Starts a Redis, or takes the one at `address`. Throws `ArgumentError` when nobody answers there. */
export async function redisEngine(engine: 'redis' | 'redis-cluster', address: string | undefined): Promise<DemoEngine> {
  const isCluster = engine === 'redis-cluster'
  const host = address === undefined ? await startHost({ engine, lostAnswerChance }) : undefined
  const named: HostedEngine = host ?? { address: address ?? '' }
  const version = await probeRedis(isCluster, named)
  let storesOpened = 0
  return {
    description: {
      real: [
        `Redis ${version}, ${isCluster ? 'a cluster' : 'one server'} ${host === undefined ? '' : 'started for this run '}at ${shownAddress(named)}, and ioredis with its defaults, a connection for each client`,
      ],
      simulated: [
        ...(host === undefined ? [] : [networkLine()]),
        `hot keys: Redis refuses no write at this speed, so Spillway is told to plan ${count(planned.writeUnitsPerSecond)} writes a second for a key (its default is 20,000); without that nothing would be spread`,
      ],
      plainWrite:
        'one script a line (HINCRBY, and the last edit if it is newer), sent again by ioredis when a connection is lost',
      tenPlacesRead: 'one HMGET each, sent together',
      options,
    },
    lost: host?.lost ?? new Promise(() => undefined),
    open: (context) =>
      openStore(
        `spillway-demo-${process.pid}-${Date.now().toString(36)}-${storesOpened++}`,
        isCluster,
        named,
        host,
        context,
      ),
    close: async () => host?.close(),
  }
}

function networkLine(): string {
  return `connections: a proxy cuts one in ${count(1 / lostAnswerChance)} after the engine has carried out what came and before it answers`
}

async function openStore(
  name: string,
  isCluster: boolean,
  engine: HostedEngine,
  host: EngineHost | undefined,
  { onThrottle }: StoreContext,
): Promise<DemoStore> {
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
    partitionWriteUnits: planned.writeUnitsPerSecond,
    options,
    backend: () => new MeteredBackend(redis({ client: connect(), directory: name, ...planned }), counts, onThrottle),
    plain: () => new RedisPlainClient(connect(), prefix, counts),
    counts: () => ({ ...counts }),
    answersLost: async () => ((await host?.lostCount()) ?? NaN) - lostBefore,
    close: async () => {
      await removeKeys(connections[0] ?? connect(), name)
      for (const connection of connections) connection.disconnect()
    },
  }
}

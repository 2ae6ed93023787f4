// Problem: the nodes of a cluster tell clients where the others are, so that one proxy in front of one of them is soon passed by.
// Scheme: a proxy in front of every node, and a map from the nodes' own addresses to the proxies', which clients apply to
//   whatever they learn: `natMap` of ioredis, `nodeAddressMap` of node-redis.
// Invariants: each proxy draws from a seed of its own, made from the one that was given.
// Cost: that of a proxy a node.
// Source: ioredis README, «NAT mapping».

import type { NodeAddress, RedisCluster } from '../engines/redis-cluster.js'
import type { RedisProcess } from '../engines/redis-process.js'
import { startFaultProxy, type FaultProxy, type ProxyFaults } from './fault-proxy.js'

/** How {@link startClusterProxies} sets the proxies up. */
export interface ClusterProxyOptions {
  /** Every draw of every proxy comes from it. @default 1 */
  readonly seed?: number
  /** The faults of all proxies at first. @default none */
  readonly faults?: ProxyFaults
}

/** Starts a proxy in front of every node of a cluster. */
export async function startClusterProxies(
  cluster: RedisCluster,
  options: ClusterProxyOptions = {},
): Promise<ClusterProxies> {
  const { seed = 1, faults = {} } = options
  const proxies = await Promise.all(
    cluster.nodes.map(({ host, port }, i) => startFaultProxy({ host, port, seed: seed * 1_000 + i, faults })),
  )
  return new ClusterProxies(cluster, proxies)
}

/** Proxies in front of all nodes of a cluster. */
export class ClusterProxies {
  /** One a node, in the order of the cluster's `nodes`. */
  readonly proxies: readonly FaultProxy[]
  /** What clients translate the nodes' addresses with: `natMap` of ioredis, `nodeAddressMap` of node-redis. */
  readonly natMap: Readonly<Record<string, { host: string; port: number }>>
  readonly #cluster: RedisCluster

  constructor(cluster: RedisCluster, proxies: readonly FaultProxy[]) {
    this.proxies = proxies
    this.natMap = Object.fromEntries(
      cluster.nodes.map(({ host, port }, i) => [`${host}:${port}`, { host, port: proxies[i]?.port ?? 0 }]),
    )
    this.#cluster = cluster
  }

  /** Where clients begin. */
  get addresses(): readonly NodeAddress[] {
    return this.proxies.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** How many connections all proxies have cut or half-closed so far. */
  get faultCount(): number {
    return this.proxies.reduce((total, { faultCount }) => total + faultCount, 0)
  }

  /** The proxy in front of a node. Throws when the node is not of this cluster. */
  of(node: RedisProcess): FaultProxy {
    const proxy = this.proxies[this.#cluster.nodes.indexOf(node)]
    if (proxy === undefined) throw new Error(`Port ${node.port} is no node of this cluster.`)
    return proxy
  }

  /** What may happen at every node from now on. */
  strike(faults: ProxyFaults): void {
    for (const proxy of this.proxies) proxy.faults = faults
  }

  /** Cuts every client off from every node, and refuses new connections until the returned function is called. The nodes still see one another. */
  async outage(): Promise<() => Promise<void>> {
    const lifts = await Promise.all(this.proxies.map((proxy) => proxy.outage()))
    return async () => {
      await Promise.all(lifts.map((lift) => lift()))
    }
  }

  /** Cuts all connections and stops listening. */
  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()))
  }
}

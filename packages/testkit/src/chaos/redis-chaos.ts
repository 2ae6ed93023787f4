// Problem: what a cluster does to its clients in a year has to happen in a minute, without losing what it has acknowledged.
// Scheme: three primaries with a replica each, which keep their data, behind a proxy a node. A slot moves, a primary is killed
//   until its replica has taken over, a replica takes over as it is told, nodes are killed and started again.
// Invariants: nothing begins before every primary has a replica that has caught up: with `writeReplicas: 1` Redis then loses
//   nothing that it has acknowledged, since the one replica that may take over has it.
// Cost: six servers.
// Source: redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec; packages/redis/README.md, «What a failover can lose».

import { startRedisCluster, type RedisCluster } from '../engines/redis-cluster.js'
import type { RedisProcess } from '../engines/redis-process.js'
import { startClusterProxies, type ClusterProxies } from '../proxy/cluster-proxies.js'
import type { ProxyFaults } from '../proxy/fault-proxy.js'
import { pause, waitUntil } from '../time/wait.js'
import type { ChaosEngine, Mishap } from './chaos-engine.js'

const patienceMs = 40_000
const hotPlaces = '*:hot*'

/** Always: now and then a connection is cut behind a write. */
const usual: ProxyFaults = { cutBeforeAnswer: 0.000_5, cutBeforeRequest: 0.000_5 }

/** Starts a cluster of the run's own, and what goes wrong with it. */
export async function startRedisChaos(seed: number): Promise<ChaosEngine> {
  const cluster = await startRedisCluster({ isOwn: true, keepsData: true })
  const proxies = await startClusterProxies(cluster, { seed, faults: usual })
  const { addresses, natMap } = proxies
  return {
    place: { addresses, natMap },
    mayShareKeys: false,
    pauseMs: 40,
    network: networkOf(proxies),
    inside: insideOf(cluster),
    counts: () => ({ 'connections cut': proxies.faultCount }),
    lift: () => Promise.resolve(proxies.strike({})),
    async close() {
      await proxies.close()
      await cluster.close()
    },
  }
}

function networkOf(proxies: ClusterProxies): readonly Mishap[] {
  const during = async (faults: ProxyFaults, ms: number) => {
    proxies.strike(faults)
    await pause(ms)
    proxies.strike(usual)
  }
  return [
    { kind: 'answers lost', weight: 4, run: (draw) => during({ cutBeforeAnswer: 0.02 }, 500 + 2_000 * draw()) },
    {
      kind: 'connections cut',
      weight: 3,
      run: (draw) => during({ cutBeforeRequest: 0.02, halfClose: 0.003 }, 500 + 2_000 * draw()),
    },
    { kind: 'answers delayed', weight: 3, run: (draw) => during({ delay: 0.3, delayMs: 20 + 400 * draw() }, 2_000) },
    {
      kind: 'outages',
      weight: 1,
      run: async (draw) => {
        const lift = await proxies.outage()
        await pause(200 + 1_800 * draw())
        await lift()
      },
    },
  ]
}

function insideOf(cluster: RedisCluster): readonly Mishap[] {
  const primary = async (draw: () => number) => one(await cluster.primaries(), draw)
  return [
    { kind: 'slots moved', weight: 4, run: (draw) => moveHotSlot(cluster, draw) },
    {
      kind: 'primaries killed and replaced',
      weight: 2,
      run: async (draw) => {
        const lost = await primary(draw)
        const heir = await replicaOf(cluster, lost)
        lost.crash()
        await waitUntil('a replica has taken over', async () => (await roleOf(heir)).isPrimary, patienceMs)
        await pause(500 * draw())
        await lost.restart()
        await whole(cluster)
      },
    },
    {
      kind: 'replicas promoted by order',
      weight: 2,
      run: async (draw) => {
        const heir = await replicaOf(cluster, await primary(draw))
        await heir.call('CLUSTER', 'FAILOVER')
        await waitUntil('the replica has taken over', async () => (await roleOf(heir)).isPrimary, patienceMs)
        await whole(cluster)
      },
    },
    {
      kind: 'nodes killed and started again',
      weight: 2,
      run: async (draw) => {
        const node = one(cluster.nodes, draw)
        node.crash()
        await pause(300 * draw())
        await node.restart()
        await whole(cluster)
      },
    },
    {
      kind: 'restarts of all nodes',
      weight: 1,
      run: async () => {
        for (const node of cluster.nodes) node.crash()
        await Promise.all(cluster.nodes.map((node) => node.restart()))
        await whole(cluster)
      },
    },
  ]
}

function one<T>(all: readonly T[], draw: () => number): T {
  return all[Math.floor(draw() * all.length)] as T
}

/** Moves a slot in which a shard of a hot key lies, or would lie. */
async function moveHotSlot(cluster: RedisCluster, draw: () => number): Promise<void> {
  const primaries = await cluster.primaries()
  const places = (await Promise.all(primaries.map((node) => node.call('KEYS', hotPlaces)))) as string[][]
  const all = places.flat().toSorted()
  const place = all[Math.floor(draw() * all.length)]
  if (place === undefined) return
  const slot = Number(await (primaries[0] as RedisProcess).call('CLUSTER', 'KEYSLOT', place))
  const source = await cluster.primaryOf(slot)
  const targets = primaries.filter((node) => node !== source)
  const target = targets[Math.floor(draw() * targets.length)] as RedisProcess
  await cluster.moveSlot(slot, target, () => pause(100 * draw()))
  await waitUntil(
    'every node knows of the move',
    async () =>
      (await Promise.all(cluster.nodes.map((via) => cluster.primaryOf(slot, via)))).every((at) => at === target),
    patienceMs,
  )
  await whole(cluster)
}

interface Role {
  readonly isPrimary: boolean
  readonly offset: number
  /** Of a primary: its replicas' ports and how far they are. */
  readonly replicas: readonly (readonly [port: number, offset: number])[]
}

async function roleOf(node: RedisProcess): Promise<Role> {
  const answer = (await node.call('ROLE')) as [string, ...unknown[]]
  if (answer[0] !== 'master') return { isPrimary: false, offset: 0, replicas: [] }
  const [, offset, replicas] = answer as [string, number, [string, string, string][]]
  return {
    isPrimary: true,
    offset,
    replicas: replicas.map(([, port, at]) => [Number(port), Number(at)] as const),
  }
}

async function replicaOf(cluster: RedisCluster, primary: RedisProcess): Promise<RedisProcess> {
  const { replicas } = await roleOf(primary)
  const replica = cluster.nodes.find(({ port }) => port === replicas[0]?.[0])
  if (replica === undefined) throw new Error(`The primary at port ${primary.port} has no replica.`)
  return replica
}

/** Waits until three primaries have a replica each that has all that they had when this was first so, and every node says so. */
async function whole(cluster: RedisCluster): Promise<void> {
  let goals: ReadonlyMap<RedisProcess, number> | undefined
  await waitUntil(
    'the cluster is whole',
    async () => {
      const infos = await Promise.all(cluster.nodes.map((node) => node.call('CLUSTER', 'INFO')))
      const roles = await Promise.all(cluster.nodes.map(roleOf))
      const primaries = cluster.nodes.flatMap((node, i) => (roles[i]?.isPrimary ? [{ node, role: roles[i] }] : []))
      const isWell =
        infos.every((info) => /cluster_state:ok/.test(String(info))) &&
        primaries.length === 3 &&
        primaries.every(({ role }) => role.replicas.length === 1)
      if (!isWell) {
        goals = undefined
        return false
      }
      goals ??= new Map(primaries.map(({ node, role }) => [node, role.offset]))
      return primaries.every(({ node, role }) => (role.replicas[0]?.[1] ?? 0) >= (goals?.get(node) ?? Infinity))
    },
    patienceMs,
    50,
  )
}

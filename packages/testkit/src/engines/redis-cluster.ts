// Problem: what only a cluster shows – slots, redirections, failovers, resharding – needs a real one.
// Scheme: six servers; three take a third of the slots each, three replicate them. All is said to them command by command, since
//   `redis-cli --cluster create` sleeps for seconds.
// Invariants: `start` resolves only when every node names the same primary and replica for every slot, and every replica has
//   caught up.
// Cost: about two seconds and 60 MB.
// Source: redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec

import { waitUntil } from '../time/wait.js'
import { RedisProcess } from './redis-process.js'

const slotCount = 16_384
const primaryCount = 3

/** A failover takes two seconds and not fifteen, and nodes that have just met tell each other of all others as soon. */
const soonMs = 1_500

/** Where a client finds a node. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** How {@link startRedisCluster} sets a cluster up. */
export interface RedisClusterOptions {
  /** A cluster of the test's own, whose nodes it may kill and freeze, whatever the environment names. @default false */
  readonly isOwn?: boolean
  /**
   * After how many milliseconds of silence, once the cluster has started, the others call a node failed and its replica takes
   * over. For tests that take no node away, long enough that none looks dead on a machine that is busy. Of no matter to a
   * cluster that the environment names. @default 1_500
   */
  readonly nodeTimeoutMs?: number
  /** Nodes have their data again after a crash and a restart. A cluster that the environment names does as it does. @default false */
  readonly keepsData?: boolean
}

/**
 * Starts three primaries with a replica each on free ports of the loopback interface, and waits until all are ready. Where the
 * environment variable SPILLWAY_REDIS_CLUSTER names the six nodes of one, that is taken and emptied.
 */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const named = process.env['SPILLWAY_REDIS_CLUSTER']
  if (named !== undefined && named !== '' && options.isOwn !== true) return namedCluster(named.split(','))
  const started = await Promise.allSettled(
    Array.from({ length: 2 * primaryCount }, () => startNode(options.keepsData === true)),
  )
  const nodes = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []))
  try {
    for (const node of started) if (node.status === 'rejected') throw node.reason
    await join(nodes)
    await Promise.all(
      nodes.map(({ process }) =>
        process.call('CONFIG', 'SET', 'cluster-node-timeout', options.nodeTimeoutMs ?? soonMs),
      ),
    )
    return new RedisCluster(nodes.map(({ process }) => process))
  } catch (error) {
    await Promise.all(nodes.map(({ process }) => process.close()))
    throw error
  }
}

/** A running cluster of six. */
export class RedisCluster {
  /** First the three that began as primaries, then the three that began as their replicas, in the same order. */
  readonly nodes: readonly RedisProcess[]

  constructor(nodes: readonly RedisProcess[]) {
    this.nodes = nodes
  }

  /** Where clients begin. */
  get addresses(): readonly NodeAddress[] {
    return this.nodes.map(({ host, port }) => ({ host, port }))
  }

  /** The node that serves a slot at present, as `via` sees it. */
  async primaryOf(slot: number, via: RedisProcess = this.nodes[0] as RedisProcess): Promise<RedisProcess> {
    const ranges = (await via.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)
    const node = this.nodes.find(({ port }) => port === range?.[2][1])
    if (node === undefined) throw new Error(`Nobody serves slot ${slot}.`)
    return node
  }

  /** The nodes that serve slots at present, as `via` sees it. */
  async primaries(via: RedisProcess = this.nodes[0] as RedisProcess): Promise<readonly RedisProcess[]> {
    const ranges = (await via.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    return this.nodes.filter(({ port }) => ranges.some((range) => range[2][1] === port))
  }

  /** Moves a slot with all its keys to another primary while clients use them. `onKeys` is called after each batch of keys. */
  async moveSlot(slot: number, target: RedisProcess, onKeys: () => Promise<void> = async () => {}): Promise<void> {
    const source = await this.primaryOf(slot)
    if (source === target) return
    const [sourceId, targetId] = [await idOf(source), await idOf(target)]
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId)
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId)
    await onKeys()
    for (;;) {
      const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[]
      if (keys.length === 0) break
      await source.call('MIGRATE', target.host, target.port, '', 0, 5_000, 'KEYS', ...keys)
      await onKeys()
    }
    await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId)
    await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId)
    const others = (await this.primaries()).filter((node) => node !== source && node !== target)
    for (const node of others) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId)
  }

  /** Takes all nodes down. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()))
  }
}

/** The nodes in the order of `RedisCluster.nodes`. */
async function namedCluster(addresses: readonly string[]): Promise<RedisCluster> {
  const named = addresses.map((address) => {
    const { hostname, port } = new URL(`redis://${address}`)
    return RedisProcess.named(hostname, Number(port))
  })
  const roles = await Promise.all(named.map(async (node) => (await node.call('ROLE')) as [string, string, number]))
  const primaries = named.filter((_, i) => roles[i]?.[0] === 'master')
  const replicas = primaries.flatMap((primary) =>
    named.filter((_, i) => roles[i]?.[0] === 'slave' && roles[i]?.[2] === primary.port),
  )
  if (primaries.length !== primaryCount || replicas.length !== primaryCount)
    throw new Error(
      `SPILLWAY_REDIS_CLUSTER must name three primaries and a replica of each, but was ${addresses.join(',')}: ${primaries.length} and ${replicas.length}`,
    )
  await Promise.all(primaries.map((primary) => primary.call('FLUSHALL')))
  return new RedisCluster([...primaries, ...replicas])
}

interface StartedNode {
  readonly process: RedisProcess
  readonly busPort: number
}

async function startNode(keepsData: boolean): Promise<StartedNode> {
  let busPort = 0
  const process = await RedisProcess.start((sparePort) => {
    busPort = sparePort
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(sparePort)]
    // A replica shows once it has had its first ping, after one second and not ten.
    return [...cluster, '--cluster-node-timeout', String(soonMs), '--repl-ping-replica-period', '1']
  }, keepsData)
  return { process, busPort }
}

async function join(nodes: readonly StartedNode[]): Promise<void> {
  const primaries = nodes.slice(0, primaryCount)
  await Promise.all(
    primaries.map(async ({ process }, i) => {
      const [first, next] = shareOf(i)
      await process.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      await process.call('CLUSTER', 'ADDSLOTSRANGE', first, next - 1)
    }),
  )
  // Each meets all: gossip alone would take seconds.
  for (const [i, { process }] of nodes.entries()) {
    for (const other of nodes.slice(i + 1))
      await process.call('CLUSTER', 'MEET', other.process.host, other.process.port, other.busPort)
  }
  await everyNode(nodes, 'knows all others', async (node) => /cluster_known_nodes:6/.test(await infoOf(node)))
  for (const [i, { process }] of nodes.slice(primaryCount).entries()) {
    const primaryId = await idOf((primaries[i] as StartedNode).process)
    await waitUntil('a replica knows its primary', async () => {
      await process.call('CLUSTER', 'REPLICATE', primaryId)
      return true
    })
  }
  const wanted = primaries.map((primary, i) => {
    const [first, next] = shareOf(i)
    return [first, next - 1, primary.process.port, nodes[primaryCount + i]?.process.port].join(' ')
  })
  await everyNode(nodes, `sees the cluster as ${wanted.join(', ')}`, async (node) => {
    const ranges = (await node.call('CLUSTER', 'SLOTS')) as [number, number, ...[string, number][]][]
    const seen = ranges.map(([first, last, ...at]) => [first, last, ...at.map(([, port]) => port)].join(' '))
    const isAsWanted = seen.length === wanted.length && wanted.every((range) => seen.includes(range))
    return isAsWanted && /cluster_state:ok/.test(await infoOf(node))
  })
  await everyNode(nodes, 'replicates', async (node) =>
    /slave0:.*state=online|master_link_status:up/.test(String(await node.call('INFO', 'replication'))),
  )
}

/** The first slot of a primary, and that of the next one. */
function shareOf(primary: number): readonly [first: number, next: number] {
  const [first, next] = [primary, primary + 1].map((part) => Math.floor((part * slotCount) / primaryCount))
  return [first as number, next as number]
}

function everyNode(
  nodes: readonly StartedNode[],
  what: string,
  condition: (node: RedisProcess) => Promise<boolean>,
): Promise<unknown> {
  return Promise.all(
    nodes.map(({ process }) => waitUntil(`node ${process.port} ${what}`, () => condition(process), 30_000, 50)),
  )
}

async function infoOf(node: RedisProcess): Promise<string> {
  return String(await node.call('CLUSTER', 'INFO'))
}

async function idOf(node: RedisProcess): Promise<string> {
  return String(await node.call('CLUSTER', 'MYID'))
}

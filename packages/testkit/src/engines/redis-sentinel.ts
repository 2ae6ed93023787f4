// Problem: what a client does in a failover that sentinels decide is seen only where sentinels decide one.
// Scheme: a primary, a replica, and sentinels that watch them with patience for half a second instead of half a minute.
// Invariants: `start` resolves only when the replica has caught up and every sentinel knows it and all other sentinels.
// Cost: about three seconds with one sentinel and 30 MB; each sentinel more costs one that greets the others every two seconds.
// Source: redis.io/docs/latest/operate/oss_and_stack/management/sentinel

import { waitUntil } from '../time/wait.js'
import type { NodeAddress } from './redis-cluster.js'
import { RedisProcess } from './redis-process.js'

/** The name by which the sentinels know the primary. */
const primaryName = 'spillway'

/** How {@link startRedisSentinel} sets the servers up. */
export interface SentinelOptions {
  /** How many sentinels watch; more than half of them have to agree. 1 to 9. @default 1 */
  readonly sentinelCount?: number
}

/** Starts a primary, a replica and sentinels on free ports of the loopback interface, and waits until all know one another. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { sentinelCount = 1 } = options
  if (!Number.isInteger(sentinelCount) || sentinelCount < 1 || sentinelCount > 9)
    throw new RangeError(`sentinelCount must be a whole number from 1 to 9, but was ${sentinelCount}`)
  const open: RedisProcess[] = []
  const started = async (process: Promise<RedisProcess>) => {
    open.push(await process)
    return process
  }
  try {
    // A replica shows once it has had its first ping, after one second and not ten.
    const ping = ['--repl-ping-replica-period', '1']
    const primary = await started(RedisProcess.start(() => ping))
    const replicaOf = ['--replicaof', primary.host, String(primary.port)]
    const replica = await started(RedisProcess.start(() => [...ping, ...replicaOf]))
    await waitUntil('the replica has caught up', async () => /state=online/.test(await replicationOf(primary)))
    const config = sentinelConfig(primary, Math.floor(sentinelCount / 2) + 1)
    const sentinels: RedisProcess[] = []
    for (let i = 0; i < sentinelCount; i++) sentinels.push(await started(RedisProcess.startSentinel(config)))
    await Promise.all(sentinels.map((sentinel) => ready(sentinel, sentinelCount)))
    return new RedisSentinel([primary, replica], sentinels)
  } catch (error) {
    await Promise.all(open.map((process) => process.close()))
    throw error
  }
}

/** A running pair of servers with the sentinels that watch it. */
export class RedisSentinel {
  /** What clients ask the sentinels for. */
  readonly name = primaryName
  /** First the one that began as the primary, then the one that began as its replica. */
  readonly servers: readonly [RedisProcess, RedisProcess]
  /** All sentinels. */
  readonly sentinels: readonly RedisProcess[]

  constructor(servers: readonly [RedisProcess, RedisProcess], sentinels: readonly RedisProcess[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  /** Where clients find the sentinels. */
  get addresses(): readonly NodeAddress[] {
    return this.sentinels.map(({ host, port }) => ({ host, port }))
  }

  /** The server that every sentinel takes for the primary. Rejects while they do not agree. */
  async primary(): Promise<RedisProcess> {
    const answers = await Promise.all(
      this.sentinels.map((sentinel) => sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primaryName)),
    )
    const ports = new Set(answers.map((answer) => Number((answer as [string, string])[1])))
    const primary = this.servers.find(({ port }) => ports.has(port))
    if (ports.size !== 1 || primary === undefined) throw new Error(`Sentinels name ports ${[...ports].join(', ')}.`)
    return primary
  }

  /**
   * Ends the primary at once, as a power cut would; resolves with the other server once every sentinel says that this is the
   * primary and it accepts writes, about a second later. Rejects after 20 seconds. There is no replica left then.
   */
  async killPrimary(): Promise<RedisProcess> {
    const killed = await this.primary()
    killed.crash()
    await waitUntil('the replica has become the primary', async () => {
      const primary = await this.primary()
      return primary !== killed && /role:master/.test(await replicationOf(primary))
    })
    return this.primary()
  }

  /** Takes all servers down. */
  async close(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((process) => process.close()))
  }
}

function sentinelConfig(primary: RedisProcess, quorum: number): readonly string[] {
  return [
    `sentinel monitor ${primaryName} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${primaryName} 500`,
    `sentinel failover-timeout ${primaryName} 3000`,
  ]
}

function ready(sentinel: RedisProcess, sentinelCount: number): Promise<void> {
  return waitUntil(`sentinel ${sentinel.port} knows all`, async () => {
    const state = pairsOf(await sentinel.call('SENTINEL', 'MASTER', primaryName))
    return state.get('num-slaves') === '1' && state.get('num-other-sentinels') === String(sentinelCount - 1)
  })
}

function pairsOf(answer: unknown): ReadonlyMap<string, string> {
  const texts = answer as readonly string[]
  return new Map(texts.flatMap((text, i): [string, string][] => (i % 2 === 0 ? [[text, texts[i + 1] ?? '']] : [])))
}

async function replicationOf(server: RedisProcess): Promise<string> {
  return String(await server.call('INFO', 'replication'))
}

// Problem: node-redis names things otherwise, routes raw commands by a key that it must be told, and writes all commands of a
//   tick together.
// Scheme: commands go out raw in one tick, which is one write to each primary. While a connection is up they carry no time-out of
//   the client's: that one ends when a command is written, and costs more than all the rest; while it is down they do, so that what
//   waits for it stays bounded.
// Invariants: reads go to primaries only, whatever `useReplicas` says: every command is sent as one that writes. node-redis
//   never sends again what it had sent when a connection was lost, so no error speaks of a second copy. Answers are texts,
//   whatever `typeMapping` the application has chosen.
// Cost: an object of options a command.
// Source: node-redis 5.12 and 6.3, lib/cluster/index.ts, lib/client/commands-queue.ts.

import { InvalidArgumentError } from '@spillway/core'

import { answersOf, type CommandAnswer, fromReached, type RedisCommand, type RedisPort } from './client-port.js'
import { closedClient } from './error-table.js'
import { slotOf } from './slot.js'

/** What the backend uses of a client that `createClient` of node-redis 5 or 6 makes. It must be connected. */
export interface NodeRedisClient {
  /** Whether it was connected and not closed since. */
  readonly isOpen: boolean
  /** Whether its connection is up. */
  readonly isReady: boolean
  /** Grows with every connection. */
  readonly socketEpoch: number
  /** Sends any command. */
  sendCommand(command: string[], options?: object): Promise<unknown>
}

/** What the backend uses of a client that `createCluster` of node-redis 5 or 6 makes. It must be connected. */
export interface NodeRedisCluster {
  /** Whether it was connected and not closed since. */
  readonly isOpen: boolean
  /** Sends any command to the node that serves a key. */
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    command: string[],
    options?: object,
  ): Promise<unknown>
  /** By slot: its nodes. */
  readonly slots: readonly { readonly master: object }[]
  /** Every primary. */
  readonly masters: readonly unknown[]
  /** The connection to a node. */
  nodeClient(node: never): Promise<NodeRedisClient>
}

/** How long a command may wait for a connection: the default of node-redis 6, which 5 has none of. */
const offlineTimeoutMs = 5_000

/**
 * A port to node-redis 5 or 6, single or cluster: `redis({ client: fromNodeRedis(client) })`. Throws `InvalidArgumentError` for
 * anything else, a pool and `createSentinel` among it.
 */
export function fromNodeRedis(client: NodeRedisClient | NodeRedisCluster): RedisPort {
  const given: unknown = client
  if (typeof given === 'object' && given !== null) {
    checkPrefix((given as { _keyPrefix?: unknown })._keyPrefix)
    if ('nodeClient' in given && 'slots' in given) return new ClusterPort(given as NodeRedisCluster)
    if ('socketEpoch' in given && 'sendCommand' in given) return new SinglePort(given as NodeRedisClient)
  }
  const advice = 'ioredis is passed as it is; behind Sentinel use ioredis, and no pool.'
  throw new InvalidArgumentError('fromNodeRedis(client)', 'made by createClient or createCluster', client, advice)
}

/** Raw commands go out without it. */
function checkPrefix(prefix: unknown): void {
  if (prefix === undefined || prefix === '') return
  throw new InvalidArgumentError("fromNodeRedis(client)'s keyPrefix", 'empty', prefix, 'Make it part of the keys.')
}

function optionsFor(isReady: boolean): object {
  return { typeMapping: {}, timeout: isReady ? 0 : offlineTimeoutMs }
}

class SinglePort implements RedisPort {
  readonly name = 'node-redis'
  readonly #client: NodeRedisClient

  constructor(client: NodeRedisClient) {
    this.#client = client
  }

  send(_key: string, command: RedisCommand): Promise<unknown> {
    if (!this.#client.isOpen) return Promise.reject(closedClient(this.name))
    return this.#client.sendCommand(command as string[], optionsFor(this.#client.isReady))
  }

  sendInOrder(_key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    if (!this.#client.isOpen) return answersOf(commands.map((command) => this.send('', command)))
    return inOrder(this.#client, commands)
  }

  sendToPrimaries(command: RedisCommand): Promise<readonly unknown[]> {
    return fromReached([this.send('', command)])
  }

  resendCount(): number {
    return 0
  }

  /** One that is closed says so itself. */
  isUp(): boolean {
    return !this.#client.isOpen || this.#client.isReady
  }

  connectionOf(): unknown {
    return this.#client
  }
}

class ClusterPort implements RedisPort {
  readonly name = 'node-redis cluster'
  readonly #client: NodeRedisCluster

  constructor(client: NodeRedisCluster) {
    this.#client = client
  }

  send(key: string, command: RedisCommand): Promise<unknown> {
    if (!this.#client.isOpen) return Promise.reject(closedClient(this.name))
    const isReady = this.#connectionTo(key)?.isReady === true
    return this.#client.sendCommand(key, false, command as string[], optionsFor(isReady))
  }

  async sendInOrder(key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    try {
      if (!this.#client.isOpen) throw closedClient(this.name)
      const primary = this.#client.slots[slotOf(key)]?.master
      if (primary === undefined) throw new Error('CLUSTERDOWN No primary is known for the slot.')
      return await inOrder(await this.#client.nodeClient(primary as never), commands)
    } catch (error) {
      return commands.map(() => ({ status: 'failed', error }))
    }
  }

  async sendToPrimaries(command: RedisCommand): Promise<readonly unknown[]> {
    if (!this.#client.isOpen) throw closedClient(this.name)
    return fromReached(
      this.#client.masters.map(async (node) => {
        const client = await this.#client.nodeClient(node as never)
        return client.sendCommand(command as string[], optionsFor(client.isReady))
      }),
    )
  }

  resendCount(): number {
    return 0
  }

  /** One that was never needed connects for the first command. */
  isUp(key: string): boolean {
    return this.#connectionTo(key)?.isReady !== false
  }

  connectionOf(key: string): unknown {
    return this.#client.slots[slotOf(key)]?.master ?? key
  }

  #connectionTo(key: string): Partial<NodeRedisClient> | undefined {
    const { client } = (this.#client.slots[slotOf(key)]?.master ?? {}) as { client?: Partial<NodeRedisClient> }
    return client
  }
}

/** What was answered behind the first command counts only if all of them went over one connection. */
async function inOrder(client: NodeRedisClient, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
  const epoch = client.socketEpoch
  const sent = commands.map((command) => client.sendCommand(command as string[], optionsFor(client.isReady)))
  const answers = await answersOf(sent)
  if (client.socketEpoch === epoch) return answers
  const error = new Error('The connection was lost between commands that belong together.')
  return answers.map((answer, i) => (i === 0 ? answer : { status: 'failed', error }))
}

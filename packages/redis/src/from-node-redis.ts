// Problem: node-redis names things otherwise, routes raw commands by a key that it must be told, and writes all commands of a
//   tick together.
// Scheme: commands go out raw in one tick, which is one write to each primary.
// Invariants: reads go to primaries only, whatever `useReplicas` says: every command is sent as one that writes. node-redis
//   never sends again what it had sent when a connection was lost, so no error speaks of a second copy.
// Cost: none beside the commands.
// Source: node-redis 5.12 and 6.3, lib/cluster/index.ts, lib/client/commands-queue.ts.

import { answersOf, type CommandAnswer, type KeyedCommand, type RedisCommand, type RedisPort } from './client-port.js'
import { slotOf } from './slot.js'

/** What the backend uses of a client that `createClient` of node-redis 5 or 6 makes. It must be connected. */
export interface NodeRedisClient {
  /** Sends any command. */
  sendCommand(command: string[]): Promise<unknown>
}

/** What the backend uses of a client that `createCluster` of node-redis 5 or 6 makes. It must be connected. */
export interface NodeRedisCluster {
  /** Sends any command to the node that serves a key. */
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, command: string[]): Promise<unknown>
  /** By slot: its nodes. */
  readonly slots: readonly { readonly master: unknown }[]
  /** Every primary. */
  readonly masters: readonly unknown[]
  /** The connection to a node. */
  nodeClient(node: never): Promise<NodeRedisClient>
}

/** A port to node-redis 5 or 6, single or cluster: `redis({ client: fromNodeRedis(client) })`. */
export function fromNodeRedis(client: NodeRedisClient | NodeRedisCluster): RedisPort {
  return 'nodeClient' in client ? new ClusterPort(client) : new SinglePort(client)
}

class SinglePort implements RedisPort {
  readonly name = 'node-redis'
  readonly isCluster = false
  readonly #client: NodeRedisClient

  constructor(client: NodeRedisClient) {
    this.#client = client
  }

  send(_key: string, command: RedisCommand): Promise<unknown> {
    return this.#client.sendCommand([...command])
  }

  sendEach(commands: readonly KeyedCommand[]): Promise<readonly CommandAnswer[]> {
    return answersOf(commands.map(({ key, command }) => this.send(key, command)))
  }

  sendInOrder(key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    return answersOf(commands.map((command) => this.send(key, command)))
  }

  async sendToPrimaries(command: RedisCommand): Promise<readonly unknown[]> {
    return [await this.send('', command)]
  }

  resendCount(): number {
    return 0
  }
}

class ClusterPort implements RedisPort {
  readonly name = 'node-redis cluster'
  readonly isCluster = true
  readonly #client: NodeRedisCluster

  constructor(client: NodeRedisCluster) {
    this.#client = client
  }

  send(key: string, command: RedisCommand): Promise<unknown> {
    return this.#client.sendCommand(key, false, [...command])
  }

  sendEach(commands: readonly KeyedCommand[]): Promise<readonly CommandAnswer[]> {
    return answersOf(commands.map(({ key, command }) => this.send(key, command)))
  }

  async sendInOrder(key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    try {
      const primary = this.#client.slots[slotOf(key)]?.master
      if (primary === undefined) throw new Error('CLUSTERDOWN No primary is known for the slot.')
      const client = await this.#client.nodeClient(primary as never)
      return await answersOf(commands.map((command) => client.sendCommand([...command])))
    } catch (error) {
      return commands.map(() => ({ status: 'failed', error }))
    }
  }

  sendToPrimaries(command: RedisCommand): Promise<readonly unknown[]> {
    return Promise.all(
      this.#client.masters.map(async (node) =>
        (await this.#client.nodeClient(node as never)).sendCommand([...command]),
      ),
    )
  }

  resendCount(): number {
    return 0
  }
}

// Problem: ioredis sends again by itself what it had sent when a connection is lost, follows no redirection for a part of a
//   pipeline, refuses one over two primaries, and hands every command to its socket alone.
// Scheme: commands go out one by one, so that ioredis follows redirections; what is sent in one turn of the event loop leaves in
//   few pieces, which is one round trip a primary and costs less than a pipeline. Only what belongs together on one connection
//   is a pipeline. Lost connections are counted, so that the error table knows when an error may speak of a second copy.
// Invariants: reads go to primaries only; an answer always belongs to its command; one port a client, so that its events are
//   listened to once.
// Cost: that of the commands.
// Source: ioredis 5.11 and 6.0, lib/Pipeline.ts, lib/cluster/index.ts, lib/redis/event_handler.ts; iovalkey 0.4 is a fork of it.

import { InvalidArgumentError } from '@spillway/core'

import { type CommandAnswer, fromReached, type RedisCommand, type RedisPort } from './client-port.js'
import { CorkedSockets } from './corked-sockets.js'
import { closedClient, isRedirection } from './error-table.js'
import { LostCommands } from './lost-commands.js'
import { slotOf } from './slot.js'

/** What the backend uses of an ioredis client: `Redis` (also by Sentinel) or `Cluster`, version 5 or 6; iovalkey fits as well. */
export interface IoredisClient {
  /** The client's options, to refuse those under which the promises cannot be kept. */
  readonly options: object
  /** `end` once the client is closed for good. */
  readonly status: string
  /** Sends any command. */
  call(command: string, ...args: string[]): Promise<unknown>
  /** Sends commands together. */
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> }
  /** Tells of lost connections. */
  on(event: never, listener: never): unknown
}

/** What is there in a `Cluster` beside that. */
interface IoredisCluster extends IoredisClient {
  /** By slot: `host:port` of the primary, then of its replicas. */
  readonly slots?: readonly (readonly string[] | undefined)[]
  nodes(role: 'all' | 'master'): readonly IoredisClient[]
}

const ports = new WeakMap<IoredisClient, IoredisPort>()

/** The port to an ioredis client. Throws `InvalidArgumentError` for options under which reads could be stale or keys moved. */
export function fromIoredis(client: IoredisClient): RedisPort {
  checkOptions(client.options)
  let port = ports.get(client)
  if (port === undefined) {
    port = new IoredisPort(client)
    ports.set(client, port)
  }
  return port
}

interface CheckedOptions {
  readonly scaleReads?: unknown
  readonly role?: unknown
  readonly readOnly?: unknown
  readonly keyPrefix?: unknown
  readonly enableAutoPipelining?: unknown
  readonly autoResendUnfulfilledCommands?: unknown
  readonly redisOptions?: { readonly keyPrefix?: unknown }
}

function checkOptions(options: CheckedOptions): void {
  const { scaleReads, role, readOnly, keyPrefix, redisOptions } = options
  if (scaleReads !== undefined && scaleReads !== 'master')
    throw new InvalidArgumentError("redis({ client })'s scaleReads", "'master'", scaleReads, 'Replicas lag behind.')
  if (role === 'slave')
    throw new InvalidArgumentError("redis({ client })'s role", "'master'", role, 'Replicas lag behind.')
  if (readOnly === true)
    throw new InvalidArgumentError("redis({ client })'s readOnly", 'false', readOnly, 'Replicas lag behind.')
  const prefix = keyPrefix ?? redisOptions?.keyPrefix ?? ''
  if (prefix !== '')
    throw new InvalidArgumentError(
      "redis({ client })'s keyPrefix",
      'empty, since shards are placed by their whole key',
      prefix,
      'Make it part of the keys.',
    )
}

class IoredisPort implements RedisPort {
  readonly name = 'ioredis'
  readonly #client: IoredisClient
  readonly #cluster: IoredisCluster | undefined
  /** The connections of the client: itself, or the nodes of a cluster. */
  readonly #nodes = new Set<IoredisClient>()
  readonly #sockets = new CorkedSockets(() => this.#nodes)
  readonly #isAutopipelined: boolean
  /** Only where the client would forget them; the nodes of a cluster end what they lose. */
  readonly #lost: LostCommands | undefined
  #closings = 0

  constructor(client: IoredisClient) {
    this.#client = client
    this.#cluster =
      typeof (client as Partial<IoredisCluster>).nodes === 'function' ? (client as IoredisCluster) : undefined
    const isCluster = this.#cluster !== undefined
    const { enableAutoPipelining, autoResendUnfulfilledCommands } = client.options as CheckedOptions
    this.#isAutopipelined = isCluster && enableAutoPipelining === true
    this.#lost = !isCluster && autoResendUnfulfilledCommands === false ? new LostCommands() : undefined
    const watch = (node: IoredisClient): void => {
      this.#nodes.add(node)
      listen(node, 'close', () => {
        this.#closings += 1
        this.#lost?.fail()
      })
    }
    if (this.#lost !== undefined) listen(client, 'ready', () => this.#lost?.sent())
    if (this.#cluster === undefined) watch(client)
    else {
      for (const node of this.#cluster.nodes('all')) watch(node)
      listen(client, '+node', watch)
      listen(client, '-node', (node) => this.#nodes.delete(node))
    }
  }

  send(_key: string, command: RedisCommand): Promise<unknown> {
    if (this.#client.status === 'end') return Promise.reject(closedClient(this.name))
    this.#sockets.hold()
    const isUp = this.#lost !== undefined && isWritable(this.#client)
    const sent = this.#client.call(...(command as readonly [string]))
    if (this.#isAutopipelined) return this.#followed(sent, command)
    return this.#lost === undefined ? sent : this.#lost.orLost(sent, isUp)
  }

  sendInOrder(_key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    return this.#pipeline(commands)
  }

  async sendToPrimaries([name, ...args]: RedisCommand): Promise<readonly unknown[]> {
    if (this.#client.status === 'end') throw closedClient(this.name)
    // A cluster knows its nodes only once it is ready, which a command waits for.
    if (this.#cluster !== undefined && this.#cluster.status !== 'ready') await this.#cluster.call('info', 'replication')
    const nodes = this.#cluster?.nodes('master') ?? [this.#client]
    return fromReached(nodes.map((node) => node.call(name as string, ...args)))
  }

  resendCount(): number {
    return this.#closings
  }

  isUp(key: string): boolean {
    if (this.#cluster === undefined) return isWritable(this.#client)
    if (this.#cluster.status !== 'ready') return false
    const [address] = this.#cluster.slots?.[slotOf(key)] ?? []
    for (const node of this.#nodes)
      // A node that was never needed connects for the first command; a cluster gives up what waits for one that is gone.
      if (addressOf(node) === address) return node.status === 'wait' || isWritable(node)
    return true
  }

  connectionOf(key: string): unknown {
    if (this.#cluster === undefined) return this.#client
    // ioredis takes those slots together that have the same primary and the same replicas.
    return this.#cluster.slots?.[slotOf(key)]?.join(';') ?? key
  }

  /** A pipeline that ioredis puts together by itself follows no redirection, either; one of a single command does. */
  #followed(sent: Promise<unknown>, command: RedisCommand): Promise<unknown> {
    return sent.catch(async (error: unknown) => {
      if (!isRedirection(error)) throw error
      const [again] = await this.#pipeline([command])
      if (again?.status === 'answered') return again.value
      throw again?.error
    })
  }

  async #pipeline(commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    try {
      if (this.#client.status === 'end') throw closedClient(this.name)
      const isUp = this.#lost !== undefined && isWritable(this.#client)
      const sent = this.#client.pipeline(commands.map((command) => [...command])).exec()
      const results = (await (this.#lost === undefined ? sent : this.#lost.orLost(sent, isUp))) ?? []
      return commands.map((_, i) => {
        const [error, value] = results[i] ?? [
          new Error('ioredis gave no answer to a command of a pipeline.'),
          undefined,
        ]
        return error === null || error === undefined ? { status: 'answered', value } : { status: 'failed', error }
      })
    } catch (error) {
      return commands.map(() => ({ status: 'failed', error }))
    }
  }
}

/** Whether a command is written to a socket at once. */
function isWritable(node: IoredisClient): boolean {
  const { stream } = node as { readonly stream?: { readonly writable?: boolean } | null }
  return node.status === 'ready' && stream?.writable !== false
}

function addressOf({ options }: IoredisClient): string {
  const { host, port } = options as { readonly host?: unknown; readonly port?: unknown }
  return `${String(host)}:${String(port)}`
}

/** The client's overloads for every event fit no structural type of ours. */
function listen(client: IoredisClient, event: string, listener: (node: IoredisClient) => void): void {
  const emitter = client as unknown as { on(name: string, listener: (node: IoredisClient) => void): unknown }
  emitter.on(event, listener)
}

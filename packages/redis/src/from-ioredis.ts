// Problem: ioredis refuses a pipeline over two primaries, follows no redirection for a part of one, sends again by itself what it
//   had sent when a connection is lost, and hands every command to its socket alone.
// Scheme: one pipeline for the keys of each primary by the client's own map of slots; whatever a pipeline could not settle goes
//   out once more alone, where ioredis follows redirections. Lost connections are counted, so that the error table knows when
//   an error may speak of a second copy. What is sent in one turn of the event loop leaves in one piece.
// Invariants: reads go to primaries only; an answer always belongs to its command; one port a client, so that its events are
//   listened to once.
// Cost: one pipeline a primary; one command alone for a single key.
// Source: ioredis 5.11 and 6.0, lib/Pipeline.ts, lib/cluster/index.ts, lib/redis/event_handler.ts; iovalkey 0.4 is a fork of it.

import { InvalidArgumentError } from '@spillway/core'

import {
  answersOf,
  type CommandAnswer,
  fromReached,
  type KeyedCommand,
  type RedisCommand,
  type RedisPort,
} from './client-port.js'
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
  readonly slots: readonly (readonly string[] | undefined)[]
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
  readonly isCluster: boolean
  readonly #client: IoredisClient
  readonly #cluster: IoredisCluster | undefined
  /** One name for each list of nodes that serves slots; ioredis gives the slots of a range the same list. */
  readonly #groupNames = new WeakMap<
    readonly string[],
    { readonly primary: string | undefined; readonly name: string }
  >()
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
    this.isCluster = this.#cluster !== undefined
    const { enableAutoPipelining, autoResendUnfulfilledCommands } = client.options as CheckedOptions
    this.#isAutopipelined = this.isCluster && enableAutoPipelining === true
    this.#lost = !this.isCluster && autoResendUnfulfilledCommands === false ? new LostCommands() : undefined
    const watch = (node: IoredisClient): void => {
      this.#nodes.add(node)
      listen(node, 'close', () => {
        this.#closings += 1
        this.#lost?.fail()
      })
    }
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
    const sent = this.#client.call(...(command as readonly [string]))
    if (this.#isAutopipelined) return this.#followed(sent, command)
    return this.#lost === undefined ? sent : this.#lost.orLost(sent)
  }

  async sendEach(commands: readonly KeyedCommand[]): Promise<readonly CommandAnswer[]> {
    if (commands.length === 1) return answersOf(commands.map(({ key, command }) => this.send(key, command)))
    const answers: CommandAnswer[] = []
    const groups = this.#byPrimary(commands)
    await Promise.all(
      groups.map(async (positions) => {
        const sent = await this.#pipeline(positions.map((position) => (commands[position] as KeyedCommand).command))
        for (const [i, position] of positions.entries()) answers[position] = sent[i] as CommandAnswer
      }),
    )
    const unsettled = answers.flatMap((answer, i) => (isUnsettled(answer) ? [i] : []))
    if (unsettled.length === 0) return answers
    const again = await answersOf(
      unsettled.map((i) => this.send((commands[i] as KeyedCommand).key, (commands[i] as KeyedCommand).command)),
    )
    for (const [i, position] of unsettled.entries()) answers[position] = again[i] as CommandAnswer
    return answers
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

  /** A pipeline that ioredis puts together by itself follows no redirection, either; one of a single command does. */
  #followed(sent: Promise<unknown>, command: RedisCommand): Promise<unknown> {
    return sent.catch(async (error: unknown) => {
      if (!isRedirection(error)) throw error
      const [again] = await this.#pipeline([command])
      if (again?.status === 'answered') return again.value
      throw again?.error
    })
  }

  /** Positions of commands whose keys one primary serves, as far as the client knows. */
  #byPrimary(commands: readonly KeyedCommand[]): readonly (readonly number[])[] {
    if (this.#cluster === undefined) return [commands.map((_, i) => i)]
    const groups = new Map<string, number[]>()
    for (const [i, { key }] of commands.entries()) {
      const slot = slotOf(key)
      const nodes = this.#groupName(this.#cluster.slots[slot]) ?? `slot ${slot}`
      const group = groups.get(nodes)
      if (group === undefined) groups.set(nodes, [i])
      else group.push(i)
    }
    return [...groups.values()]
  }

  /** ioredis refuses a pipeline unless its slots have the whole list of nodes in common. */
  #groupName(nodes: readonly string[] | undefined): string | undefined {
    if (nodes === undefined) return undefined
    let group = this.#groupNames.get(nodes)
    // A redirection puts another primary into the very same list.
    if (group === undefined || group.primary !== nodes[0]) {
      group = { primary: nodes[0], name: nodes.join(';') }
      this.#groupNames.set(nodes, group)
    }
    return group.name
  }

  async #pipeline(commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    try {
      if (this.#client.status === 'end') throw closedClient(this.name)
      const sent = this.#client.pipeline(commands.map((command) => [...command])).exec()
      const results = (await (this.#lost === undefined ? sent : this.#lost.orLost(sent))) ?? []
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

/** The client's overloads for every event fit no structural type of ours. */
function listen(client: IoredisClient, event: string, listener: (node: IoredisClient) => void): void {
  const emitter = client as unknown as { on(name: string, listener: (node: IoredisClient) => void): unknown }
  emitter.on(event, listener)
}

/** Whether a read is worth one more try alone: the pipeline went to a primary that does not serve its key any more. */
function isUnsettled(answer: CommandAnswer): boolean {
  return answer.status === 'failed' && isRedirection(answer.error)
}

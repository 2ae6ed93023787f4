// Problem: ioredis refuses a pipeline over two primaries, follows no redirection for a part of one, and sends again by itself
//   what it had sent when a connection is lost.
// Scheme: one pipeline for the keys of each primary by the client's own map of slots; whatever a pipeline could not settle goes
//   out once more alone, where ioredis follows redirections. Lost connections are counted, so that the error table knows when
//   an error may speak of a second copy.
// Invariants: reads go to primaries only; an answer always belongs to its command.
// Cost: one pipeline a primary; one command alone for a single key.
// Source: ioredis 5.11 and 6.0, lib/Pipeline.ts, lib/cluster/index.ts.

import { InvalidArgumentError } from '@spillway/core'

import { answersOf, type CommandAnswer, type KeyedCommand, type RedisCommand, type RedisPort } from './client-port.js'
import { isRedirection } from './error-table.js'
import { slotOf } from './slot.js'

/** What the backend uses of an ioredis client: `Redis` (also by Sentinel) or `Cluster`, version 5 or 6; iovalkey fits as well. */
export interface IoredisClient {
  /** The client's options, to refuse those under which the promises cannot be kept. */
  readonly options: object
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

/** A port to an ioredis client. Throws `InvalidArgumentError` for options under which reads could be stale or keys moved. */
export function fromIoredis(client: IoredisClient): RedisPort {
  checkOptions(client.options)
  return new IoredisPort(client)
}

function checkOptions(options: object): void {
  const { scaleReads, role, keyPrefix } = options as { scaleReads?: unknown; role?: unknown; keyPrefix?: unknown }
  const { redisOptions } = options as { redisOptions?: { keyPrefix?: unknown } }
  if (scaleReads !== undefined && scaleReads !== 'master')
    throw new InvalidArgumentError("redis({ client })'s scaleReads", "'master'", scaleReads, 'Replicas lag behind.')
  if (role === 'slave')
    throw new InvalidArgumentError("redis({ client })'s role", "'master'", role, 'Replicas lag behind.')
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
  #closings = 0

  constructor(client: IoredisClient) {
    this.#client = client
    this.#cluster =
      typeof (client as Partial<IoredisCluster>).nodes === 'function' ? (client as IoredisCluster) : undefined
    this.isCluster = this.#cluster !== undefined
    const count = (): void => {
      this.#closings += 1
    }
    const watch = (node: IoredisClient): void => listen(node, 'close', count)
    if (this.#cluster === undefined) watch(client)
    else {
      for (const node of this.#cluster.nodes('all')) watch(node)
      listen(client, '+node', watch)
    }
  }

  send(_key: string, [name, ...args]: RedisCommand): Promise<unknown> {
    return this.#client.call(name as string, ...args)
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
    const again = await answersOf(
      unsettled.map((i) => this.send((commands[i] as KeyedCommand).key, (commands[i] as KeyedCommand).command)),
    )
    for (const [i, position] of unsettled.entries()) answers[position] = again[i] as CommandAnswer
    return answers
  }

  sendInOrder(_key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    return this.#pipeline(commands)
  }

  sendToPrimaries([name, ...args]: RedisCommand): Promise<readonly unknown[]> {
    const nodes = this.#cluster?.nodes('master') ?? [this.#client]
    return Promise.all(nodes.map((node) => node.call(name as string, ...args)))
  }

  resendCount(): number {
    return this.#closings
  }

  /** Positions of commands whose keys one primary serves, as far as the client knows. */
  #byPrimary(commands: readonly KeyedCommand[]): readonly (readonly number[])[] {
    if (this.#cluster === undefined) return [commands.map((_, i) => i)]
    const groups = new Map<string, number[]>()
    for (const [i, { key }] of commands.entries()) {
      const slot = slotOf(key)
      const nodes = this.#cluster.slots[slot]?.join(';') ?? `slot ${slot}` // ioredis compares the whole group
      const group = groups.get(nodes)
      if (group === undefined) groups.set(nodes, [i])
      else group.push(i)
    }
    return [...groups.values()]
  }

  async #pipeline(commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]> {
    try {
      const results = (await this.#client.pipeline(commands.map((command) => [...command])).exec()) ?? []
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

// Problem: WAIT holds up all commands of its connection, and a replica that hangs makes each of them last as long as it may: a dozen
//   behind one another keep the application's own commands waiting for seconds.
// Scheme: one WAIT at a time for each connection, shared by all who wait: whoever comes while one is under way goes out behind it,
//   together with all others who came meanwhile, and one WAIT behind them. WAIT covers everything before it on its connection.
//   What goes out in order follows no redirection: where a key has moved, it is looked for and the batch sent again, a few times,
//   for the client may learn where its slots are from a node that has not heard of it yet.
// Invariants: at most one WAIT is queued at any time for each connection; what is covered by a WAIT stands before it; every line is
//   bounded, and so is what a key that moves costs.
// Cost: where many wait, one WAIT instead of one for each; whoever comes while one is under way waits for it as well.
// Source: redis.io/docs/latest/commands/wait.

import { BackendError } from '@spillway/core'

import { answersOf, type CommandAnswer, type RedisPort } from './client-port.js'
import { isRedirection, isUnknownScript } from './error-table.js'
import type { Script } from './scripts/script.js'
import { pause } from './time/pause.js'

/** So many scripts share a WAIT: Redis runs them one after the other before anything else on the connection. */
const batchMax = 64

/** So many wait for one connection; more are refused before they are sent. */
const lineMax = 4_096

/** So often a batch is sent while its keys move. With the pauses between them that takes 630 ms, which gossip in a cluster rarely does. */
const sendsMax = 8

/** The pause before a key that has moved twice is looked for again; it doubles each time. */
const pauseMsMin = 10

/** A script to be run before a WAIT. */
export interface Confirmation {
  readonly script: Script
  readonly key: string
  readonly args: readonly string[]
  /** How many replicas are waited for. */
  readonly replicaCount: number
  /** How long, in milliseconds. */
  readonly waitMs: number
}

/** What the script was answered, and the WAIT behind it. */
export type Confirmed = readonly [ran: CommandAnswer, waited: CommandAnswer]

interface Waiting extends Confirmation {
  readonly settle: (confirmed: Confirmed) => void
}

const all = new WeakMap<RedisPort, ReplicaWaits>()

/** The waits of a client, shared by all backends on the same port. */
export function replicaWaitsOf(port: RedisPort): ReplicaWaits {
  let waits = all.get(port)
  if (waits === undefined) {
    waits = new ReplicaWaits(port)
    all.set(port, waits)
  }
  return waits
}

/** The lines before the WAITs of one client. */
export class ReplicaWaits {
  readonly #port: RedisPort
  /** By connection: who waits for the next WAIT while one is under way. */
  readonly #lines = new Map<unknown, Waiting[]>()

  constructor(port: RedisPort) {
    this.#port = port
  }

  /** Runs a script with a WAIT behind it on the same connection. Never rejects. */
  confirmed(confirmation: Confirmation): Promise<Confirmed> {
    return new Promise((settle) => {
      const { key } = confirmation
      const connection = this.#port.connectionOf?.(key) ?? key
      const line = this.#lines.get(connection)
      const waiting = { ...confirmation, settle }
      if (line === undefined) {
        this.#lines.set(connection, [])
        void this.#run(connection, [waiting])
      } else if (line.length < lineMax) line.push(waiting)
      else {
        const message = `${lineMax} requests wait for replicas already. Nothing was sent.`
        settle([refused(message), refused(message)])
      }
    })
  }

  async #run(connection: unknown, first: readonly Waiting[]): Promise<void> {
    for (let batch = first; batch.length > 0; batch = this.#lines.get(connection)?.splice(0, batchMax) ?? []) {
      const answers = await this.#sent(batch)
      const waited = answers.at(-1) as CommandAnswer
      for (const [i, { settle }] of batch.entries()) settle([answers[i] as CommandAnswer, waited])
    }
    this.#lines.delete(connection)
  }

  async #sent(batch: readonly Waiting[]): Promise<readonly CommandAnswer[]> {
    const [{ key }] = batch as readonly [Waiting]
    const replicaCount = Math.max(...batch.map((one) => one.replicaCount))
    const waitMs = Math.max(...batch.map((one) => one.waitMs))
    const wait = ['wait', String(replicaCount), String(waitMs)]
    const named = batch.map((one) => one.script.command(one.key, one.args))
    let answers = await this.#port.sendInOrder(key, [...named, wait])
    for (let sends = 1; sends < sendsMax; sends++) {
      const moved = batch.filter((_, i) => failedBy(answers[i], isRedirection))
      if (moved.length === 0 && !answers.some((answer) => failedBy(answer, isUnknownScript))) break
      if (sends > 1) await pause(pauseMsMin * 2 ** (sends - 2))
      // What goes out in order follows no redirection; a read of a key lets the client learn where it is now.
      await answersOf(moved.map((one) => this.#port.send(one.key, ['type', one.key])))
      // Whatever was run is run again and finds itself done: the WAIT must stand behind all of them.
      const whole = batch.map((one) => one.script.whole(one.key, one.args))
      answers = await this.#port.sendInOrder(key, [...whole, wait])
    }
    return answers
  }
}

function failedBy(answer: CommandAnswer | undefined, isSo: (error: unknown) => boolean): boolean {
  return answer?.status === 'failed' && isSo(answer.error)
}

function refused(message: string): CommandAnswer {
  return { status: 'failed', error: new BackendError('unavailable', message) }
}

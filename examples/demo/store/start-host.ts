import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { PartitionOptions } from '@spillway/testkit'

import { EngineError } from './engine-error.js'

/** Which engine is to be started, and what goes wrong with it. */
export interface HostOrder {
  /** The engine. */
  readonly engine: 'redis' | 'redis-cluster' | 'dynamodb'
  /** How likely an answer is lost after the request took effect: to a write in DynamoDB, to whatever a client of Redis has just sent. */
  readonly lostAnswerChance: number
  /** The partitions of DynamoDB. */
  readonly partitions?: PartitionOptions
}

/** Where an engine answers. */
export interface HostedEngine {
  /** As `--address` takes it. */
  readonly address: string
  /** How a cluster's own addresses are to be translated, so that clients stay behind the proxies. */
  readonly natMap?: Readonly<Record<string, { host: string; port: number }>> | undefined
}

/** What the process of an engine says. */
export type HostAnswer =
  { readonly started: HostedEngine } | { readonly failure: string } | { readonly lostCount: number }

/** An engine in a process of its own. */
export interface EngineHost extends HostedEngine {
  /** Its process. */
  readonly pid: number
  /** Rejects when it ends before it is closed. Never resolves. */
  readonly lost: Promise<never>
  /** How many answers were lost so far. */
  lostCount(): Promise<number>
  /** Takes the engine down. May be called twice. */
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Starts an engine in a process of its own and waits until it is ready. It ends with this process at the latest. Rejects with an `EngineError` when it could not be started. */
export async function startHost(order: HostOrder): Promise<EngineHost> {
  const child = fork(fileURLToPath(new URL('engine-host.ts', import.meta.url)), [JSON.stringify(order)], {
    cwd: root,
    execArgv: ['--import', 'tsx'],
    detached: true, // Ctrl-C is for this process alone: the engine is needed until the check is over
  })
  let isClosing = false
  const ended = once(child, 'exit')
  const lost = ended.then(([code]): Promise<never> => {
    const forever = new Promise<never>(() => undefined)
    return isClosing
      ? forever
      : Promise.reject(new EngineError(`The engine ended by itself (exit code ${String(code)}).`))
  })
  lost.catch(() => undefined) // whoever waits for it hears of it
  const answered = async () => (await Promise.race([once(child, 'message'), lost]))[0] as HostAnswer
  const first = await answered()
  if (!('started' in first)) {
    isClosing = true
    throw new EngineError('failure' in first ? first.failure : 'The engine did not say where it answers.')
  }
  return {
    ...first.started,
    pid: child.pid ?? 0,
    lost,
    async lostCount() {
      const answer = answered()
      child.send('lost')
      const count = await answer
      return 'lostCount' in count ? count.lostCount : NaN
    },
    async close() {
      isClosing = true
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

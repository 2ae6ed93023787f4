import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import type { ChaosOrders } from './chaos-orders.js'

const root = join(import.meta.dirname, '../../../..')
const saidMax = 4_000

/** One life of a process of a chaos run, as its parent sees it. */
export class ChaosChild {
  /** What it was told. */
  readonly orders: ChaosOrders
  /** Resolves when it has ended; with what was wrong with that, if it was not killed from here and did not end well. */
  readonly ended: Promise<string | undefined>
  /** Resolves when its client is open, or when it has ended. */
  readonly opened: Promise<unknown>
  readonly #child: ChildProcess
  #said = ''
  #isKilled = false

  /** Starts it. It ends with its parent. */
  constructor(script: string, orders: ChaosOrders) {
    this.orders = orders
    const child = fork(script, [], {
      cwd: root,
      execArgv: ['--import', 'tsx', '--no-warnings'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-saidMax)))
    child.on('error', () => undefined) // of sending to one that has ended
    this.#child = child
    this.ended = once(child, 'exit').then(([code, signal]) =>
      this.#isKilled || code === 0 ? undefined : `process ${orders.name} ended with ${code ?? signal}: ${this.#said}`,
    )
    this.opened = Promise.race([once(child, 'message'), this.ended])
    child.send(orders)
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Lets it stand still until it is told to go on. */
  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  /** Lets it go on. */
  goOn(): void {
    this.#child.kill('SIGCONT')
  }

  /** Tells it that this is the end; what it has begun it ends first. */
  finish(): void {
    if (this.#child.connected) this.#child.send('finish')
  }
}

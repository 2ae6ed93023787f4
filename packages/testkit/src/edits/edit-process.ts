import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

import type { EditMessage, EditOrders, EditOutcome } from './edit-writer.js'

const root = join(import.meta.dirname, '../../../..')

/** A process that writes its share of the log, as its parent sees it. */
export class EditProcess {
  /** What it knows of the fanout of channels. */
  readonly fanouts = new Map<string, number>()
  /** What it says in the end; rejects when it ends without. */
  readonly outcome: Promise<EditOutcome>
  /** Its early lines are there, as drafts. */
  isDrafted = false
  readonly #child: ChildProcess

  /** Starts it: `script` gets `args`, waits for its orders and runs an `EditWriter`. */
  constructor(script: string, args: readonly string[]) {
    this.#child = fork(script, args, { cwd: root, execArgv: ['--import', 'tsx', '--no-warnings'] })
    this.outcome = new Promise((resolve, reject) => {
      this.#child.on('message', (message: EditMessage) => {
        if (message.kind === 'route') this.fanouts.set(message.channel, message.fanout)
        else if (message.kind === 'drafted') this.isDrafted = true
        else resolve(message.outcome)
      })
      this.#child.once('exit', (code) =>
        reject(new Error(`A process that stores edits ended with ${code} before its share was written.`)),
      )
    })
    this.outcome.catch(() => undefined) // whoever waits for all of them sees it
  }

  /** Has it open its client and begin. */
  join(orders: EditOrders): void {
    this.#child.send(orders)
  }

  /** Tells it that the routes have grown. */
  goOn(): void {
    this.#child.send('grown')
  }

  /** Ends it, if it has not ended. */
  kill(): void {
    if (this.#child.exitCode === null) this.#child.kill()
  }
}

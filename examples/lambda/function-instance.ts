import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import type { Views } from './handler.js'
import type { Answer } from './runtime.js'

/**
 * One execution environment of a function: a process that runs only while it serves an invocation. Before and after it stands
 * still, as AWS has it: SIGSTOP after each answer, SIGCONT before the next call, SIGKILL without notice at any time between.
 */
export class FunctionInstance {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** A cold start: resolves once the handler is loaded, frozen. */
  static async start(env: Readonly<Record<string, string>>): Promise<FunctionInstance> {
    const execArgv = ['--import', 'tsx']
    const child = fork(join(import.meta.dirname, 'runtime.ts'), { execArgv, env: { ...process.env, ...env } })
    const instance = new FunctionInstance(child)
    await instance.#message()
    instance.#freeze()
    return instance
  }

  /** Thaws it, has it serve one invocation, and freezes it again. Rejects when the process ends instead. */
  async invoke(views: Views): Promise<Answer> {
    this.#child.kill('SIGCONT')
    this.#child.send(views)
    const answer = (await this.#message()) as Answer
    this.#freeze()
    return answer
  }

  /** Ends it while it stands still. It is told nothing. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  #freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  async #message(): Promise<unknown> {
    const over = new AbortController()
    const { signal } = over
    const ended = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`An instance ended with ${String(code)} instead of an answer.`)
    })
    try {
      const [message] = (await Promise.race([once(this.#child, 'message', { signal }), ended])) as [unknown]
      return message
    } finally {
      ended.catch(() => undefined) // aborted
      over.abort()
    }
  }
}

// Problem: what an engine has acknowledged must be there again after it was killed, and an engine in the tests' own process
//   cannot be killed.
// Scheme: dynalite in a process of its own, on a port and in a folder that stay the same from start to start.
// Invariants: the process ends when its starter does, whatever ends that; the folder goes with `close`.
// Cost: a process of 80 MB, and half a second for each start.
// Source: LevelDB hands each write to the system before it says so, so that a killed process loses none.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { DynamoEngine } from './dynalite.js'
import { freePorts } from './free-port.js'

const script = join(import.meta.dirname, '../../dynalite-process.ts')

/** Starts dynalite in a process of its own that keeps its data on disk. */
export async function startDynaliteProcess(): Promise<DynaliteProcess> {
  const [port = 0] = await freePorts(1)
  const engine = new DynaliteProcess(port, mkdtempSync(join(tmpdir(), 'spillway-dynalite-')))
  await engine.start()
  return engine
}

/** A running dynalite that can be killed. */
export class DynaliteProcess implements DynamoEngine {
  readonly endpoint: string
  readonly #port: number
  readonly #path: string
  #child: ChildProcess | undefined

  /** Use {@link startDynaliteProcess}. */
  constructor(port: number, path: string) {
    this.#port = port
    this.#path = path
    this.endpoint = `http://127.0.0.1:${port}`
  }

  /** Starts it where it was, with the data that it had. Rejects when it ends instead. */
  async start(): Promise<void> {
    const child = fork(script, [this.#path, String(this.#port)], {
      execArgv: ['--import', 'tsx', '--no-warnings'],
      env: { ...process.env, SPILLWAY_DYNAMODB_ENDPOINT: '' }, // this one is the test's own
    })
    this.#child = child
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`The engine ended with ${code} before it listened on port ${this.#port}.`)
    })
    ended.catch(() => undefined) // only the start waits for it
    await Promise.race([once(child, 'message'), ended])
  }

  /** Ends it at once, as `kill -9` does; resolves when it has ended. */
  async crash(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async close(): Promise<void> {
    await this.crash()
    rmSync(this.#path, { recursive: true, force: true })
  }
}

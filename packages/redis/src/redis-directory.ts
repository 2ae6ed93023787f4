// Problem: the directory must be swapped atomically, and a failover must not easily take back what was swapped.
// Scheme: one hash with text and version, swapped by a script; where replicas are attached, the swap counts only once one has it.
// Invariants: no version comes back; a swap that no replica has in time is «unknown», and whoever reads sees which it was.
// Cost: two round trips a swap with replicas, one without.
// Source: docs/routing.md, «When the store itself forgets».

import { BackendError, type DirectoryDocument, type DirectoryStore } from '@spillway/core'

import type { RedisPort } from './client-port.js'
import { readFailure, writeFailure } from './error-table.js'
import type { ResolvedRedisOptions } from './options.js'
import { awaitReplicas } from './replication.js'
import { swapScript } from './scripts/swap.js'
import { touchScript } from './scripts/touch.js'

/** The directory in Redis. */
export class RedisDirectory implements DirectoryStore {
  readonly #port: RedisPort
  readonly #options: ResolvedRedisOptions

  constructor(port: RedisPort, options: ResolvedRedisOptions) {
    this.#port = port
    this.#options = options
  }

  async read(): Promise<DirectoryDocument> {
    const key = this.#options.directoryKey
    let values: unknown
    try {
      values = await this.#port.send(key, ['hmget', key, 'text', 'version'])
    } catch (error) {
      throw readFailure(error)
    }
    const [text, version] = values as [unknown, unknown]
    if (typeof text === 'string' && typeof version === 'string') return { text, version }
    if ((text ?? version ?? undefined) === undefined) return { text: undefined, version: undefined }
    throw new BackendError('invalid', `What stands under ${JSON.stringify(key)} is no directory.`)
  }

  async swap(expected: string | undefined, text: string): Promise<string | undefined> {
    const key = this.#options.directoryKey
    const before = this.#port.resendCount()
    let answer: unknown
    try {
      answer = await swapScript.run(this.#port, key, [expected ?? '', text])
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
    if (!Array.isArray(answer)) {
      // A second copy of a swap that took place is refused: its answer says nothing of the first.
      if (this.#port.resendCount() === before) return undefined
      throw new BackendError('unknown', 'The connection was lost during a swap of the directory.')
    }
    const [version, attachedCount] = answer as [string, unknown]
    const touch = { script: touchScript, key, args: [version], stands: (given: unknown) => given === 'stands' }
    await awaitReplicas(this.#port, touch, answer, attachedCount, this.#options)
    return version
  }
}

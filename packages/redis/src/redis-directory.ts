// Problem: the directory must be swapped atomically, and a failover must not easily take back what was swapped.
// Scheme: one hash with text and version, swapped by a script. Where replicas are attached, the swap counts only once one of them
//   has it: a second small write and WAIT follow on one connection, and replication keeps the order of writes.
// Invariants: no version comes back; a swap that no replica has in time is «unknown», and whoever reads sees which it was.
// Cost: two round trips a swap with replicas, one without. WAIT holds up the other commands of its connection meanwhile.
// Source: redis.io/docs/latest/commands/wait; shared protocol, «When the store itself forgets».

import { BackendError, type DirectoryDocument, type DirectoryStore } from '@spillway/core'

import type { RedisPort } from './client-port.js'
import { readFailure, writeFailure } from './error-table.js'
import type { ResolvedRedisOptions } from './options.js'
import { swapScript, touchScript } from './scripts/swap.js'

/** The directory in Redis. */
export class RedisDirectory implements DirectoryStore {
  readonly #port: RedisPort
  readonly #key: string
  readonly #replicaWaitMs: number

  constructor(port: RedisPort, { directoryKey, replicaWaitMs }: ResolvedRedisOptions) {
    this.#port = port
    this.#key = directoryKey
    this.#replicaWaitMs = replicaWaitMs
  }

  async read(): Promise<DirectoryDocument> {
    let values: unknown
    try {
      values = await this.#port.send(this.#key, ['hmget', this.#key, 'text', 'version'])
    } catch (error) {
      throw readFailure(error)
    }
    const [text, version] = values as [unknown, unknown]
    if (typeof text !== 'string' || typeof version !== 'string') return { text: undefined, version: undefined }
    return { text, version }
  }

  async swap(expected: string | undefined, text: string): Promise<string | undefined> {
    const before = this.#port.resendCount()
    let answer: unknown
    try {
      answer = await swapScript.run(this.#port, this.#key, [expected ?? '', text])
    } catch (error) {
      throw writeFailure(error, this.#port.resendCount() !== before)
    }
    if (!Array.isArray(answer)) {
      // A second copy of a swap that took place is refused: its answer says nothing of the first.
      if (this.#port.resendCount() === before) return undefined
      throw new BackendError('unknown', 'The connection was lost during a swap of the directory.')
    }
    const [version, replicas] = answer as [string, number]
    if (replicas > 0) await this.#replicated(version)
    return version
  }

  async #replicated(version: string): Promise<void> {
    const touch = touchScript.whole(this.#key, [version])
    const [touched, waited] = await this.#port.sendInOrder(this.#key, [
      touch,
      ['wait', '1', String(this.#replicaWaitMs)],
    ])
    const stands = touched?.status === 'answered' && touched.value === 1
    const count = waited?.status === 'answered' ? Number(waited.value) : 0
    if (stands && count > 0) return
    throw new BackendError(
      'unknown',
      stands
        ? `No replica had the directory within ${this.#replicaWaitMs} ms.`
        : 'The directory changed or moved before a replica had it.',
      { cause: touched?.status === 'failed' ? touched.error : undefined },
    )
  }
}

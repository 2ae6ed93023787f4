import { isBackendError, type Backend, type DirectoryStore, type RecordStore, type ShardAnswer } from '@spillway/core'

import type { StoreCounts } from './store-counts.js'

const bytesPerWriteUnit = 1_024 // bp-partition-key-design.html
const bytesPerReadUnit = 4_096 // the same page

/** What DynamoDB charges for an item of this text: the port does not tell for the directory. */
function unitsOf(text: string, bytesPerUnit: number): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(text) / bytesPerUnit))
}

/** Counts what goes through to a backend into `counts`, which many backends may share. Stands behind whatever loses answers, so it counts what the store did, not what was heard of it. */
export class MeteredBackend implements Backend {
  readonly name: string
  readonly capabilities: Backend['capabilities']
  readonly directory: DirectoryStore
  readonly records: RecordStore
  readonly #backend: Backend
  readonly #onWriteThrottled: (key: string) => void
  readonly #counts: StoreCounts

  constructor(backend: Backend, counts: StoreCounts, onWriteThrottled: (key: string) => void) {
    this.#backend = backend
    this.#counts = counts
    this.#onWriteThrottled = onWriteThrottled
    this.name = backend.name
    this.capabilities = backend.capabilities
    this.directory = this.#meteredDirectory(backend.directory)
    this.records = this.#meteredRecords(backend.records)
  }

  async open(...call: Parameters<NonNullable<Backend['open']>>): Promise<void> {
    await this.#backend.open?.(...call)
  }

  async close(): Promise<void> {
    await this.#backend.close?.()
  }

  #meteredDirectory(directory: DirectoryStore): DirectoryStore {
    return {
      read: async (call) => {
        this.#counts.directoryReads += 1
        const document = await this.#refusable(directory.read(call), 'readsThrottled')
        this.#counts.readUnits += unitsOf(document.text ?? '', bytesPerReadUnit)
        return document
      },
      swap: (expected, text, call) => {
        this.#counts.directorySwaps += 1
        this.#counts.writeUnits += unitsOf(text, bytesPerWriteUnit)
        return this.#refusable(directory.swap(expected, text, call), 'writesThrottled')
      },
    }
  }

  #meteredRecords(records: RecordStore): RecordStore {
    return {
      write: async (write, call) => {
        const answer = await this.#writing(write.shard.key, records.write(write, call))
        this.#counts.writeUnits += answer.units ?? 0
        return answer
      },
      read: async (read, call) => {
        this.#counts.readRequests += 1
        this.#counts.shardsRead += read.shards.length
        const answers = await this.#refusable(records.read(read, call), 'readsThrottled')
        for (const answer of answers) this.#countAnswer(answer)
        return answers
      },
      seal: (shard, fields, call) => this.#writing(shard.key, records.seal(shard, fields, call)),
      absorb: (absorb, call) => this.#writing(absorb.target.key, records.absorb(absorb, call)),
      clear: (shard, retentionMs, call) => this.#writing(shard.key, records.clear(shard, retentionMs, call)),
      ...(records.stampRoute !== undefined && {
        stampRoute: (shard, stamp, call) => this.#writing(shard.key, records.stampRoute?.(shard, stamp, call)),
      }),
    }
  }

  #countAnswer(answer: ShardAnswer): void {
    if (answer.status === 'read') this.#counts.readUnits += answer.units ?? 0
    else this.#countThrottle(answer.error, 'readsThrottled')
  }

  async #writing<T>(key: string, request: Promise<T> | T): Promise<T> {
    this.#counts.writeRequests += 1
    try {
      return await request
    } catch (error) {
      if (this.#countThrottle(error, 'writesThrottled')) this.#onWriteThrottled(key)
      throw error
    }
  }

  async #refusable<T>(request: Promise<T>, side: 'writesThrottled' | 'readsThrottled'): Promise<T> {
    try {
      return await request
    } catch (error) {
      this.#countThrottle(error, side)
      throw error
    }
  }

  #countThrottle(error: unknown, side: 'writesThrottled' | 'readsThrottled'): boolean {
    const isThrottled = isBackendError(error) && error.kind === 'throttled'
    if (isThrottled) this.#counts[side] += 1
    return isThrottled
  }
}

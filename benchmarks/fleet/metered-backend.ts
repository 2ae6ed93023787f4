import {
  type Backend,
  type Call,
  type DirectoryStore,
  isBackendError,
  type RecordStore,
  type ShardsRead,
  type ShardWrite,
} from '@spillway/core'
import type { PartitionedBackend } from '@spillway/core/testing'

import { decodeDirectory } from '../../packages/core/src/routing/directory.js'
import type { Route } from '../../packages/core/src/routing/route.js'

/** What was asked of a store so far. */
export interface Metered {
  /** Writes, and places of reads, of the application's keys: attempts. */
  places: number
  throttledPlaces: number
  readRequests: number
  readPlaces: number
  /** Reports of heat that were sent. */
  reports: number
  /** Reads of such reports. */
  reportReads: number
  /** Places that they covered. */
  reportPlaces: number
  directoryReads: number
  directorySwaps: number
  /** Read units that the directory consumed, by place and second. */
  readonly directoryUnits: Map<number, number[]>
  throttledDirectory: number
  directoryBytesMax: number
}

/** Sees what the directory becomes. */
export type RoutesListener = (routes: ReadonlyMap<string, Route>) => void

/** How a store is watched. */
export interface MeterOptions {
  readonly nowMs: () => number
  readonly onRoutes: RoutesListener
  /** False: reports of heat are answered, and kept from the store and so from everybody. */
  readonly keepsReports: boolean
}

/** A store with a meter before it. */
export class MeteredBackend implements Backend {
  readonly name: string
  readonly capabilities: Backend['capabilities']
  readonly directory: DirectoryStore
  readonly records: RecordStore
  /** What has come by. */
  readonly metered: Metered = {
    places: 0,
    throttledPlaces: 0,
    readRequests: 0,
    readPlaces: 0,
    reports: 0,
    reportReads: 0,
    reportPlaces: 0,
    directoryReads: 0,
    directorySwaps: 0,
    directoryUnits: new Map(),
    throttledDirectory: 0,
    directoryBytesMax: 0,
  }
  readonly #options: MeterOptions
  readonly #inner: RecordStore

  constructor({ name, capabilities, directory, records }: PartitionedBackend, options: MeterOptions) {
    this.name = name
    this.capabilities = capabilities
    this.#options = options
    this.#inner = records
    // No stampRoute: DynamoDB, whose partitions these are, forgets nothing that it acknowledged, and needs no such writes.
    this.records = {
      write: (write, call) => this.#write(write, call),
      read: (read, call) => this.#read(read, call),
      seal: (shard, fields, call) => records.seal(shard, fields, call),
      absorb: (absorb, call) => records.absorb(absorb, call),
      clear: (shard, retentionMs, call) => records.clear(shard, retentionMs, call),
    }
    this.directory = this.#directory(directory, 0)
  }

  #isReport({ key }: { readonly key: string }): boolean {
    return key.startsWith(this.capabilities.reservedMark)
  }

  #write(write: ShardWrite, call: Call): ReturnType<RecordStore['write']> {
    const { metered } = this
    if (this.#isReport(write.shard)) {
      if (!this.#options.keepsReports) return Promise.resolve({ status: 'done', units: 1 })
      metered.reports += 1
      return this.#inner.write(write, call)
    }
    metered.places += 1
    const answer = this.#inner.write(write, call)
    answer.catch((error: unknown) => (metered.throttledPlaces += Number(isThrottle(error))))
    return answer
  }

  #read(read: ShardsRead, call: Call): ReturnType<RecordStore['read']> {
    const { metered } = this
    const { shards, fields } = read
    if (shards[0] !== undefined && this.#isReport(shards[0])) {
      if (!this.#options.keepsReports)
        return Promise.resolve(shards.map(() => ({ status: 'read', states: fields.map(() => undefined) }) as const))
      metered.reportReads += 1
      metered.reportPlaces += shards.length
      return this.#inner.read(read, call)
    }
    metered.places += shards.length
    metered.readPlaces += shards.length
    metered.readRequests += 1
    const answers = this.#inner.read(read, call)
    answers.then(
      (parts) => (metered.throttledPlaces += parts.filter(({ status }) => status === 'failed').length),
      (error: unknown) => (metered.throttledPlaces += isThrottle(error) ? shards.length : 0),
    )
    return answers
  }

  #directory(inner: DirectoryStore, place: number): DirectoryStore {
    const { metered } = this
    return {
      read: async (call) => {
        metered.directoryReads += 1
        return this.#counted(inner.read(call), ({ text }) => this.#consumed(place, text?.length ?? 0))
      },
      swap: async (expected, text, call) => {
        metered.directorySwaps += 1
        return this.#counted(inner.swap(expected, text, call), (version) => {
          if (place === 0 && version !== undefined) this.#options.onRoutes(decodeDirectory(text).routes)
        })
      },
      copy: (index) => this.#directory(inner.copy?.(index) ?? inner, index),
    }
  }

  #counted<T>(answer: Promise<T>, onAnswer: (value: T) => void): Promise<T> {
    answer.then(onAnswer, (error: unknown) => (this.metered.throttledDirectory += Number(isThrottle(error))))
    return answer
  }

  /** Strong reads cost a unit for each 4 KB; all that is written here is ASCII. */
  #consumed(place: number, bytes: number): void {
    const { directoryUnits } = this.metered
    this.metered.directoryBytesMax = Math.max(this.metered.directoryBytesMax, bytes)
    let seconds = directoryUnits.get(place)
    if (seconds === undefined) directoryUnits.set(place, (seconds = []))
    const second = Math.floor(this.#options.nowMs() / 1_000)
    seconds[second] = (seconds[second] ?? 0) + Math.max(1, Math.ceil(bytes / 4_096))
  }
}

function isThrottle(error: unknown): boolean {
  return isBackendError(error) && error.kind === 'throttled'
}

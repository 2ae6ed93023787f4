// Problem: the rules of the contract need a place where they can be read in one screen, and tests, examples and benchmarks a
//   store that costs next to nothing.
// Scheme: a map from place to stored shard. JavaScript runs one call at a time, so what happens inside a call is atomic.
// Invariants: those of the contract; a request is applied inside the call and answered by a promise that is resolved already;
//   a place whose time is over is seen by nobody.
// Cost: a write is a map lookup, a merge and no promise of its own; a read allocates its answer. Places that expire cost a look at
//   the clock and at a few of them a write.
// Source: backend.ts, stored-shards.ts, stored-shard.ts.

import { describeError } from '../errors/describe-error.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { requiredMethods } from '../internal/required-methods.js'
import type { Field } from '../merge/merge-rule.js'
import type { ShardRef } from '../operation.js'
import { type Clock, clockMethods } from '../time/clock.js'
import { SystemClock } from '../time/system-clock.js'
import { asBackendError, BackendError, isBackendError } from './backend-error.js'
import type {
  Absorb,
  Backend,
  Capabilities,
  DirectoryDocument,
  DirectoryStore,
  RecordStore,
  RouteStamp,
  ShardAnswer,
  ShardContents,
  ShardsRead,
  ShardWrite,
  WriteAnswer,
} from './backend.js'
import { readUnitsOf, writeUnitsOf } from './capacity-unit.js'
import { MemoryCollections } from './memory-collections.js'
import { placeOf, reservedMark, suffixBytesMax } from './place.js'
import { StoredShards } from './stored-shards.js'

/** How a backend in memory presents itself. Nothing in memory needs limits: the defaults are DynamoDB's, so that what works here works there. */
export interface MemoryOptions {
  /** Names it in events and messages. @default 'memory' */
  readonly name?: string
  /** How many shards one read takes. @default 100 */
  readonly shardsPerReadMax?: number
  /** What one partition is said to write a second. Nothing is throttled. @default 1000 */
  readonly writeUnitsPerSecond?: number
  /** What one partition is said to read a second. Nothing is throttled. @default 3000 */
  readonly readUnitsPerSecond?: number
  /** The longest key in bytes. @default 2008 */
  readonly keyBytesMax?: number
  /** The most bytes of one write. @default 358400 */
  readonly changeBytesMax?: number
  /** The most `max`, `min` and `latest` fields of a record. @default 64 */
  readonly conditionalFieldsMax?: number
  /** By which places that expire go, and tombstones of collections. @default the machine's */
  readonly clock?: Clock
}

/**
 * A store in this process's memory: the reference of the contract, for tests, examples and trying out. Clients share a
 * store by sharing the object. Throws `InvalidArgumentError` when an option is not a positive whole number.
 */
export function memory(options: MemoryOptions = {}): Backend {
  const clock = requiredMethods<Clock>(options.clock, 'memory({ clock })', clockMethods) ?? new SystemClock()
  const shardsPerReadMax = positive('shardsPerReadMax', options.shardsPerReadMax, 100)
  const records = new MemoryRecords(shardsPerReadMax, clock)
  return {
    name: options.name ?? 'memory',
    capabilities: capabilitiesOf(options),
    directory: new MemoryDirectory(),
    records,
    collections: new MemoryCollections(shardsPerReadMax, clock, (place) => records.routeAt(place)),
  }
}

function capabilitiesOf(options: MemoryOptions): Capabilities {
  return Object.freeze({
    keyBytesMax: positive('keyBytesMax', options.keyBytesMax, 2048 - suffixBytesMax), // a DynamoDB partition key has 2,048 bytes: ServiceQuotas.html
    changeBytesMax: positive('changeBytesMax', options.changeBytesMax, 350 * 1024), // an item has 400 KB with all its names; the rest is for what Spillway keeps
    shardsPerReadMax: positive('shardsPerReadMax', options.shardsPerReadMax, 100), // of one BatchGetItem: ServiceQuotas.html
    integerMax: 10n ** 38n - 1n, // 38 digits: HowItWorks.NamingRulesDataTypes.html
    magnitudes: Object.freeze({ least: 1e-130, most: 9.99e125 }), // of its numbers: HowItWorks.NamingRulesDataTypes.html
    conditionalFieldsMax: positive('conditionalFieldsMax', options.conditionalFieldsMax, 64), // what fits one condition of 4 KB and 300 operators
    reservedMark,
    partition: Object.freeze({
      writeUnitsPerSecond: positive('writeUnitsPerSecond', options.writeUnitsPerSecond, 1_000), // bp-partition-key-design.html
      readUnitsPerSecond: positive('readUnitsPerSecond', options.readUnitsPerSecond, 3_000),
    }),
  })
}

function positive(name: string, given: number | undefined, otherwise: number): number {
  const value = given ?? otherwise
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`memory({ ${name} })`, 'a positive whole number', value)
  return value
}

class MemoryDirectory implements DirectoryStore {
  #document: DirectoryDocument = { text: undefined, version: undefined }
  #swaps = 0
  readonly #copies = new Map<number, MemoryDirectory>()

  read(): Promise<DirectoryDocument> {
    return Promise.resolve(this.#document)
  }

  swap(expected: string | undefined, text: string): Promise<string | undefined> {
    if (this.#document.version !== expected) return Promise.resolve(undefined)
    this.#swaps += 1
    const version = String(this.#swaps)
    this.#document = Object.freeze({ text, version })
    return Promise.resolve(version)
  }

  copy(index: number): DirectoryStore {
    let copy = this.#copies.get(index)
    if (copy === undefined) {
      copy = new MemoryDirectory()
      this.#copies.set(index, copy)
    }
    return copy
  }
}

class MemoryRecords implements RecordStore {
  readonly #shards: StoredShards
  readonly #shardsPerReadMax: number
  /** What nearly every write answers; one promise for all of them, since it holds nothing of its own. */
  readonly #doneForOneUnit = Promise.resolve<WriteAnswer>(Object.freeze({ status: 'done', units: 1 }))

  constructor(shardsPerReadMax: number, clock: Clock) {
    this.#shardsPerReadMax = shardsPerReadMax
    this.#shards = new StoredShards(clock)
  }

  write(write: ShardWrite): Promise<WriteAnswer> {
    try {
      if (write.changes.length === 0)
        throw new BackendError('invalid', 'A write must change at least one field, but came with none.')
      const place = placeOf(write.shard)
      const shard = this.#shards.at(place)
      const status = shard.write(write.changes, write.stamp)
      if (write.expiresInMs !== undefined && status === 'done') this.#shards.expire(place, write.expiresInMs)
      const units = writeUnitsOf(shard.bytes)
      if (status === 'done' && units === 1) return this.#doneForOneUnit
      const forgottenUpTo = status === 'expired' ? shard.forgottenUpTo : undefined
      return Promise.resolve({ status, forgottenUpTo, units })
    } catch (error) {
      return Promise.reject(notDone(error))
    }
  }

  read(read: ShardsRead): Promise<readonly ShardAnswer[]> {
    const { shards, fields, consistency } = read
    if (shards.length === 0 || shards.length > this.#shardsPerReadMax) {
      return Promise.reject(
        new BackendError(
          'invalid',
          `A read takes 1 to ${this.#shardsPerReadMax} shards, but came with ${shards.length}.`,
        ),
      )
    }
    const answers: ShardAnswer[] = []
    let failures = 0
    for (const shard of shards) {
      try {
        answers.push(this.#contents(shard, fields, consistency))
      } catch (error) {
        failures += 1
        answers.push({ status: 'failed', error: notDone(error) })
        if (failures === shards.length) return Promise.reject(notDone(error))
      }
    }
    return Promise.resolve(answers)
  }

  seal(shard: ShardRef, fields: readonly Field[]): Promise<ShardContents> {
    try {
      const contents = this.#contents(shard, fields, 'strong') // may throw, and then nothing is sealed
      const stored = this.#shards.at(placeOf(shard))
      stored.seal()
      return Promise.resolve({ ...contents, otherFields: stored.otherFields(fields) })
    } catch (error) {
      return Promise.reject(notDone(error))
    }
  }

  absorb(absorb: Absorb): Promise<void> {
    try {
      const { target, source, contents, fields } = absorb
      const changes = fields
        .map((field, i) => ({ ...field, state: contents.states[i] }))
        .filter((change) => change.state !== undefined)
      const record = { index: source.index, generation: source.generation.number }
      this.#shards.at(placeOf(target)).absorb(record, changes, contents.absorbed ?? [])
      return Promise.resolve()
    } catch (error) {
      return Promise.reject(notDone(error))
    }
  }

  clear(ref: ShardRef, retentionMs: number): Promise<'expires'> {
    const place = placeOf(ref)
    const shard = this.#shards.get(place)
    if (shard?.isSealed !== true)
      return Promise.reject(new BackendError('rejected', 'Only a sealed shard is cleared, and this one is not.'))
    // Whoever clears twice does not keep the place for longer.
    if (!shard.isEmpty || shard.goneMs === Infinity) this.#shards.expire(place, retentionMs)
    shard.clear()
    return Promise.resolve('expires')
  }

  stampRoute(shard: ShardRef, stamp: RouteStamp): Promise<void> {
    this.#shards.at(placeOf(shard)).stampRoute(stamp)
    return Promise.resolve()
  }

  /** The stamp of a place. */
  routeAt(place: string): RouteStamp | undefined {
    return this.#shards.get(place)?.route
  }

  #contents(ref: ShardRef, fields: readonly Field[], consistency: ShardsRead['consistency']): ShardContents {
    const shard = this.#shards.get(placeOf(ref))
    if (shard === undefined)
      return {
        status: 'read',
        states: fields.map(() => undefined),
        absorbed: undefined,
        route: undefined,
        units: readUnitsOf(0, consistency),
      }
    return {
      status: 'read',
      states: shard.states(fields),
      absorbed: shard.absorbed,
      route: shard.route,
      units: readUnitsOf(shard.bytes, consistency),
    }
  }
}

/** Here nothing fails half-way, so a rule that throws has left the store as it was. */
function notDone(error: unknown): BackendError {
  if (isBackendError(error)) return asBackendError(error)
  return new BackendError('invalid', `A rule of the user's own threw: ${describeError(error)}`, { cause: error })
}

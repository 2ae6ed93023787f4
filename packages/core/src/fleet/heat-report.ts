// Problem: thousands of processes tell one what they drew, through a store in which every place is a key like any other, with
//   a limit of its own; and neither side knows how many there are.
// Scheme: a report is one write to a record of Spillway's own for this epoch. The record is one field, a set of texts, so
//   that a report may come twice, needs no dedupe entry and goes by the store's own expiry. There are levels of 1, 2, 4, …
//   1,024 places, and a reporter draws a place of the level that it has come to by what its reports cost: a set that has grown
//   makes every write to it dear. Whoever comes to a level notes it at the one place of level 0, and now and then again; a
//   reader looks there first, and then at all places of the levels that were noted of late.
// Invariants: a report never fails anything but itself; an epoch is read as a whole or not at all.
// Cost: one request a report, and one more for a new level or by a chance of 4 / places; for the reader one request for each
//   `shardsPerReadMax` places, at most four at a time.
// Source: heat-sampler.ts for the numbers.

import type {
  Capabilities,
  FieldChange,
  RecordStore,
  ShardAnswer,
  ShardContents,
  WriteAnswer,
} from '../backend/backend.js'
import { BackendError } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import { writeUnitsOf } from '../backend/capacity-unit.js'
import { type Random, randomUint32 } from '../chance/random.js'
import { byteLength } from '../internal/byte-length.js'
import { union } from '../merge/union.js'
import type { ShardRef } from '../operation.js'
import type { Clock } from '../time/clock.js'
import { type Draws, entryBytes } from './heat-sampler.js'

/** 1,024 places. */
const levelMax = 10

/** Where a process begins whose first report is larger than one unit: there are others like it, and its reader pays 16 units. */
const firstLevel = 4

/** A report that could not be written tries so many levels higher next time. */
const failedLevels = 2

/** A place is crowded where a report costs more than so many times what it costs by itself. */
const crowdedFactor = 2

/** The chance that a place which nobody else seems to use lets the level sink. */
const sinkChance = 1 / 4

/** A level of n places is noted again with this chance / n: by some process in most epochs, since more than n use it. */
const notedAgain = 4

/** A level that was noted is read for so many epochs. */
const levelEpochs = 10

/** The reader sends so many requests at a time. */
const readsMax = 4

/** Reports stay for so many epochs in stores that know an expiry. */
const keptEpochs = 10

const setRule = union()
const field = { name: 'heat', rule: setRule }

/** What reports go through. */
export interface ReportParts {
  readonly store: RecordStore
  readonly capabilities: Pick<Capabilities, 'changeBytesMax' | 'shardsPerReadMax' | 'reservedMark'>
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs: number
  readonly epochMs: number
}

/** What a key's writes consumed in one epoch, as far as reports tell. */
export interface KeyUnits {
  /** Capacity units. */
  units: number
  /** The variance of that estimate. */
  variance: number
}

/** All reports of one epoch. */
export interface EpochReports {
  readonly unitsByKey: ReadonlyMap<string, KeyUnits>
  /** Fanouts that are declared, by key: the greatest that any process knows of. */
  readonly declared: ReadonlyMap<string, number>
}

/** Writes this process's reports and reads everybody's. */
export class HeatReports {
  readonly #parts: ReportParts
  readonly #key: string
  #level: number | undefined
  #notedLevel = 0
  /** When a level was last seen to be noted. */
  readonly #levels = new Map<number, number>()

  constructor(parts: ReportParts) {
    this.#parts = parts
    this.#key = `${parts.capabilities.reservedMark}heat`
  }

  /** Writes a report, in one attempt. Rejects with `BackendError`. */
  async write(epoch: number, draws: Draws | undefined, declared: ReadonlyMap<string, number>): Promise<void> {
    const { random, capabilities } = this.#parts
    const entries = entriesOf(draws, declared, randomUint32(random) >>> 8, capabilities.changeBytesMax - entryBytes)
    if (entries.size === 0) return
    const ownUnits = writeUnitsOf(setRule.bytes(entries))
    this.#level ??= ownUnits > 1 ? firstLevel : 0
    try {
      const [{ units }] = await Promise.all([
        this.#send(epoch, this.#level, entries),
        this.#isNoteDue(this.#level) ? this.#send(epoch, 0, new Set([`l${this.#level}`])) : undefined,
      ])
      this.#notedLevel = this.#level
      this.#level = this.#levelAfter(this.#level, ownUnits, units ?? ownUnits)
    } catch (error) {
      this.#level = Math.min(levelMax, this.#level + failedLevels)
      throw error
    }
  }

  /** Reads an epoch's reports. Rejects with `BackendError` when any place could not be read. */
  async read(epoch: number): Promise<EpochReports> {
    const entries = new Set(await this.#readPlaces(epoch, [0]))
    for (const entry of entries) {
      const level = Number(levelForm.exec(entry)?.[1] ?? 0)
      if (level > 0 && level <= levelMax) this.#levels.set(level, epoch)
    }
    if (this.#level !== undefined && this.#level > 0) this.#levels.set(this.#level, epoch)
    for (const [level, notedEpoch] of this.#levels) if (epoch - notedEpoch > levelEpochs) this.#levels.delete(level)
    if (this.#levels.size > 0)
      for (const entry of await this.#readPlaces(epoch, [...this.#levels.keys()])) entries.add(entry)
    return summed(entries)
  }

  /** Levels have indexes of their own, 1, 2 to 3, 4 to 7, …; index 0 would be there for ever. */
  #shard(epoch: number, index: number): ShardRef {
    return { key: this.#key, index, generation: { number: epoch, nonce: 0 } }
  }

  #send(epoch: number, level: number, state: ReadonlySet<string>): Promise<WriteAnswer> {
    const { store, random, clock, requestTimeoutMs, epochMs } = this.#parts
    const shard = this.#shard(epoch, 2 ** level + (randomUint32(random) % 2 ** level))
    const changes: readonly FieldChange[] = [{ ...field, state }]
    return callWithin(clock, requestTimeoutMs, (call) =>
      store.write({ shard, changes, stamp: undefined, expiresInMs: keptEpochs * epochMs }, call),
    )
  }

  #isNoteDue(level: number): boolean {
    if (level === 0) return false
    return level !== this.#notedLevel || this.#parts.random.next() < notedAgain / 2 ** level
  }

  #levelAfter(level: number, ownUnits: number, units: number): number {
    const crowd = units / (crowdedFactor * ownUnits)
    if (crowd > 1) return Math.min(levelMax, level + Math.ceil(Math.log2(crowd)))
    return level > 0 && units <= ownUnits && this.#parts.random.next() < sinkChance ? level - 1 : level
  }

  /** All entries at all places of these levels. */
  async #readPlaces(epoch: number, levels: readonly number[]): Promise<readonly string[]> {
    const { store, clock, requestTimeoutMs, capabilities } = this.#parts
    const shards = levels.flatMap((level) =>
      Array.from({ length: 2 ** level }, (_, place) => this.#shard(epoch, 2 ** level + place)),
    )
    const batches: ShardRef[][] = []
    for (let i = 0; i < shards.length; i += capabilities.shardsPerReadMax)
      batches.push(shards.slice(i, i + capabilities.shardsPerReadMax))
    const answers: ShardAnswer[] = []
    for (let i = 0; i < batches.length; i += readsMax) {
      const reads = batches.slice(i, i + readsMax).map((batch) =>
        callWithin(clock, requestTimeoutMs, (call) =>
          // What an eventual read misses would be missing for good.
          store.read({ shards: batch, fields: [field], consistency: 'strong' }, call),
        ),
      )
      for (const read of await Promise.all(reads)) answers.push(...read)
    }
    return answers.flatMap((answer) => [...((readOrThrow(answer).states[0] as ReadonlySet<string> | undefined) ?? [])])
  }
}

function readOrThrow(answer: ShardAnswer): ShardContents {
  if (answer.status === 'read') return answer
  throw answer.error instanceof Error ? answer.error : new BackendError('unavailable', 'A report could not be read.')
}

/** Draws first, as far as there is room. A salt keeps two processes' equal draws apart in the set. */
function entriesOf(
  draws: Draws | undefined,
  declared: ReadonlyMap<string, number>,
  salt: number,
  bytesMax: number,
): Set<string> {
  const entries = new Set<string>()
  let bytes = 0
  const add = (entry: string) => {
    bytes += byteLength(entry) + 1
    if (bytes <= bytesMax) entries.add(entry)
  }
  const saltText = salt.toString(36)
  for (const [key, count] of draws?.countByKey ?? []) add(`s${count}.${draws?.interval}.${saltText}.${key}`)
  for (const [key, fanout] of declared) add(`f${fanout}.${key}`)
  return entries
}

const sampleForm = /^s(\d{1,15})\.(\d{1,15})\.[0-9a-z]+\.(.+)$/s
const declaredForm = /^f(\d{1,4})\.(.+)$/s
const levelForm = /^l(\d{1,2})$/

/** What no version of this reader knows is left out. */
function summed(entries: ReadonlySet<string>): EpochReports {
  const unitsByKey = new Map<string, KeyUnits>()
  const declared = new Map<string, number>()
  for (const entry of entries) {
    const sample = sampleForm.exec(entry)
    if (sample !== null) {
      const [count, interval, key] = [Number(sample[1]), Number(sample[2]), sample[3] as string]
      const sum = unitsByKey.get(key) ?? { units: 0, variance: 0 }
      sum.units += count * interval
      sum.variance += count * interval * (interval - 1)
      unitsByKey.set(key, sum)
      continue
    }
    const declaration = declaredForm.exec(entry)
    if (declaration === null) continue
    const key = declaration[2] as string
    declared.set(key, Math.max(declared.get(key) ?? 1, Number(declaration[1])))
  }
  return { unitsByKey, declared }
}

// Problem: a hot key hurts because a partition has a limit, and no engine that can be run at home has partitions.
// Scheme: a wrapper around any backend hashes places to partitions, each with a bucket for writes and one for reads, and
//   refuses what they cannot pay, with DynamoDB's own reasons. A provisioned table pays from its own bucket as well.
// Invariants: no partition serves more in t seconds than cap × t + one second of cap, whatever was saved up: «burst capacity
//   can't alleviate partition-level throttling» (repost.aws/knowledge-center/dynamodb-spiky-workloads-short-intervals); no
//   provisioned table more than its rate × (t + 1) + 300 s of unused rate. What is refused has no effect and costs nothing.
//   (Both but for what items turn out to be larger than their change: that is charged after the fact, as a debt.)
// Cost: a hash, two buckets and one promise a request.
// Source: burst-adaptive-capacity.html, bp-partition-key-design.html, on-demand-capacity-mode.html and
//   throttling-diagnosing-workflow.html in docs.aws.amazon.com/amazondynamodb/latest/developerguide.
//   Adaptive capacity is taken as instant: a partition may use all that the table has, up to its cap («provided that traffic
//   does not exceed your table's total provisioned capacity or the partition maximum capacity»). Reads and writes have caps of
//   their own («managed independently»; a re:Post article speaks of a linear combination). Not simulated, since AWS gives no
//   numbers: splits for heat, the isolation of single items, and the doubling of an on-demand table within 30 minutes.

import type { Random } from '../chance/random.js'
import { byteLength } from '../internal/byte-length.js'
import type { Field } from '../merge/merge-rule.js'
import type { ShardRef } from '../operation.js'
import type { Clock } from '../time/clock.js'
import type { BackendError } from './backend-error.js'
import type {
  Absorb,
  Backend,
  Call,
  Capabilities,
  DirectoryStore,
  FieldChange,
  RecordStore,
  ShardAnswer,
  ShardContents,
  ShardsRead,
  ShardWrite,
  WriteAnswer,
} from './backend.js'
import type { CapacityLane } from './capacity-lane.js'
import type { CollectionStore } from './collection-store.js'
import { checkBackend, unitsOf } from './guarded-backend.js'
import { leastReadUnits, readUnitsOf, settleUnits, writeUnitsOf } from './capacity-unit.js'
import { drawMs, type MsRange } from './ms-range.js'
import { countersOf, type PartitionCounters } from './partition-counters.js'
import { type Counted, partitionedCollections } from './partitioned-collections.js'
import { resolvePartitioned, type PartitionedOptions } from './partitioned-options.js'
import { PartitionTable } from './partition-table.js'
import { directoryPlace, placeOf } from './place.js'
import { throttledBy, unprocessedShard, type ThrottleReason } from './simulated-throttle.js'

/** A backend with partitions that throttle as DynamoDB's do. For tests, demos and benchmarks. */
export class PartitionedBackend implements Backend {
  /** That of the backend inside. */
  readonly name: string
  /** Those of the backend inside, with these partitions' limits. */
  readonly capabilities: Capabilities
  /** The inner directory, counted. */
  readonly directory: DirectoryStore
  /** The inner records, counted and throttled. */
  readonly records: RecordStore
  /** The inner collections, counted and throttled; undefined where there are none. */
  readonly collections: CollectionStore | undefined
  readonly #inner: Backend
  readonly #clock: Clock
  readonly #random: Random
  readonly #table: PartitionTable
  readonly #delayMs: MsRange | undefined
  readonly #itemOverheadBytes: number
  readonly #throttlesDirectory: boolean
  readonly #counted: Counted = { writeRequests: 0, readRequests: 0, directoryRequests: 0, itemsRead: 0 }

  /** Throws `InvalidArgumentError` when there is no backend inside, or an option makes no sense. */
  constructor(inner: Backend, options: PartitionedOptions = {}) {
    checkBackend(inner)
    const resolved = resolvePartitioned(options)
    this.#inner = inner
    this.#clock = resolved.clock
    this.#random = resolved.random
    this.#table = new PartitionTable(resolved.shape, this.#clock.nowMs())
    this.#delayMs = resolved.delayMs
    this.#itemOverheadBytes = resolved.itemOverheadBytes
    this.#throttlesDirectory = resolved.throttlesDirectory
    this.name = inner.name
    this.capabilities = { ...inner.capabilities, partition: resolved.oneKey }
    this.records = {
      write: (write, call) => this.#later(this.#write(write, call)),
      read: (read, call) => this.#later(this.#read(read, call)),
      seal: (shard, fields, call) => this.#later(this.#writeOne(shard, () => inner.records.seal(shard, fields, call))),
      absorb: (absorb, call) => this.#later(this.#absorb(absorb, call)),
      clear: (shard, retentionMs, call) =>
        this.#later(this.#writeOne(shard, () => inner.records.clear(shard, retentionMs, call))),
      ...(inner.records.stampRoute && {
        stampRoute: (shard, stamp, call) =>
          this.#later(this.#writeOne(shard, async () => inner.records.stampRoute?.(shard, stamp, call))),
      }),
      ...(inner.records.checkSpread && {
        checkSpread: (shard, call) =>
          this.#later(this.#readOne(shard, async () => inner.records.checkSpread?.(shard, call))),
      }),
    }
    this.collections =
      inner.collections &&
      partitionedCollections(inner.collections, {
        table: this.#table,
        clock: this.#clock,
        itemOverheadBytes: this.#itemOverheadBytes,
        counted: this.#counted,
        later: (answer) => this.#later(answer),
      })
    this.directory = this.#directory(inner.directory, directoryPlace)
  }

  /** What has been served and refused so far. */
  get counters(): PartitionCounters {
    return countersOf(this.#counted, this.#table.use(this.#clock.nowMs()))
  }

  /** Opens the backend inside. */
  open(call: Call): Promise<void> {
    return this.#inner.open?.(call) ?? Promise.resolve()
  }

  /** Closes the backend inside. */
  close(): Promise<void> {
    return this.#inner.close?.() ?? Promise.resolve()
  }

  #write(write: ShardWrite, call: Call): Promise<WriteAnswer> {
    const place = placeOf(write.shard)
    const lane = this.#table.at(place).write
    const units = this.#writeUnits(place, write.changes)
    const refusal = this.#admitWrite(lane, units)
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#inner.records.write(write, call).then((answer) => {
      const consumed = settleUnits(lane, units, unitsOf(answer), this.#clock.nowMs())
      return answer.units === consumed ? answer : { ...answer, units: consumed }
    })
  }

  /** A request that writes one unit to one shard. */
  #writeOne<T>(shard: ShardRef, send: () => Promise<T>): Promise<T> {
    const refusal = this.#admitWrite(this.#table.at(placeOf(shard)).write, 1)
    return refusal === undefined ? send() : Promise.reject(refusal)
  }

  /** A request that looks at one shard. */
  #readOne<T>(shard: ShardRef, send: () => Promise<T>): Promise<T> {
    this.#counted.readRequests += 1
    const [refusal] = this.#admitRead([this.#table.at(placeOf(shard)).read], leastReadUnits.strong)
    return refusal === undefined ? send() : Promise.reject(throttledBy(refusal))
  }

  #absorb(absorb: Absorb, call: Call): Promise<void> {
    const place = placeOf(absorb.target)
    const changes = absorb.fields.map((field, i) => ({ ...field, state: absorb.contents.states[i] }))
    const units = this.#writeUnits(place, changes)
    const refusal = this.#admitWrite(this.#table.at(place).write, units)
    return refusal === undefined ? this.#inner.records.absorb(absorb, call) : Promise.reject(refusal)
  }

  #admitWrite(lane: CapacityLane, units: number): BackendError | undefined {
    this.#counted.writeRequests += 1
    const reason = lane.admit(units, this.#clock.nowMs())
    return reason === undefined ? undefined : throttledBy(reason)
  }

  /** What a change takes at least: the item may turn out to be larger. */
  #writeUnits(place: string, changes: readonly FieldChange[]): number {
    let bytes = this.#itemOverheadBytes + byteLength(place)
    for (const { name, rule, state } of changes) if (state !== undefined) bytes += byteLength(name) + rule.bytes(state)
    return writeUnitsOf(bytes)
  }

  #read(read: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
    this.#counted.readRequests += 1
    const lanes = read.shards.map((shard) => this.#table.at(placeOf(shard)).read)
    const refusals = this.#admitRead(lanes, leastReadUnits[read.consistency])
    const refused = refusals.find((reason) => reason !== undefined)
    if (refused === undefined)
      return this.#inner.records.read(read, call).then((answers) => this.#charge(answers, lanes, read))
    const admitted = read.shards.filter((_, i) => refusals[i] === undefined)
    // A read of nothing but refused shards is refused with a reason; of a part of one DynamoDB says only that it is
    // unprocessed: API_BatchGetItem.html.
    if (admitted.length === 0) return Promise.reject(throttledBy(refused))
    const admittedLanes = lanes.filter((_, i) => refusals[i] === undefined)
    return this.#inner.records.read({ ...read, shards: admitted }, call).then((answers) => {
      const charged = this.#charge(answers, admittedLanes, read).values()
      return refusals.map((reason) => (reason === undefined ? (charged.next().value as ShardAnswer) : unprocessedShard))
    })
  }

  #admitRead(lanes: readonly CapacityLane[], units: number): readonly (ThrottleReason | undefined)[] {
    const nowMs = this.#clock.nowMs()
    return lanes.map((lane) => lane.admit(units, nowMs))
  }

  #charge(
    answers: readonly ShardAnswer[],
    lanes: readonly CapacityLane[],
    { fields, consistency }: ShardsRead,
  ): readonly ShardAnswer[] {
    return answers.map((answer, i) => {
      const lane = lanes[i]
      if (answer.status === 'failed' || lane === undefined) return answer
      const told = unitsOf(answer)
      const isTold = told !== undefined && this.#itemOverheadBytes === 0
      const seen = isTold ? 0 : readUnitsOf(this.#bytesRead(answer, fields), consistency)
      const consumed = settleUnits(lane, leastReadUnits[consistency], Math.max(seen, told ?? 0), this.#clock.nowMs())
      return answer.units === consumed ? answer : { ...answer, units: consumed }
    })
  }

  #bytesRead(contents: ShardContents, fields: readonly Field[]): number {
    let bytes = this.#itemOverheadBytes + 1
    fields.forEach(({ name, rule }, i) => {
      const state = contents.states[i]
      if (state !== undefined) bytes += byteLength(name) + rule.bytes(state)
    })
    return bytes
  }

  #directory(inner: DirectoryStore, place: string): DirectoryStore {
    return {
      read: (call) => this.#later(this.#directoryRequest(place, 'read', 1, () => inner.read(call))),
      swap: (expected, text, call) => {
        const units = writeUnitsOf(byteLength(text))
        return this.#later(this.#directoryRequest(place, 'write', units, () => inner.swap(expected, text, call)))
      },
      ...(inner.copy && {
        copy: (index: number) => this.#directory(inner.copy?.(index) ?? inner, `${directoryPlace}.${index}`),
      }),
    }
  }

  #directoryRequest<T>(place: string, direction: 'read' | 'write', units: number, send: () => Promise<T>): Promise<T> {
    this.#counted.directoryRequests += 1
    if (this.#throttlesDirectory) {
      const reason = this.#table.at(place)[direction].admit(units, this.#clock.nowMs())
      if (reason !== undefined) return Promise.reject(throttledBy(reason))
    }
    return send()
  }

  /** The answer, good or bad, after the time that a request takes; the effect was at its beginning. */
  #later<T>(answer: Promise<T>): Promise<T> {
    if (this.#delayMs === undefined) return answer
    const delayMs = drawMs(this.#delayMs, this.#random)
    return new Promise((resolve) => {
      answer.catch(() => undefined) // it is heard below, but not before the delay is over
      this.#clock.setTimer(() => resolve(answer), delayMs)
    })
  }
}

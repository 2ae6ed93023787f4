// Problem: a page of a hot key costs what it reads, and a batch of writes is refused item by item.
// Scheme: a put pays for its item in advance; how much a read has read shows in its answer, and is charged after the fact. A get
//   and an append of several places are refused place by place.
// Invariants: what is refused has no effect and costs nothing; a write costs at least one unit, a read one or, if it may be
//   eventual, half of one. (What a delete takes away costs one unit, whatever its size, unless the backend inside tells.)
// Cost: each item is written out as JSON to know its size.
// Source: CapacityUnitCalculations.html (a page pays for the sum of its items) and API_BatchWriteItem.html in
//   docs.aws.amazon.com/amazondynamodb/latest.

import type { ShardRef } from '../operation.js'
import type { Clock } from '../time/clock.js'
import type { CapacityLane } from './capacity-lane.js'
import { deleteUnits, leastReadUnits, readUnitsOf, settleUnits, writeUnitsOf } from './capacity-unit.js'
import type {
  AppendAnswer,
  CollectionStore,
  ItemAnswer,
  ItemPut,
  ItemRead,
  ItemWriteAnswer,
  ShardPage,
  ShardPageAnswer,
  StoredItem,
} from './collection-store.js'
import { unitsOf } from './guarded-backend.js'
import { itemBytes } from './item-bytes.js'
import type { PartitionCounters, RequestCounters } from './partition-counters.js'
import type { PartitionTable } from './partition-table.js'
import { placeOf } from './place.js'
import type { ShardFailure } from './request.js'
import { throttledBy, unprocessedItem, unprocessedShard, type ThrottleReason } from './simulated-throttle.js'

/** What a `PartitionedBackend` counts as it goes. */
export type Counted = { -readonly [Name in keyof RequestCounters | 'itemsRead']: PartitionCounters[Name] }

/** What collections share with the records of their backend. */
export interface Partitions {
  readonly table: PartitionTable
  readonly clock: Clock
  readonly itemOverheadBytes: number
  readonly counted: Counted
  /** Holds an answer back for as long as a request takes. */
  readonly later: <T>(answer: Promise<T>) => Promise<T>
}

/** What a part of a request costs in advance, and where. */
interface Part {
  readonly shard: ShardRef
  readonly units: number
}

/** A part that was paid for, or was not. */
interface Admission extends Part {
  readonly lane: CapacityLane
  readonly refusal: ThrottleReason | undefined
}

/** The collections of a backend, paid for partition by partition. */
export function partitionedCollections(inner: CollectionStore, partitions: Partitions): CollectionStore {
  const toll = new ItemToll(partitions)
  const { later } = partitions
  return {
    limits: inner.limits,
    put: (put, call) => later(toll.write({ shard: put.shard, units: toll.unitsOf(put) }, () => inner.put(put, call))),
    delete: (deletion, call) =>
      later(toll.write({ shard: deletion.shard, units: deleteUnits }, () => inner.delete(deletion, call))),
    get: (read, call) => later(toll.get(read, (shards) => inner.get({ ...read, shards }, call))),
    page: (page, call) => later(toll.page(page, () => inner.page(page, call))),
    ...(inner.append && {
      append: ({ items }, call) =>
        later(toll.append(items, async (admitted) => (await inner.append?.({ items: admitted }, call)) ?? [])),
    }),
  }
}

/** Takes what requests for items cost. */
class ItemToll {
  readonly #partitions: Partitions

  constructor(partitions: Partitions) {
    this.#partitions = partitions
  }

  /** What it takes to write an item. */
  unitsOf(put: ItemPut): number {
    return writeUnitsOf(this.#bytesOf(put.shard, put))
  }

  async write(part: Part, send: () => Promise<ItemWriteAnswer>): Promise<ItemWriteAnswer> {
    this.#partitions.counted.writeRequests += 1
    const [admission] = this.#admit('write', [part])
    return this.#settled(await send(), admission as Admission)
  }

  async append(
    items: readonly ItemPut[],
    send: (admitted: readonly ItemPut[]) => Promise<readonly AppendAnswer[]>,
  ): Promise<readonly AppendAnswer[]> {
    this.#partitions.counted.writeRequests += 1
    const parts = items.map((item) => ({ shard: item.shard, units: this.unitsOf(item) }))
    const admissions = this.#admit('write', parts)
    const answers = await send(items.filter((_, i) => admissions[i]?.refusal === undefined))
    return filled(admissions, answers, unprocessedItem, (answer, admission) =>
      answer.status === 'failed' ? answer : this.#settled(answer, admission),
    )
  }

  async get(
    { shards, consistency }: ItemRead,
    send: (admitted: readonly ShardRef[]) => Promise<readonly ItemAnswer[]>,
  ): Promise<readonly ItemAnswer[]> {
    this.#partitions.counted.readRequests += 1
    const parts = shards.map((shard) => ({ shard, units: leastReadUnits[consistency] }))
    const admissions = this.#admit('read', parts)
    const answers = await send(shards.filter((_, i) => admissions[i]?.refusal === undefined))
    return filled(admissions, answers, unprocessedShard, (answer, admission) =>
      answer.status === 'failed'
        ? answer
        : {
            ...answer,
            units: this.#settleRead(answer.item === undefined ? [] : [answer.item], consistency, admission),
          },
    )
  }

  async page({ shard, consistency }: ShardPage, send: () => Promise<ShardPageAnswer>): Promise<ShardPageAnswer> {
    this.#partitions.counted.readRequests += 1
    const [admission] = this.#admit('read', [{ shard, units: leastReadUnits[consistency] }])
    const answer = await send()
    return { ...answer, units: this.#settleRead(answer.items, consistency, admission as Admission) }
  }

  /** Pays for each part of a request, or says why not. Throws when none of it can be paid. */
  #admit(direction: 'write' | 'read', parts: readonly Part[]): readonly Admission[] {
    const { table, clock } = this.#partitions
    const nowMs = clock.nowMs()
    const admissions = parts.map(({ shard, units }): Admission => {
      const lane = table.at(placeOf(shard))[direction]
      return { shard, units, lane, refusal: lane.admit(units, nowMs) }
    })
    const refused = admissions.find(({ refusal }) => refusal !== undefined)
    if (refused?.refusal !== undefined && admissions.every(({ refusal }) => refusal !== undefined))
      throw throttledBy(refused.refusal)
    return admissions
  }

  #settled<Answer extends ItemWriteAnswer>(answer: Answer, { lane, units }: Admission): Answer {
    return { ...answer, units: settleUnits(lane, units, unitsOf(answer), this.#partitions.clock.nowMs()) }
  }

  /** What a read of these items costs; paid in advance was a read of 4 KB. */
  #settleRead(
    items: readonly StoredItem[],
    consistency: ItemRead['consistency'],
    { shard, lane, units }: Admission,
  ): number {
    const { clock, counted } = this.#partitions
    counted.itemsRead += items.length
    const bytes = items.reduce((sum, item) => sum + this.#bytesOf(shard, item), 0)
    return settleUnits(lane, units, readUnitsOf(bytes, consistency), clock.nowMs())
  }

  #bytesOf(shard: ShardRef, item: Pick<StoredItem, 'sort' | 'value'>): number {
    return this.#partitions.itemOverheadBytes + itemBytes(shard, item)
  }
}

/** An answer for each part: `leftOut` for those that were not paid for. */
function filled<Answer>(
  admissions: readonly Admission[],
  answers: readonly Answer[],
  leftOut: ShardFailure,
  settle: (answer: Answer, admission: Admission) => Answer,
): readonly (Answer | ShardFailure)[] {
  const left = answers.values()
  return admissions.map((admission) =>
    admission.refusal === undefined ? settle(left.next().value as Answer, admission) : leftOut,
  )
}

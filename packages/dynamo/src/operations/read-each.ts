// Problem: a key that is spread over many shards should still be one request to read.
// Scheme: one BatchGetItem for up to 100 items, one GetItem for a single one.
// Invariants: every item is answered in its place; what DynamoDB left out is a failure and never a miss, and a throttle only
//   where the size of the batch does not explain it.
// Cost: a strong unit per item and 4 KB of it, half as much for an eventual read; attributes left out cost all the same.
// Source: API_BatchGetItem.html, CapacityUnitCalculations.html.

import { BatchGetItemCommand, GetItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import {
  BackendError,
  placeOf,
  reservedMark,
  type Call,
  type ShardFailure,
  type ShardRef,
  type SortValue,
} from '@spillway/core'

import { withThrottles } from '../effort.js'
import { cutOff, unprocessed } from '../error-table.js'
import type { Projection } from '../field-layout.js'
import type { ItemParts } from '../item-parts.js'
import { keysPerBatchMax, largeBatchBytes } from '../limits.js'
import type { HiddenThrottles } from '../requests.js'
import type { Item, Table } from '../table.js'

/** A read of one item in each of several shards. */
export interface EachRead<Answer> {
  readonly shards: readonly ShardRef[]
  /** Under which sort value. @default the records' */
  readonly sort?: SortValue
  readonly consistency: 'strong' | 'eventual'
  /** Which attributes, for one item and for several. @default all */
  readonly projections?: { readonly projection: Projection; readonly keyedProjection: Projection }
  /** What an item says; it is undefined where there is none. What this throws fails the shard alone. */
  answerOf(item: Item | undefined, units: number | undefined, throttles: HiddenThrottles): Answer
}

interface Read {
  readonly status: 'read'
}

/** Reads an item in each shard. Rejects with `BackendError` when none could be read. */
export async function readEach<Answer extends Read>(
  parts: ItemParts,
  asked: EachRead<Answer>,
  call: Call,
): Promise<readonly (Answer | ShardFailure)[]> {
  const { shards } = asked
  if (shards.length === 0 || shards.length > keysPerBatchMax) {
    throw new BackendError('invalid', `A read takes 1 to ${keysPerBatchMax} shards, but came with ${shards.length}.`)
  }
  const answers = await (shards.length === 1 ? readOne(parts, asked, call) : readBatch(parts, asked, call))
  const [first] = answers
  if (first?.status === 'failed' && answers.every(({ status }) => status === 'failed')) throw first.error
  return answers
}

interface GetOutput {
  readonly Item?: Item
  readonly ConsumedCapacity?: ConsumedCapacity
}

async function readOne<Answer extends Read>(
  { requests, table }: ItemParts,
  asked: EachRead<Answer>,
  call: Call,
): Promise<readonly (Answer | ShardFailure)[]> {
  const place = placeOf(asked.shards[0] as ShardRef)
  const command = new GetItemCommand({
    TableName: table.name,
    Key: table.key(place, asked.sort),
    ConsistentRead: asked.consistency === 'strong',
    ReturnConsumedCapacity: 'TOTAL',
    ...asked.projections?.projection,
  })
  const { output, throttles } = await requests.sendPlain<GetOutput>(command, 'read', call)
  const answer = answered(asked, output.Item, output.ConsumedCapacity?.CapacityUnits, throttles)
  return toldByFailure([answer], throttles)
}

interface BatchOutput {
  readonly Responses?: Record<string, readonly Item[]>
  readonly UnprocessedKeys?: Record<string, { readonly Keys?: readonly Item[] }>
  readonly ConsumedCapacity?: readonly ConsumedCapacity[]
}

async function readBatch<Answer extends Read>(
  { requests, table }: ItemParts,
  asked: EachRead<Answer>,
  call: Call,
): Promise<readonly (Answer | ShardFailure)[]> {
  const places = asked.shards.map(placeOf)
  const isStrong = asked.consistency === 'strong'
  const command = new BatchGetItemCommand({
    RequestItems: {
      [table.name]: {
        Keys: places.map((place) => table.key(place, asked.sort)),
        ConsistentRead: isStrong,
        ...asked.projections?.keyedProjection,
      },
    },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const { output, throttles } = await requests.sendPlain<BatchOutput>(command, 'read', call)
  const found = bySlot(table, places, Object.values(output.Responses ?? {}))
  const leftOut = bySlot(
    table,
    places,
    Object.values(output.UnprocessedKeys ?? {}).map(({ Keys }) => Keys ?? []),
  )
  const readCount = places.length - leftOut.count
  const units = output.ConsumedCapacity?.reduce((total, part) => total + (part.CapacityUnits ?? 0), 0)
  const unitsEach = units === undefined ? undefined : units / Math.max(1, readCount)
  const isLarge = bytesRead(units ?? 0, readCount, isStrong) > largeBatchBytes
  let hidden = throttles // of the batch as a whole: told once, with the first shard that was read
  const answers: (Answer | ShardFailure)[] = []
  for (let i = 0; i < places.length; i++) {
    if (leftOut.items[i] === undefined) {
      const answer = answered(asked, found.items[i], unitsEach, hidden)
      if (answer.status === 'read') hidden = undefined
      answers.push(answer)
    } else answers.push({ status: 'failed', error: isLarge ? cutOff(table.name) : unprocessed(table.name) })
  }
  return hidden === undefined ? answers : toldByFailure(answers, hidden)
}

/** Of a batch of which nothing was read the first failure tells of the throttles. */
function toldByFailure<Answer extends Read>(
  answers: readonly (Answer | ShardFailure)[],
  hidden: HiddenThrottles,
): readonly (Answer | ShardFailure)[] {
  return answers.map((answer, i) =>
    i === 0 && answer.status === 'failed' ? { ...answer, error: withThrottles(answer.error, hidden) } : answer,
  )
}

/** Which item belongs to which of the places asked for. A table may be named by its ARN: whatever the answer calls it, it has one list. */
function bySlot(table: Table, places: readonly string[], lists: readonly (readonly Item[])[]) {
  const items = Array.from<Item | undefined>({ length: places.length })
  let count = 0
  for (const list of lists) {
    for (const item of list) {
      const slot = slotOf(places, item[table.partitionKey]?.S)
      if (slot < 0) continue
      items[slot] = item
      count += 1
    }
  }
  return { items, count }
}

/** Where a place stands among those asked for: most often where the shard's index, which it ends with, says. Cheaper than a map of fresh strings. */
function slotOf(places: readonly string[], place: string | undefined): number {
  if (place === undefined) return -1
  const mark = place.lastIndexOf(reservedMark)
  const index = mark < 0 ? 0 : parseInt(place.slice(mark + reservedMark.length), 10)
  return places[index] === place ? index : places.indexOf(place)
}

/** About how many bytes were read: a unit stands for up to 4 KB of one item when read strongly, for twice that else. */
function bytesRead(units: number, readCount: number, isStrong: boolean): number {
  return (units - readCount / (isStrong ? 2 : 4)) * 4_096 * (isStrong ? 1 : 2)
}

function answered<Answer extends Read>(
  asked: EachRead<Answer>,
  item: Item | undefined,
  units: number | undefined,
  throttles: HiddenThrottles,
): Answer | ShardFailure {
  try {
    return asked.answerOf(item, units, throttles)
  } catch (error) {
    return { status: 'failed', error }
  }
}

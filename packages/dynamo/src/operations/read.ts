// Problem: a key that is spread over many shards should still be one request to read.
// Scheme: one BatchGetItem for up to 100 shards, one GetItem for a single one, each only of the attributes that are asked for.
// Invariants: every shard is answered in its place; what DynamoDB left out is a failure and never a miss, and a throttle only
//   where the size of the batch does not explain it.
// Cost: a strong unit per shard and 4 KB of item, half as much for an eventual read; attributes left out cost all the same.
// Source: API_BatchGetItem.html, CapacityUnitCalculations.html.

import { BatchGetItemCommand, GetItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import {
  BackendError,
  placeOf,
  type Call,
  type Field,
  type ShardAnswer,
  type ShardsRead,
  type ThrottleDetail,
} from '@spillway/core'

import { cutOff, unprocessed } from '../error-table.js'
import { keysPerBatchMax, largeBatchBytes } from '../limits.js'
import type { Parts } from '../parts.js'
import type { Item, Table } from '../table.js'
import { contentsOf } from './contents.js'

/** Reads shards. Rejects with `BackendError` when none could be read. */
export async function read(parts: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
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

async function readOne({ requests, table }: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const place = placeOf(asked.shards[0] as ShardsRead['shards'][number])
  const { projection } = table.layout(asked.fields)
  const command = new GetItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ConsistentRead: asked.consistency === 'strong',
    ReturnConsumedCapacity: 'TOTAL',
    ...projection,
  })
  const { output, throttles } = await requests.sendPlain<GetOutput>(command, 'read', call)
  return [answerOf(table, asked.fields, output.Item, output.ConsumedCapacity?.CapacityUnits, throttles)]
}

interface BatchOutput {
  readonly Responses?: Record<string, readonly Item[]>
  readonly UnprocessedKeys?: Record<string, { readonly Keys?: readonly Item[] }>
  readonly ConsumedCapacity?: readonly ConsumedCapacity[]
}

async function readBatch({ requests, table }: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const places = asked.shards.map(placeOf)
  const isStrong = asked.consistency === 'strong'
  const command = new BatchGetItemCommand({
    RequestItems: {
      [table.name]: {
        Keys: places.map((place) => table.key(place)),
        ConsistentRead: isStrong,
        ...table.layout(asked.fields).keyedProjection,
      },
    },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const { output, throttles } = await requests.sendPlain<BatchOutput>(command, 'read', call)
  // A table may be named by its ARN; the answer has one entry, whatever it calls the table.
  const found = new Map<string | undefined, Item>()
  for (const items of Object.values(output.Responses ?? {}))
    for (const item of items) found.set(item[table.partitionKey]?.S, item)
  const leftOut = new Set<string | undefined>()
  for (const { Keys } of Object.values(output.UnprocessedKeys ?? {}))
    for (const key of Keys ?? []) leftOut.add(key[table.partitionKey]?.S)
  const readCount = places.length - leftOut.size
  const units = output.ConsumedCapacity?.reduce((total, part) => total + (part.CapacityUnits ?? 0), 0)
  const unitsEach = units === undefined ? undefined : units / Math.max(1, readCount)
  const isLarge = bytesRead(units ?? 0, readCount, isStrong) > largeBatchBytes
  let hidden = throttles // of the batch as a whole: told once, with the first shard that was read
  return places.map((place) => {
    if (leftOut.has(place)) return { status: 'failed', error: isLarge ? cutOff(table.name) : unprocessed(table.name) }
    const answer = answerOf(table, asked.fields, found.get(place), unitsEach, hidden)
    if (answer.status === 'read') hidden = undefined
    return answer
  })
}

/** About how many bytes were read: a unit stands for up to 4 KB of one item when read strongly, for twice that else. */
function bytesRead(units: number, readCount: number, isStrong: boolean): number {
  return (units - readCount / (isStrong ? 2 : 4)) * 4_096 * (isStrong ? 1 : 2)
}

function answerOf(
  table: Table,
  fields: readonly Field[],
  item: Item | undefined,
  units: number | undefined,
  throttles: readonly ThrottleDetail[] | undefined,
): ShardAnswer {
  try {
    return contentsOf(table, fields, item ?? {}, units, throttles)
  } catch (error) {
    return { status: 'failed', error }
  }
}

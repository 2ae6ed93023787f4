// Problem: a key that is spread over many shards should still be one request to read.
// Scheme: one BatchGetItem for up to 100 shards, one GetItem for a single one, each only of the attributes that are asked for.
// Invariants: every shard is answered in its place; what DynamoDB left out is a failure and never a miss.
// Cost: a strong unit per shard and 4 KB of item, half as much for an eventual read; attributes left out cost all the same.
// Source: API_BatchGetItem.html, CapacityUnitCalculations.html.

import { BatchGetItemCommand, GetItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import { BackendError, type Call, type Field, type ShardAnswer, type ShardsRead } from '@spillway/core'

import { absorbedAttribute } from '../attributes.js'
import { unprocessed } from '../error-table.js'
import { keysPerBatchMax } from '../limits.js'
import type { Parts } from '../parts.js'
import { placeOf } from '../physical-key.js'
import { sendPlain } from '../request.js'
import type { Item, Table } from '../table.js'
import { contentsOf } from './contents.js'

/** Reads shards. Rejects with `BackendError` when none could be read. */
export async function read(parts: Parts, shardsRead: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const { shards } = shardsRead
  if (shards.length === 0 || shards.length > keysPerBatchMax) {
    throw new BackendError('invalid', `A read takes 1 to ${keysPerBatchMax} shards, but came with ${shards.length}.`)
  }
  const answers = await (shards.length === 1 ? readOne(parts, shardsRead, call) : readBatch(parts, shardsRead, call))
  const [first] = answers
  if (first?.status === 'failed' && answers.every(({ status }) => status === 'failed')) throw first.error
  return answers
}

interface GetOutput {
  readonly Item?: Item
  readonly ConsumedCapacity?: ConsumedCapacity
}

async function readOne({ client, table }: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const place = placeOf(asked.shards[0] as ShardsRead['shards'][number])
  const command = new GetItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ConsistentRead: asked.consistency === 'strong',
    ReturnConsumedCapacity: 'TOTAL',
    ...projection(table, asked.fields, []),
  })
  const { Item: item, ConsumedCapacity } = await sendPlain<GetOutput>(client, command, 'read', call)
  return [answerOf(table, asked.fields, item, ConsumedCapacity?.CapacityUnits)]
}

interface BatchOutput {
  readonly Responses?: Record<string, readonly Item[]>
  readonly UnprocessedKeys?: Record<string, { readonly Keys?: readonly Item[] }>
  readonly ConsumedCapacity?: readonly ConsumedCapacity[]
}

async function readBatch({ client, table }: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const places = asked.shards.map(placeOf)
  const command = new BatchGetItemCommand({
    RequestItems: {
      [table.name]: {
        Keys: places.map((place) => table.key(place)),
        ConsistentRead: asked.consistency === 'strong',
        ...projection(table, asked.fields, [table.partitionKey]),
      },
    },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const output = await sendPlain<BatchOutput>(client, command, 'read', call)
  const placeIn = (item: Item) => item[table.partitionKey]?.S
  // A table may be named by its ARN; the answer has one entry, whatever it calls the table.
  const items = Object.values(output.Responses ?? {}).flat()
  const found = new Map(items.map((item) => [placeIn(item), item]))
  const left = Object.values(output.UnprocessedKeys ?? {}).flatMap(({ Keys }) => Keys ?? [])
  const leftOut = new Set(left.map(placeIn))
  const total = output.ConsumedCapacity?.reduce((units, part) => units + (part.CapacityUnits ?? 0), 0)
  const units = total === undefined ? undefined : total / Math.max(1, places.length - leftOut.size)
  return places.map((place) => {
    if (leftOut.has(place)) return { status: 'failed', error: unprocessed(table.name) }
    return answerOf(table, asked.fields, found.get(place), units)
  })
}

function answerOf(
  table: Table,
  fields: readonly Field[],
  item: Item | undefined,
  units: number | undefined,
): ShardAnswer {
  try {
    return contentsOf(table, fields, item ?? {}, units)
  } catch (error) {
    return { status: 'failed', error }
  }
}

/** Only what is looked at; placeholders, since a name may be a reserved word or hold dots. */
function projection(table: Table, fields: readonly Field[], others: readonly string[]) {
  const attributes = [...new Set([...fields.map((field) => table.attribute(field)), absorbedAttribute, ...others])]
  const names = attributes.map((attribute, i) => [`#${i.toString(36)}`, attribute] as const)
  return {
    ProjectionExpression: names.map(([placeholder]) => placeholder).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names),
  }
}

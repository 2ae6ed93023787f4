// Problem: many items that nobody writes twice should not take a request each.
// Scheme: one BatchWriteItem, which knows no conditions. A batch that DynamoDB refuses for one of its items is sent item by item.
// Invariants: every item is answered in its place; what DynamoDB left unprocessed is a failure of that item; one bad item never
//   fails its neighbours.
// Cost: one request for up to 25 items, and the units of as many puts.
// Source: API_BatchWriteItem.html.

import { BatchWriteItemCommand, PutItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import { BackendError, isBackendError, type AppendAnswer, type Call, type ItemAppend } from '@spillway/core'

import type { CollectionParts } from '../collection-parts.js'
import { withThrottles } from '../effort.js'
import { unprocessedItem } from '../error-table.js'
import { itemsPerBatchMax } from '../limits.js'
import type { HiddenThrottles } from '../requests.js'
import { sortOfAttribute } from '../sort-attribute.js'
import type { Item } from '../table.js'
import { itemOf } from './put-item.js'

/** An item on its way, and where its answer belongs. */
interface Sent {
  readonly item: Item
  readonly slot: number
}

/** Stores items without any condition. Rejects with `BackendError` when nothing at all was stored. */
export async function append(
  parts: CollectionParts,
  { items }: ItemAppend,
  call: Call,
): Promise<readonly AppendAnswer[]> {
  if (items.length === 0 || items.length > itemsPerBatchMax)
    throw new BackendError('invalid', `An append takes 1 to ${itemsPerBatchMax} items, but came with ${items.length}.`)
  const answers: AppendAnswer[] = []
  const sent: Sent[] = []
  for (const [slot, put] of items.entries()) {
    try {
      sent.push({ item: itemOf(parts, put), slot })
    } catch (error) {
      answers[slot] = { status: 'failed', error }
    }
  }
  if (sent.length > 0) {
    const sentAnswers = await sendAll(parts, sent, call)
    for (const [i, { slot }] of sent.entries()) answers[slot] = sentAnswers[i] as AppendAnswer
  }
  return answers
}

/** A batch whose answer was lost may be in: then every item says so. */
async function sendAll(parts: CollectionParts, sent: readonly Sent[], call: Call): Promise<readonly AppendAnswer[]> {
  try {
    return await sendBatch(parts, sent, call)
  } catch (error) {
    if (!isBackendError(error)) throw error
    if (error.kind === 'unknown') return failedAll(sent, error)
    if (error.kind !== 'invalid' || sent.length === 1) throw error
    return Promise.all(sent.map(({ item }) => sendAlone(parts, item, call)))
  }
}

function failedAll(sent: readonly Sent[], error: BackendError): readonly AppendAnswer[] {
  const { kind, message, cause } = error
  const silent = new BackendError(kind, message, { cause }) // the throttles are told once
  return sent.map((_, i) => ({ status: 'failed', error: i === 0 ? error : silent }))
}

async function sendAlone({ requests, table }: CollectionParts, item: Item, call: Call): Promise<AppendAnswer> {
  const command = new PutItemCommand({ TableName: table.name, Item: item, ReturnConsumedCapacity: 'TOTAL' })
  try {
    const { output, throttles } = await requests.sendPlain<{ ConsumedCapacity?: ConsumedCapacity }>(
      command,
      'write',
      call,
    )
    return { status: 'done', units: output.ConsumedCapacity?.CapacityUnits, throttles }
  } catch (error) {
    return { status: 'failed', error }
  }
}

interface BatchOutput {
  readonly UnprocessedItems?: Record<string, readonly { readonly PutRequest?: { readonly Item?: Item } }[]>
  readonly ConsumedCapacity?: readonly ConsumedCapacity[]
}

async function sendBatch(
  { requests, table, sortKey }: CollectionParts,
  sent: readonly Sent[],
  call: Call,
): Promise<readonly AppendAnswer[]> {
  const command = new BatchWriteItemCommand({
    RequestItems: { [table.name]: sent.map(({ item }) => ({ PutRequest: { Item: item } })) },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const { output, throttles } = await requests.sendPlain<BatchOutput>(command, 'write', call)
  const keyOf = (item: Item) => {
    const sort = sortOfAttribute(item[sortKey.name])
    return JSON.stringify([item[table.partitionKey]?.S, typeof sort === 'object' ? [...sort] : sort])
  }
  // A table may be named by its ARN: whatever the answer calls it, it has one list.
  const leftOut = new Set(
    Object.values(output.UnprocessedItems ?? {}).flatMap((list) =>
      list.map(({ PutRequest }) => keyOf(PutRequest?.Item ?? {})),
    ),
  )
  const units = output.ConsumedCapacity?.reduce((total, part) => total + (part.CapacityUnits ?? 0), 0)
  const unitsEach = units === undefined ? undefined : units / Math.max(1, sent.length - leftOut.size)
  let hidden: HiddenThrottles = throttles // of the batch as a whole: told once
  return sent.map(({ item }) => {
    const told = hidden
    hidden = undefined
    if (!leftOut.has(keyOf(item))) return { status: 'done', units: unitsEach, throttles: told }
    return { status: 'failed', error: withThrottles(unprocessedItem(table.name), told) }
  })
}

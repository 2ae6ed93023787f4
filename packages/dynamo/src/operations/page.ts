// Problem: a page has to come in the order of the sort values, and to say where the next one begins, also when it is short.
// Scheme: one Query; what it says to have looked at last is where the next page begins.
// Invariants: nothing in the range is left out, but for the record's item, which is no item of a collection; a page without
//   items moves on all the same.
// Cost: a strong unit for each 4 KB of the items together, half as much for an eventual read.
// Source: Query.Pagination.html; API_Query.html: a page ends at 1 MB.

import { QueryCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import {
  BackendError,
  compareSort,
  placeOf,
  type Call,
  type ShardPage,
  type ShardPageAnswer,
  type SortValue,
  type StoredItem,
} from '@spillway/core'

import type { CollectionParts } from '../collection-parts.js'
import { itemsPerPageMax } from '../limits.js'
import { requireSortType, sortOfAttribute } from '../sort-attribute.js'
import { conditionOf, narrowed, type SortRange } from '../sort-range.js'
import { storedItem } from '../stored-item.js'
import type { Item } from '../table.js'

interface QueryOutput {
  readonly Items?: readonly Item[]
  readonly LastEvaluatedKey?: Item
  readonly ConsumedCapacity?: ConsumedCapacity
}

/** Reads items of one shard in order. Rejects with `BackendError`. */
export async function page(parts: CollectionParts, asked: ShardPage, call: Call): Promise<ShardPageAnswer> {
  if (!(asked.limit >= 1 && asked.limit <= itemsPerPageMax))
    throw new BackendError('invalid', `A page takes 1 to ${itemsPerPageMax} items, but came with ${asked.limit}.`)
  for (const bound of [asked.lower, asked.upper]) if (bound !== undefined) requireSortType(parts.sortKey, bound.sort)
  const range = narrowed(asked)
  if (range === undefined) return { items: [], next: undefined }
  const command = queryOf(parts, asked, range)
  const { output, throttles } = await parts.requests.sendPlain<QueryOutput>(command, 'read', call)
  const end = asked.order === 'ascending' ? range.upper : range.lower
  const items: StoredItem[] = []
  for (const item of output.Items ?? []) {
    const sort = sortIn(parts, item)
    const isBehind = end?.isIncluded === false && compareSort(sort, end.sort) === 0
    if (isBehind || compareSort(sort, parts.sortKey.record) === 0) continue
    items.push(storedItem(sort, item, parts.table.keyNames))
  }
  const last = output.LastEvaluatedKey && sortIn(parts, output.LastEvaluatedKey)
  const isWhole = last === undefined || (end !== undefined && compareSort(last, end.sort) === 0)
  return {
    items,
    next: isWhole ? undefined : last,
    units: output.ConsumedCapacity?.CapacityUnits,
    throttles,
  }
}

function queryOf({ table, sortKey }: CollectionParts, asked: ShardPage, range: SortRange): QueryCommand {
  const place = placeOf(asked.shard)
  const isAscending = asked.order === 'ascending'
  const { expression, values, start } = conditionOf(range, isAscending)
  const hasCondition = expression !== ''
  return new QueryCommand({
    TableName: table.name,
    KeyConditionExpression: hasCondition ? `#p = :p AND ${expression}` : '#p = :p',
    ExpressionAttributeNames: { '#p': table.partitionKey, ...(hasCondition && { '#s': sortKey.name }) },
    ExpressionAttributeValues: { ':p': { S: place }, ...values },
    ...(start !== undefined && { ExclusiveStartKey: table.key(place, start) }),
    ScanIndexForward: isAscending,
    Limit: asked.limit,
    ConsistentRead: asked.consistency === 'strong',
    ReturnConsumedCapacity: 'TOTAL',
  })
}

function sortIn({ sortKey }: CollectionParts, item: Item): SortValue {
  return sortOfAttribute(item[sortKey.name])
}

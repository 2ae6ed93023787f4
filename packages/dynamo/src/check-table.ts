import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type TableDescription,
  type TimeToLiveDescription,
} from '@aws-sdk/client-dynamodb'
import { BackendError, type Call } from '@spillway/core'

import type { ResolvedOptions } from './options.js'
import type { Requests } from './requests.js'
import { keyTypes, sortTypeOf } from './sort-attribute.js'

/**
 * Looks at the table, so that one that cannot work fails at the start and not in the middle. Rejects with `BackendError`: of
 * kind `invalid` when the keys or the TTL attribute are others than the options say, or when the table is replicated with
 * eventual consistency.
 */
export async function checkTable(requests: Requests, options: ResolvedOptions, call: Call): Promise<void> {
  const command = new DescribeTableCommand({ TableName: options.table })
  const { output } = await requests.sendPlain<{ Table?: TableDescription }>(command, 'read', call)
  if (output.Table !== undefined) {
    requireKeys(options, output.Table)
    requireOneCopy(options, output.Table)
  }
  if (options.ttlAttribute !== undefined) await requireTtl(requests, options.table, options.ttlAttribute, call)
}

function requireOneCopy(options: ResolvedOptions, table: TableDescription): void {
  if ((table.Replicas?.length ?? 0) === 0 || table.MultiRegionConsistency === 'STRONG') return
  throw new BackendError(
    'invalid',
    `Table ${options.table} is a global table with eventual consistency: the last writer of an item wins, and counts are lost. Use one with MultiRegionConsistency STRONG, or none.`,
  )
}

/** What was cleared would be said to expire, and would stay. */
async function requireTtl(requests: Requests, table: string, ttlAttribute: string, call: Call): Promise<void> {
  const command = new DescribeTimeToLiveCommand({ TableName: table })
  const { output } = await requests.sendPlain<{ TimeToLiveDescription?: TimeToLiveDescription }>(command, 'read', call)
  const { TimeToLiveStatus: status, AttributeName: actual } = output.TimeToLiveDescription ?? {}
  if ((status === 'ENABLED' || status === 'ENABLING') && actual === ttlAttribute) return
  const found = actual === undefined ? 'none' : JSON.stringify(actual)
  throw new BackendError(
    'invalid',
    `Table ${table} must expire items by the attribute ${JSON.stringify(ttlAttribute)} as the options say, but its expiry is ${status ?? 'unknown'} with ${found}: see enableTtl, or leave ttlAttribute out.`,
  )
}

function requireKeys(options: ResolvedOptions, table: TableDescription): void {
  const wanted: readonly (readonly [string, string, string] | undefined)[] = [
    ['HASH', options.partitionKey, 'S'],
    options.sortKey === undefined ? undefined : ['RANGE', options.sortKey, keyTypes[sortTypeOf(options.sortValue)]],
  ]
  const typeOf = (name: string | undefined) =>
    table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? ''
  const expected = shown(wanted.filter((key) => key !== undefined))
  const keys = table.KeySchema?.map(({ KeyType, AttributeName }) => [
    KeyType ?? '',
    AttributeName ?? '',
    typeOf(AttributeName),
  ])
  const actual = shown(keys ?? [])
  if (expected === actual) return
  throw new BackendError(
    'invalid',
    `Table ${options.table} must have the key ${expected} as the options say, but has ${actual}: set partitionKey, sortKey and sortValue.`,
  )
}

function shown(keys: readonly (readonly string[])[]): string {
  return keys.map((parts) => parts.join(' ')).join(', ')
}

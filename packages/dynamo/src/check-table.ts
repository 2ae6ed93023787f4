import { DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb'
import { BackendError, type Call } from '@spillway/core'

import type { ResolvedOptions } from './options.js'
import { sendPlain } from './request.js'

/**
 * Looks at the table, so that one that cannot work fails at the start and not in the middle. Rejects with `BackendError`: of
 * kind `invalid` when the keys are others than the options say, or when the table is replicated with eventual consistency.
 */
export async function checkTable(options: ResolvedOptions, call: Call): Promise<void> {
  const command = new DescribeTableCommand({ TableName: options.table })
  const { Table: table } = await sendPlain<{ Table?: TableDescription }>(options.client, command, 'read', call)
  if (table === undefined) return
  requireKeys(options, table)
  if ((table.Replicas?.length ?? 0) > 0 && table.MultiRegionConsistency !== 'STRONG') {
    throw new BackendError(
      'invalid',
      `Table ${options.table} is a global table with eventual consistency: the last writer of an item wins, and counts are lost. Use one with MultiRegionConsistency STRONG, or none.`,
    )
  }
}

function requireKeys(options: ResolvedOptions, table: TableDescription): void {
  const wanted: readonly (readonly [string, string, string] | undefined)[] = [
    ['HASH', options.partitionKey, 'S'],
    options.sortKey === undefined
      ? undefined
      : ['RANGE', options.sortKey, typeof options.sortValue === 'number' ? 'N' : 'S'],
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

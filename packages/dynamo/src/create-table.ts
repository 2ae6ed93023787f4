import {
  CreateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'

import { InvalidArgumentError, type SortType } from '@spillway/core'

import type { DynamoPort } from './client-port.js'
import { keyTypes } from './sort-attribute.js'

/** What a new table is to be called and keyed by. */
export interface CreateTableOptions {
  /** The SDK's client, with permission to create tables. */
  readonly client: DynamoPort
  /** The name of the table. */
  readonly table: string
  /** The attribute of its partition key. @default 'pk' */
  readonly partitionKey?: string
  /** The attribute of its sort key. @default none */
  readonly sortKey?: string
  /** The type of its sort key, and so of the sort values of its collections. @default 'string' */
  readonly sortType?: SortType
  /** After so long without the table becoming active the wait ends with an error. In seconds. @default 120 */
  readonly waitSecondsMax?: number
}

const known = new Set(['client', 'table', 'partitionKey', 'sortKey', 'sortType', 'waitSecondsMax'])

/**
 * Creates a table that is paid by the request, and waits until it is there. Rejects with `InvalidArgumentError` for options that
 * make no sense, since a table's key cannot be changed, and as the SDK does, for one when the table exists.
 */
export async function createTable(options: CreateTableOptions): Promise<void> {
  for (const name of Object.keys(options))
    if (!known.has(name))
      throw new InvalidArgumentError('createTable(options)', `made of ${[...known].join(', ')}`, name)
  if (options.sortType !== undefined && !Object.hasOwn(keyTypes, options.sortType))
    throw new InvalidArgumentError('createTable({ sortType })', Object.keys(keyTypes).join(', '), options.sortType)
  if (options.sortType !== undefined && options.sortKey === undefined)
    throw new InvalidArgumentError('createTable({ sortKey })', 'given with sortType', options.sortKey)
  const { client, table, partitionKey = 'pk', sortKey, sortType = 'string', waitSecondsMax = 120 } = options
  const keys = [
    { AttributeName: partitionKey, KeyType: 'HASH' as const, type: 'S' as const },
    ...(sortKey === undefined ? [] : [{ AttributeName: sortKey, KeyType: 'RANGE' as const, type: keyTypes[sortType] }]),
  ]
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: keys.map(({ AttributeName, KeyType }) => ({ AttributeName, KeyType })),
      AttributeDefinitions: keys.map(({ AttributeName, type }) => ({ AttributeName, AttributeType: type })),
    }),
  )
  const waiter = { client: client as unknown as DynamoDBClient, maxWaitTime: waitSecondsMax, minDelay: 1, maxDelay: 5 }
  await waitUntilTableExists(waiter, { TableName: table })
}

/** Which attribute of a table says when an item expires. */
export interface EnableTtlOptions {
  /** The SDK's client, with permission to change the table. */
  readonly client: DynamoPort
  /** The name of the table. */
  readonly table: string
  /** The attribute, in seconds since 1970. */
  readonly ttlAttribute: string
}

/** Switches the table's expiry on. Rejects as the SDK does, for one when it is on already. */
export async function enableTtl({ client, table, ttlAttribute }: EnableTtlOptions): Promise<void> {
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { Enabled: true, AttributeName: ttlAttribute },
    }),
  )
}

import { InvalidArgumentError, type SortValue } from '@spillway/core'

import { ownMark } from './attributes.js'
import type { DynamoPort } from './client-port.js'

/** What `dynamo` takes. */
export interface DynamoOptions {
  /** A `DynamoDBClient` of the AWS SDK v3, or what behaves like one. It is neither configured nor destroyed here. */
  readonly client: DynamoPort
  /** The name of the table, or its ARN. */
  readonly table: string
  /** The attribute of the table's partition key, a string. @default 'pk' */
  readonly partitionKey?: string
  /** The attribute of the table's sort key, if it has one. Only tables that have one can hold collections. @default none */
  readonly sortKey?: string
  /** The sort value under which records stand, and no item of a collection; a number or bytes where the sort key is one. Needed with `sortKey`. */
  readonly sortValue?: string | number | Uint8Array
  /** The table's TTL attribute. Sealed shards that were merged back, and tombstones, expire by it; without one they stay. A field of that name gets an attribute of its own; an item's property of that name is the TTL. @default none */
  readonly ttlAttribute?: string
  /** Whether the table is looked at when a client opens: one DescribeTable, and one DescribeTimeToLive where `ttlAttribute` is given, to refuse a table that does not fit. @default true */
  readonly checkTable?: boolean
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly client: DynamoPort
  readonly table: string
  readonly partitionKey: string
  readonly sortKey: string | undefined
  readonly sortValue: SortValue
  readonly ttlAttribute: string | undefined
  readonly checkTable: boolean
}

const known = new Set(['client', 'table', 'partitionKey', 'sortKey', 'sortValue', 'ttlAttribute', 'checkTable'])

/** Checks the options and fills in the defaults. Throws `InvalidArgumentError`. */
export function resolveOptions(options: DynamoOptions): ResolvedOptions {
  const given: unknown = options
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('dynamo(options)', 'an object with client and table', given)
  for (const name of Object.keys(given))
    if (!known.has(name)) throw new InvalidArgumentError('dynamo(options)', `made of ${[...known].join(', ')}`, name)
  const client: unknown = options.client
  if (typeof (client as Partial<DynamoPort> | null | undefined)?.send !== 'function')
    throw new InvalidArgumentError('dynamo({ client })', 'a DynamoDBClient of the AWS SDK v3', client)
  const sortKey = optionalName('sortKey', options.sortKey)
  const sortValue = resolveSortValue(options.sortValue)
  if ((sortKey === undefined) !== (sortValue === undefined))
    throw new InvalidArgumentError('dynamo({ sortKey, sortValue })', 'given both or neither', sortValue ?? sortKey)
  const checkTable: unknown = options.checkTable ?? true
  if (typeof checkTable !== 'boolean')
    throw new InvalidArgumentError('dynamo({ checkTable })', 'true or false', checkTable)
  const resolved: ResolvedOptions = {
    client: options.client,
    table: optionalName('table', options.table) ?? missing('table', options.table),
    partitionKey: optionalName('partitionKey', options.partitionKey) ?? 'pk',
    sortKey,
    sortValue: sortValue ?? '',
    ttlAttribute: optionalName('ttlAttribute', options.ttlAttribute),
    checkTable,
  }
  requireOwnNames(resolved)
  return Object.freeze(resolved)
}

function resolveSortValue(given: unknown): SortValue | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string' && given !== '') return given
  if (typeof given === 'number' && Number.isFinite(given)) return given
  if (given instanceof Uint8Array && given.length > 0) return new Uint8Array(given)
  throw new InvalidArgumentError('dynamo({ sortValue })', 'a string or bytes that are not empty, or a number', given)
}

/** The table's own attributes must not meet each other, nor those of Spillway. */
function requireOwnNames(resolved: ResolvedOptions): void {
  const seen = new Set<string>()
  for (const option of ['partitionKey', 'sortKey', 'ttlAttribute'] as const) {
    const name = resolved[option]
    if (name === undefined) continue
    if (seen.has(name) || name.startsWith(ownMark)) {
      const expected = `an attribute of its own that does not begin with ${JSON.stringify(ownMark)}`
      throw new InvalidArgumentError(`dynamo({ ${option} })`, expected, name)
    }
    seen.add(name)
  }
}

function optionalName(option: string, given: unknown): string | undefined {
  if (given === undefined) return undefined
  return typeof given === 'string' && given !== '' ? given : missing(option, given)
}

function missing(option: string, given: unknown): never {
  throw new InvalidArgumentError(`dynamo({ ${option} })`, 'a string that is not empty', given)
}

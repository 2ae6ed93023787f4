import { dynamo, type DynamoOptions } from '@spillway/dynamo'
import { describe, expect, test } from 'vitest'

import { call } from '../fixtures/records.js'
import { ScriptedClient } from '../fixtures/scripted-client.js'

const client = new ScriptedClient({})

test.each([
  [{}, 'dynamo({ client })'],
  [{ client: {}, table: 't' }, 'dynamo({ client }) must be a DynamoDBClient'],
  [{ client }, 'dynamo({ table }) must be a string that is not empty'],
  [{ client, table: '' }, 'dynamo({ table })'],
  [{ client, table: 't', partitionKey: 5 }, 'dynamo({ partitionKey })'],
  [{ client, table: 't', sortKey: 'sk' }, 'dynamo({ sortKey, sortValue }) must be given both or neither'],
  [{ client, table: 't', sortValue: 'x' }, 'dynamo({ sortKey, sortValue })'],
  [{ client, table: 't', sortKey: 'sk', sortValue: '' }, 'dynamo({ sortValue })'],
  [{ client, table: 't', sortKey: 'sk', sortValue: new Uint8Array() }, 'dynamo({ sortValue })'],
  [{ client, table: 't', sortKey: 'sk', sortValue: NaN }, 'a string or bytes that are not empty, or a number'],
  [{ client, table: 't', checkTable: 1 }, 'dynamo({ checkTable })'],
  [{ client, table: 't', sortKey: 'pk', sortValue: 'x' }, 'dynamo({ sortKey })'],
  [{ client, table: 't', ttlAttribute: 'pk' }, 'dynamo({ ttlAttribute })'],
  [{ client, table: 't', ttlAttribute: '~ttl' }, 'dynamo({ ttlAttribute })'],
  [{ client, table: 't', partitionKey: '~d' }, 'dynamo({ partitionKey })'],
  [{ client, table: 't', tabel: 't' }, 'dynamo(options) must be made of'],
])('%o is refused', (options, message) => {
  expect(() => dynamo(options as unknown as DynamoOptions)).toThrow(message)
})

/** Opens a backend on a table that is described so. */
function described(table: object, more: Partial<DynamoOptions> = {}): Promise<void> | undefined {
  return dynamo({ client: new ScriptedClient({ Table: table }), table: 't', ...more }).open?.(call)
}

describe('the table is looked at when a client opens', () => {
  const fits = {
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  }

  test('and let through where it fits', async () => {
    await expect(described(fits)).resolves.toBeUndefined()
    const strong = { ...fits, Replicas: [{ RegionName: 'a' }], MultiRegionConsistency: 'STRONG' }
    await expect(described(strong)).resolves.toBeUndefined()
  })

  const sorted = (AttributeType: string) => ({
    KeySchema: [...fits.KeySchema, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: [...fits.AttributeDefinitions, { AttributeName: 'sk', AttributeType }],
  })

  test.each([
    ['S', 'x', ['N', 'B']],
    ['N', 5, ['S', 'B']],
    ['B', new Uint8Array([1]), ['S', 'N']],
  ] as const)(
    'and must have a sort key of the type of the records’ sort value: %s',
    async (type, sortValue, others) => {
      await expect(described(sorted(type), { sortKey: 'sk', sortValue })).resolves.toBeUndefined()
      for (const other of others)
        await expect(described(sorted(other), { sortKey: 'sk', sortValue })).rejects.toThrow(`RANGE sk ${type}`)
    },
  )

  test('and refused where its key is another, or a replica may lose writes', async () => {
    const other = { ...fits, KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }
    await expect(described(other)).rejects.toMatchObject({ kind: 'invalid' })
    await expect(described({ ...fits, Replicas: [{ RegionName: 'a' }] })).rejects.toThrow('global table')
  })

  test.each([
    [{ TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' }, true],
    [{ TimeToLiveStatus: 'ENABLING', AttributeName: 'ttl' }, true],
    [{ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' }, false],
    [{ TimeToLiveStatus: 'DISABLING', AttributeName: 'ttl' }, false],
    [{ TimeToLiveStatus: 'DISABLED' }, false],
  ])('and asked for its expiry where a TTL attribute is given: %o', async (described, isRight) => {
    const answering = new ScriptedClient({ Table: fits }, { TimeToLiveDescription: described })
    const opening = dynamo({ client: answering, table: 't', ttlAttribute: 'ttl' }).open?.(call)
    const failure: unknown = await opening?.then(
      () => undefined,
      (error: unknown) => error,
    )
    expect((failure as { kind?: string } | undefined)?.kind).toBe(isRight ? undefined : 'invalid')
    expect(answering.sent.map(({ name }) => name)).toEqual(['DescribeTableCommand', 'DescribeTimeToLiveCommand'])
  })

  test('unless it is told not to', async () => {
    const silent = new ScriptedClient({})
    await dynamo({ client: silent, table: 't', checkTable: false }).open?.(call)
    expect(silent.sent).toEqual([])
  })
})

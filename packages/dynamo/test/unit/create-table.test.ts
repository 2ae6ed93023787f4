import { createTable, type CreateTableOptions } from '@spillway/dynamo/setup'
import { expect, test } from 'vitest'

const client = { send: () => Promise.reject(new Error('nothing is to be sent')) } as CreateTableOptions['client']

test.each([
  [
    { sortkeyType: 'number' },
    'createTable(options) must be made of client, table, partitionKey, sortKey, sortType, waitSecondsMax, but was "sortkeyType".',
  ],
  [{ sortKey: 'sk', sortType: 'N' }, 'createTable({ sortType }) must be string, number, bytes, but was "N".'],
  [{ sortType: 'number' }, 'createTable({ sortKey }) must be given with sortType, but was undefined.'],
])('a table whose key would be another than was meant is not made: %j', async (options, message) => {
  await expect(createTable({ client, table: 't', ...options } as CreateTableOptions)).rejects.toThrow(message)
})

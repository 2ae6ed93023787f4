import { describeBackend } from '@spillway/conformance/vitest'
import { dynamo } from '@spillway/dynamo'
import { startDynalite, type DynamoEngine } from '@spillway/testkit'
import { afterAll, beforeAll } from 'vitest'

import { clientFor, dropTables, newTable } from '../fixtures/tables.js'

let engine: DynamoEngine
let client: ReturnType<typeof clientFor>

beforeAll(async () => {
  engine = await startDynalite()
  client = clientFor(engine.endpoint)
})

afterAll(async () => {
  await dropTables(client)
  client.destroy()
  await engine.close()
})

describeBackend('dynamo on dynalite', {
  open: async () => dynamo({ client, table: await newTable(client) }),
})

describeBackend('dynamo on a table with a sort key', {
  open: async () =>
    dynamo({
      client,
      table: await newTable(client, { partitionKey: 'id', sortKey: 'kind' }),
      partitionKey: 'id',
      sortKey: 'kind',
      sortValue: 'record',
    }),
})

import { describeBackend } from '@spillway/conformance/vitest'
import { startDynalite, type DynamoEngine } from '@spillway/testkit'
import { afterAll, beforeAll } from 'vitest'

import { harnessOn } from '../fixtures/harness.js'
import { clientFor, dropTables } from '../fixtures/tables.js'

let engine: DynamoEngine
let client: ReturnType<typeof clientFor>
const direct = () => client

beforeAll(async () => {
  engine = await startDynalite()
  client = clientFor(engine.endpoint)
})

afterAll(async () => {
  await dropTables(client)
  client.destroy()
  await engine.close()
})

describeBackend('dynamo on a plain table', harnessOn({ direct }))

describeBackend(
  'dynamo on a table with names of its own and a sort key',
  harnessOn({ direct, keys: { partitionKey: 'id', sortKey: 'kind', sortValue: 'record' } }),
)

describeBackend(
  'dynamo on a table whose sort key is a number',
  harnessOn({ direct, keys: { sortKey: 'at', sortValue: -77_777.5 } }),
)

describeBackend(
  'dynamo on a table whose sort key is binary',
  harnessOn({ direct, keys: { sortKey: 'bytes', sortValue: new TextEncoder().encode('the record') } }),
)

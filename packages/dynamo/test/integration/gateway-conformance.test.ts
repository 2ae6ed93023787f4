import type { Harness } from '@spillway/conformance'
import { describeBackend } from '@spillway/conformance/vitest'
import type { DynamoOptions } from '@spillway/dynamo'
import { startDynalite, startGateway, type DynamoEngine, type Gateway } from '@spillway/testkit'
import { afterAll, beforeAll } from 'vitest'

import { FetchClient } from '../fixtures/fetch-client.js'
import { harnessOn, hooksOf } from '../fixtures/harness.js'
import { clientFor, dropTables } from '../fixtures/tables.js'

let engine: DynamoEngine
let direct: ReturnType<typeof clientFor>
const gateways: Gateway[] = []
const clients: ReturnType<typeof clientFor>[] = []

beforeAll(async () => {
  engine = await startDynalite()
  direct = clientFor(engine.endpoint)
  for (const [sendsItem, maxAttempts] of [
    [true, 3],
    [false, 1],
  ] as const) {
    const gateway = await startGateway({ endpoint: engine.endpoint, sendsItem })
    gateways.push(gateway)
    clients.push(clientFor(gateway.endpoint, { maxAttempts }))
  }
})

afterAll(async () => {
  await dropTables(direct)
  for (const client of [direct, ...clients]) client.destroy()
  for (const gateway of gateways) await gateway.close()
  await engine.close()
})

/** A table behind one of the gateways, the first of which takes away what has expired. */
function harness(which: number, client: () => DynamoOptions['client'] = () => clients[which]!): Harness {
  const keys = { sortKey: 'sk', sortValue: 'the record' }
  const expiring = { gateway: () => gateways[0]!, client: () => clients[0]! }
  const parts = { direct: () => direct, client, keys, ...(which === 0 && { expiring }) }
  return { ...harnessOn(parts), ...hooksOf(() => gateways[which]!, client) }
}

describeBackend('dynamo, told which item met a failed condition, with three attempts of the SDK', harness(0))

describeBackend('dynamo, not told of the item, with one attempt', harness(1))

describeBackend('dynamo, mute in an outage: what is asked is done, and answered with HTTP 500', {
  ...harness(1),
  outage() {
    gateways[1]!.faults = { errorAfterEffect: 1 }
    return () => {
      gateways[1]!.faults = {}
    }
  },
})

describeBackend(
  'dynamo over a client that is not the SDK',
  harness(0, () => new FetchClient(gateways[0]!.endpoint)),
)

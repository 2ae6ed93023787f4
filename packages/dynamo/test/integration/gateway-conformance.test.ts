import type { Harness } from '@spillway/conformance'
import { describeBackend } from '@spillway/conformance/vitest'
import { dynamo } from '@spillway/dynamo'
import { startDynalite, startGateway, type DynamoEngine, type Gateway, type GatewayFaults } from '@spillway/testkit'
import { afterAll, beforeAll } from 'vitest'

import { clientFor, dropTables, newTable } from '../fixtures/tables.js'

let engine: DynamoEngine
const gateways: Gateway[] = []
const clients: ReturnType<typeof clientFor>[] = []

beforeAll(async () => {
  engine = await startDynalite()
  for (const sendsItem of [true, false]) {
    const gateway = await startGateway({ endpoint: engine.endpoint, sendsItem })
    gateways.push(gateway)
    clients.push(clientFor(gateway.endpoint, { maxAttempts: 2 }))
  }
})

afterAll(async () => {
  await dropTables(clients[0]!)
  for (const client of clients) client.destroy()
  for (const gateway of gateways) await gateway.close()
  await engine.close()
})

/** A table behind one of the gateways, which all go wrong in the same way during an outage. */
function harness(which: number, outage: GatewayFaults): Harness {
  return {
    open: async () => dynamo({ client: clients[which]!, table: await newTable(clients[which]!) }),
    outage() {
      const gateway = gateways[which]!
      gateway.faults = outage
      return () => {
        gateway.faults = {}
      }
    },
  }
}

describeBackend(
  'dynamo, told which item met a failed condition, and cut off in an outage',
  harness(0, { resetBeforeEffect: 1 }),
)
describeBackend('dynamo, not told of the item, and mute in an outage', harness(1, { errorAfterEffect: 1 }))

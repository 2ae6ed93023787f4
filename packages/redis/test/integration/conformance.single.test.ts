import { describeBackend } from '@spillway/conformance/vitest'
import { startFaultProxy, startRedis, waitUntil, type FaultProxy, type RedisProcess } from '@spillway/testkit'
import { afterAll, beforeAll, describe } from 'vitest'

import { redis } from '../../src/index.js'
import { type Opened, singleClients } from '../clients.js'
import { spoil } from '../foreign-data.js'

let server: RedisProcess
let proxy: FaultProxy

beforeAll(async () => {
  server = await startRedis()
  proxy = await startFaultProxy({ port: server.port })
})
afterAll(async () => {
  await proxy.close()
  await server.close()
})

describe('a single Redis', () => {
  for (const [name, open] of singleClients) {
    let current: Opened
    describeBackend(name, {
      async open() {
        await server.call('FLUSHALL')
        current = await open(proxy.port)
        return redis({ client: current.client })
      },
      close: () => current.close(),
      async outage() {
        const end = await proxy.outage()
        return async () => {
          await end()
          await waitUntil('the client is connected again', async () => (await current.ping()) === 'PONG')
        }
      },
      failShard: (_, shard) => spoil(shard, () => server),
      requestCount: () => current.requestCount(),
    })
  }
})

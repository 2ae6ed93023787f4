import { describeBackend } from '@spillway/conformance/vitest'
import { startFaultProxy, startRedisSentinel, waitUntil, type FaultProxy, type RedisSentinel } from '@spillway/testkit'
import { afterAll, beforeAll, describe } from 'vitest'

import { redis } from '../../src/index.js'
import { type Opened, sentinelClients } from '../clients.js'
import { spoil } from '../foreign-data.js'

let group: RedisSentinel
let proxy: FaultProxy

beforeAll(async () => {
  group = await startRedisSentinel()
  proxy = await startFaultProxy({ port: group.servers[0].port })
}, 60_000)
afterAll(async () => {
  await proxy.close()
  await group.close()
})

describe('a primary and a replica that a sentinel watches', () => {
  for (const [name, open] of sentinelClients) {
    let current: Opened
    describeBackend(name, {
      async open() {
        const [primary] = group.servers
        await primary.call('FLUSHALL')
        const natMap = { [`${primary.host}:${primary.port}`]: { host: primary.host, port: proxy.port } }
        current = await open(group, { natMap })
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
      failShard: (_, shard) => spoil(shard, () => group.servers[0]),
      requestCount: () => current.requestCount(),
    })
  }
})

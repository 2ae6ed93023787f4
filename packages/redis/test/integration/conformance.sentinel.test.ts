import { describeBackend } from '@spillway/conformance/vitest'
import { startFaultProxy, startRedisSentinel, waitUntil, type FaultProxy, type RedisSentinel } from '@spillway/testkit'
import { afterAll, beforeAll, describe } from 'vitest'

import { redis } from '../../src/index.js'
import { startAnswerProxies, type AnswerProxies } from '../answer-proxies.js'
import { type Opened, sentinelClients } from '../clients.js'
import { expireWithin } from '../expired.js'
import { spoil } from '../foreign-data.js'

let group: RedisSentinel
let proxy: FaultProxy
let answers: AnswerProxies

beforeAll(async () => {
  group = await startRedisSentinel()
  answers = await startAnswerProxies([group.servers[0].port])
  proxy = await startFaultProxy({ port: answers.ports[0]! })
}, 60_000)
afterAll(async () => {
  await proxy.close()
  await answers.close()
  await group.close()
})

describe('a primary and a replica that a sentinel watches', () => {
  for (const [name, open] of sentinelClients) {
    let current: Opened
    const connected = () => waitUntil('the client is connected again', async () => (await current.ping()) === 'PONG')
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
          await connected()
        }
      },
      loseAnswers(_, answeredCount, lostCount) {
        const end = answers.lose(answeredCount, lostCount)
        return async () => {
          end()
          await connected()
        }
      },
      failShard: (_, shard) => spoil(shard, () => group.servers[0]),
      expire: (_, withinMs) => expireWithin(group.servers.slice(0, 1), withinMs),
      requestCount: () => current.requestCount(),
    })
  }
})

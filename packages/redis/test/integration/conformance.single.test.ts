import { describeBackend } from '@spillway/conformance/vitest'
import { startFaultProxy, startRedis, waitUntil, type FaultProxy, type RedisProcess } from '@spillway/testkit'
import { afterAll, beforeAll, describe } from 'vitest'

import { redis } from '../../src/index.js'
import { startAnswerProxies, type AnswerProxies } from '../answer-proxies.js'
import { type Opened, singleClients } from '../clients.js'
import { expireWithin } from '../expired.js'
import { spoil } from '../foreign-data.js'

let server: RedisProcess
let proxy: FaultProxy
let answers: AnswerProxies

beforeAll(async () => {
  server = await startRedis()
  answers = await startAnswerProxies([server.port])
  proxy = await startFaultProxy({ port: answers.ports[0]! })
})
afterAll(async () => {
  await proxy.close()
  await answers.close()
  await server.close()
})

describe('a single Redis', () => {
  for (const [name, open] of singleClients) {
    let current: Opened
    const connected = () => waitUntil('the client is connected again', async () => (await current.ping()) === 'PONG')
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
      failShard: (_, shard) => spoil(shard, () => server),
      expire: (_, withinMs) => expireWithin([server], withinMs),
      requestCount: () => current.requestCount(),
    })
  }
})

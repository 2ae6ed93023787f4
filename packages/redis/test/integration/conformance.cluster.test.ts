import { describeBackend } from '@spillway/conformance/vitest'
import {
  startClusterProxies,
  startRedisCluster,
  waitUntil,
  type ClusterProxies,
  type RedisCluster,
} from '@spillway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { placeOf } from '../../src/physical-key.js'
import { redis } from '../../src/index.js'
import { slotOf } from '../../src/slot.js'
import { startAnswerProxies, type AnswerProxies } from '../answer-proxies.js'
import { clusterClients, type ClusterPlace, type Opened } from '../clients.js'
import { expireWithin } from '../expired.js'
import { spoil } from '../foreign-data.js'

let cluster: RedisCluster
let proxies: ClusterProxies
let answers: AnswerProxies
let place: ClusterPlace

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeoutMs: 15_000 })
  proxies = await startClusterProxies(cluster)
  answers = await startAnswerProxies(proxies.addresses.map(({ port }) => port))
  const addresses = answers.ports.map((port) => ({ host: '127.0.0.1', port }))
  const natMap = Object.fromEntries(cluster.nodes.map(({ host, port }, i) => [`${host}:${port}`, addresses[i]!]))
  place = { addresses, natMap }
}, 60_000)
afterAll(async () => {
  await answers.close()
  await proxies.close()
  await cluster.close()
})

describe('a cluster of six nodes', () => {
  for (const [name, open] of clusterClients) {
    let current: Opened
    const connected = () =>
      waitUntil('the client is connected again', async () => {
        await current.ping()
        return true
      })
    describeBackend(name, {
      async open() {
        await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.call('FLUSHALL')))
        current = await open(place)
        return redis({ client: current.client })
      },
      close: () => current.close(),
      async outage() {
        const end = await proxies.outage()
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
      failShard: (_, shard) => spoil(shard, (key) => cluster.primaryOf(slotOf(key))),
      expire: (_, withinMs) => expireWithin(cluster.nodes.slice(0, 3), withinMs),
      requestCount: () => current.requestCount(),
    })
  }
})

describe('slots', () => {
  test('are those that Redis computes, of keys and of the shards’ places', async () => {
    const keys = ['', 'user', '{a}b', 'x{tag}y', 'a{}b', 'é{ü}', '👋', 'a{b', 'a}b{c}', '{{a}}', '\u0000\n']
    const shards = keys.flatMap((key) =>
      [0, 1, 2, 5, 63, 1_023].map((index) => placeOf({ key, index, generation: { number: 2 ** 41, nonce: 7 } })),
    )
    const known = await Promise.all(shards.map((key) => cluster.nodes[0]!.call('CLUSTER', 'KEYSLOT', key)))
    expect(shards.map((key) => [key, slotOf(key)])).toEqual(shards.map((key, i) => [key, known[i]]))
  })

  test('of a key’s shards lie on the primaries as evenly as their number allows', async () => {
    const ranges = (await cluster.nodes[0]?.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    for (const fanout of [2, 4, 8, 64]) {
      const counts = new Map<number, number>()
      for (let index = 0; index < fanout; index++) {
        const slot = slotOf(placeOf({ key: 'user-42', index, generation: { number: 7, nonce: 7 } }))
        const port = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1] ?? 0
        counts.set(port, (counts.get(port) ?? 0) + 1)
      }
      const most = Math.max(...counts.values())
      const least = counts.size < Math.min(3, fanout) ? 0 : Math.min(...counts.values())
      expect(most - least).toBeLessThanOrEqual(1)
    }
  })
})

import { createClient, type Client } from '@spillway/core'
import { startRedis, waitUntil, type RedisProcess } from '@spillway/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { singleClients, type Opened } from '../clients.js'

let server: RedisProcess

beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.close())
beforeEach(() => server.call('FLUSHALL'))

interface Member {
  readonly client: Client
  readonly opened: Opened
}

/** A client that spreads every key of the collection over four shards. */
async function openMember(open: (port: number) => Promise<Opened>): Promise<Member> {
  const opened = await open(server.port)
  const client = await createClient({
    backend: redis({ client: opened.client }),
    routing: { refreshMs: 100, leaseMs: 300, retryHorizonMs: 60_000, sealRetentionMs: 120_000 },
    sharding: { rules: [{ match: 'feed', fanout: 4 }] },
  })
  return { client, opened }
}

describe.each(singleClients)(
  'a collection of two processes, the key of which is spread meanwhile, with %s',
  (_, open) => {
    test('comes back whole and in order', async () => {
      const members = await Promise.all([openMember(open), openMember(open)])
      const feeds = members.map(({ client }) => client.collection<{ n: number }, 'number'>('feed', { sort: 'number' }))
      let fanout = 1
      members[0]?.client.on('route-changed', ({ write }) => {
        fanout = write
      })
      let count = 0
      await waitUntil('the key is spread', async () => {
        await Promise.all(Array.from({ length: 10 }, () => feeds[count % 2]!.put('feed', count, { n: count++ })))
        return fanout === 4
      })
      for (const end = count + 200; count < end; count += 1) await feeds[count % 2]!.put('feed', count, { n: count })
      for (let n = 0; n < count; n += 3) await feeds[n % 2]!.delete('feed', n)

      const expected = Array.from({ length: count }, (__, n) => n).filter((n) => n % 3 !== 0)
      const seen: number[] = []
      for await (const { sort, item } of feeds[0]!.iterate('feed', { order: 'descending' })) {
        expect(item).toEqual({ n: sort })
        seen.push(sort)
      }
      expect(seen.toReversed()).toEqual(expected)
      expect(await feeds[1]!.get('feed', 1)).toEqual({ n: 1 })
      expect(await feeds[1]!.get('feed', 3)).toBeUndefined()
      const places = (await server.call('KEYS', 'feed*')) as string[]
      expect(places).toHaveLength(4)
      expect(await Promise.all(places.map((place) => server.call('TYPE', place)))).toEqual(places.map(() => 'zset'))
      for (const { client, opened } of members) {
        await client.close()
        await opened.close()
      }
    })
  },
)

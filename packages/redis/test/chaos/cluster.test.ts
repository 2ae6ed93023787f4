import { startRedisCluster, waitUntil, type RedisCluster } from '@spillway/testkit'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { slotOf } from '../../src/slot.js'
import { connectedCluster, opened, type Opened } from '../clients.js'
import { runProcess } from '../fleet-processes.js'
import { added, openMember, Stream, totalOf } from '../fleet.js'

let cluster: RedisCluster

beforeAll(async () => {
  cluster = await startRedisCluster()
}, 60_000)
afterAll(() => cluster.close())

const clients: readonly (readonly [string, () => Promise<Opened>])[] = [
  ['ioredis 6', () => opened(new Cluster([...cluster.addresses]))],
  [
    'node-redis 6',
    () => connectedCluster(createCluster({ rootNodes: cluster.addresses.map((socket) => ({ socket })) })),
  ],
]

async function placesOf(key: string): Promise<readonly string[]> {
  const found = await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.call('KEYS', `${key}*`)))
  return (found as string[][]).flat()
}

describe('several processes on one hot key', () => {
  test('count exactly while its route grows', async () => {
    const orders = { key: 'processes', count: 2_000, awaited: 4 }
    const reports = await Promise.all(
      [1, 1, 2, 4].map((declared) => runProcess(cluster.addresses, { ...orders, declared })),
    )
    const reader = await openMember(await opened(new Cluster([...cluster.addresses])))
    const total = await totalOf(reader, 'processes')
    await reader.close()
    const places = await placesOf('processes')
    console.info(`processes: ${JSON.stringify(reports)}, total ${total}, ${places.length} places`)
    expect(added(reports)).toMatchObject({ unknown: 0, rejected: 0 })
    expect(total).toBe(added(reports).acknowledged)
    expect(total).toBeGreaterThanOrEqual(16_000)
    expect(places.length).toBeGreaterThan(1)
    for (const { fanoutMost } of reports) expect(fanoutMost).toBeGreaterThanOrEqual(4)
  })
})

describe('moving slots while they are written', () => {
  test.each(clients)('loses and doubles nothing, with %s', async (name, open) => {
    const key = `moving-${name.replace(' ', '')}`
    const members = await Promise.all(
      [0, 1, 2].map(async () => openMember(await open(), { sharding: { rules: [{ match: key, fanout: 4 }] } })),
    )
    let writeFanout = 1
    members[0]!.client.on('route-changed', ({ write }) => {
      writeFanout = write
    })
    const stream = new Stream(members, key)
    const { tallies } = stream
    const reads: number[] = []
    await waitUntil('the key is spread', () => writeFanout === 4)

    let movedCount = 0
    for (const place of await placesOf(key)) {
      const source = await cluster.primaryOf(slotOf(place))
      const target = cluster.nodes.slice(0, 3).find((node) => node !== source)!
      const progress = async () => {
        reads.push(await totalOf(members[0]!, key))
        const before = tallies.length
        await waitUntil('writes go on', () => tallies.length > before + 2)
      }
      await cluster.moveSlot(slotOf(place), target, progress)
      movedCount += 1
    }
    const tally = await stream.stop()
    const total = await totalOf(members[1]!, key)
    await Promise.all(members.map((member) => member.close()))
    console.info(`${name}: moved ${movedCount} slots, ${JSON.stringify(tally)}, total ${total}, ${reads.length} reads`)
    expect(total).toBe(tally.acknowledged)
    expect(tally.unknown + tally.rejected).toBe(0)
    expect(reads).toEqual(reads.toSorted((a, b) => a - b))
  })
})

import { startRedis, startRedisSentinel, waitUntil, type RedisProcess } from '@spillway/testkit'
import { describe, expect, test } from 'vitest'

import { sentinelClients } from '../clients.js'
import { openMember, Stream, totalOf } from '../fleet.js'

describe.each(sentinelClients)('a primary that is killed while sentinels watch, with %s', (name, open) => {
  test('is replaced: writes go on, errors are honest, and what a replica had is there', async () => {
    const group = await startRedisSentinel({ sentinelCount: 3 })
    try {
      const members = await Promise.all([0, 1].map(async () => openMember(await open(group))))
      const stream = new Stream(members, 'hot')
      const { tallies } = stream
      await waitUntil('writes run', () => tallies.length > 20)
      const acknowledged = tallies.reduce((sum, tally) => sum + tally.acknowledged, 0)
      await waitUntil('the replica has them', async () => {
        const [, replica] = group.servers
        return Number(await replica.call('HGET', 'hot', 'total')) >= acknowledged
      })
      const promoted = await group.killPrimary()
      expect(promoted).toBe(group.servers[1])
      const before = tallies.length
      await waitUntil('writes run again', () => tallies.length > before + 20)
      const tally = await stream.stop()
      const total = await totalOf(members[0]!, 'hot')
      await Promise.all(members.map((member) => member.close()))
      const lost = Math.max(0, tally.acknowledged - total)
      console.info(`${name}: ${JSON.stringify(tally)}, total ${total}, lost by Redis: ${lost}`)
      expect(total).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
      expect(total).toBeGreaterThan(acknowledged)
    } finally {
      await group.close()
    }
  })

  test('with WAIT loses nothing that it acknowledged', async () => {
    const group = await startRedisSentinel()
    let spare: RedisProcess | undefined
    try {
      const members = await Promise.all(
        [0, 1].map(async () => openMember(await open(group), { redis: { writeReplicas: 1 } })),
      )
      const stream = new Stream(members, 'hot')
      const { tallies } = stream
      await waitUntil('writes run', () => tallies.length > 20)
      const promoted = await group.killPrimary()
      const before = tallies.length
      // No replica is left, so that no write is acknowledged, until another one is attached.
      spare = await startRedis({ args: ['--replicaof', promoted.host, String(promoted.port)] })
      await waitUntil('writes run again', () => tallies.length > before + 10)
      const tally = await stream.stop()
      const total = await totalOf(members[0]!, 'hot')
      await Promise.all(members.map((member) => member.close()))
      console.info(`${name} with WAIT: ${JSON.stringify(tally)}, total ${total}`)
      expect(total).toBeGreaterThanOrEqual(tally.acknowledged)
      expect(total).toBeLessThanOrEqual(tally.acknowledged + tally.unknown)
    } finally {
      await spare?.close()
      await group.close()
    }
  })
})

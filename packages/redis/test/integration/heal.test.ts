import { startRedis, waitUntil, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { opened } from '../clients.js'
import { increment, openMember, totalOf, type Member } from '../fleet.js'

const host = '127.0.0.1'
let server: RedisProcess
let admin: Redis

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis({ port: server.port, host })
})
afterAll(async () => {
  admin.disconnect()
  await server.close()
})
beforeEach(() => admin.flushall())

const members: Member[] = []

afterEach(async () => {
  await Promise.all(members.splice(0).map((one) => one.close()))
})

async function member(rules: readonly { match: string; fanout: number }[] = []): Promise<Member> {
  const opening = await openMember(await opened(new Redis({ port: server.port, host })), { sharding: { rules } })
  members.push(opening)
  return opening
}

/** A key over four shards, of which not only the first holds something; and the directory as it was when the key was cold. */
async function spreadKey(): Promise<{ readonly writer: Member; readonly older: Buffer }> {
  await member()
  const older = await admin.dumpBuffer('~spillway~directory')
  const writer = await member([{ match: 'hot', fanout: 4 }])
  let fanout = 1
  writer.client.on('route-changed', ({ write }) => {
    fanout = write
  })
  await increment(writer, 'hot', 100)
  await waitUntil('the key is spread', () => fanout === 4)
  // Each writer has one shard to write to, by its name.
  await waitUntil('something stands in another shard', async () => {
    await increment(await member(), 'hot', 10)
    return (await admin.keys('hot~spillway~*')).length > 0
  })
  for (const one of members.filter((each) => each !== writer)) await one.close()
  return { writer, older }
}

/** All that was written, wherever it stands. */
async function storedTotal(): Promise<number> {
  const values = await Promise.all((await admin.keys('hot*')).map((key) => admin.hget(key, 'total')))
  return values.reduce((sum, value) => sum + Number(value), 0)
}

const losses: readonly (readonly [string, (older: Buffer) => Promise<unknown>])[] = [
  ['taken back to an older one', (older) => admin.restore('~spillway~directory', 0, older, 'REPLACE')],
  ['lost altogether', () => admin.del('~spillway~directory')],
]

test.each(losses)('a directory that was %s is healed by a client that remembers it', async (_, lose) => {
  const { writer, older } = await spreadKey()
  const stored = await storedTotal()
  await lose(older)
  expect(await totalOf(writer, 'hot')).toBe(stored)
  await waitUntil('the route is written back', async () =>
    String(await admin.hget('~spillway~directory', 'text')).includes('"hot"'),
  )
  const reader = await member()
  expect(await totalOf(reader, 'hot')).toBe(stored)
})

test.each(losses)(
  'a directory that was %s while nobody remembers it is healed by whoever reads the key',
  async (_, lose) => {
    const { writer, older } = await spreadKey()
    const stored = await storedTotal()
    await writer.close()
    await lose(older)
    const reader = await member()
    expect(await totalOf(reader, 'hot')).toBe(stored)
    expect(await admin.hget('~spillway~directory', 'text')).toContain('"hot"')
  },
)

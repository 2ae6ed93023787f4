import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { createClient, type Client, type ClientOptions, type Collection } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { waitUntil } from '@spillway/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { newTable } from '../fixtures/tables.js'

const keys = { sortKey: 'at', sortValue: -1 }
const adoptedCount = 30
let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ seed: 21 })
})

afterAll(() => behind.close())

type Feed = Collection<{ n: number }, 'number'>

async function open(table: string, options: Partial<ClientOptions> = {}): Promise<[Client, Feed]> {
  const client = await createClient({
    backend: dynamo({ client: behind.client({ maxAttempts: 2 }), table, ...keys }),
    routing: { refreshMs: 100, leaseMs: 500 },
    ...options,
  })
  return [client, client.collection<{ n: number }, 'number'>('feed', { sort: 'number' })]
}

/** A table whose key `hot` has items from before. */
async function adoptedTable(): Promise<string> {
  const table = await newTable(behind.direct, { sortKey: 'at', sortType: 'number' })
  const requests = Array.from({ length: adoptedCount }, (_, n) => ({
    PutRequest: { Item: { pk: { S: 'hot' }, at: { N: String(n) }, n: { N: String(n) } } },
  }))
  for (let i = 0; i < requests.length; i += 25)
    await behind.direct.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests.slice(i, i + 25) } }))
  return table
}

/** All sort values of key `hot`, by pages of seven. */
async function pagedThrough(feed: Feed): Promise<number[]> {
  const paged: number[] = []
  let cursor: string | undefined
  do {
    const page = await feed.page('hot', { limit: 7, ...(cursor !== undefined && { cursor }) })
    paged.push(...page.items.map(({ sort }) => sort))
    cursor = page.cursor
  } while (cursor !== undefined)
  return paged
}

test(
  'a collection of adopted and new items stays whole and in order while its key is spread from 1 to 4 to 16, with faults all along',
  { timeout: 180_000 },
  async () => {
    const table = await adoptedTable()
    const members = [await open(table), await open(table)]
    const there = new Set(Array.from({ length: adoptedCount }, (_, n) => n))
    const unsure = new Set<number>()
    let count = adoptedCount
    const settle = (n: number, isThere: boolean, done: Promise<unknown>) =>
      done.then(
        () => (isThere ? there.add(n) : there.delete(n)),
        () => unsure.add(n),
      )
    const writeSome = async () => {
      const numbers = Array.from({ length: 12 }, () => count++)
      await Promise.all(numbers.map((n, i) => settle(n, true, members[i % 2]![1].put('hot', n, { n }))))
      const gone = numbers.filter((n) => n % 4 === 0)
      await Promise.all(gone.map((n, i) => settle(n, false, members[i % 2]![1].delete('hot', n))))
      await settle(count % adoptedCount, false, members[0]![1].delete('hot', count % adoptedCount))
      const appended = Array.from({ length: 6 }, () => count++)
      const outcomes = await members[1]![1].putMany(
        'hot',
        appended.map((n) => ({ sort: n, item: { n } })),
        { appendOnly: true },
      )
      for (const [i, { status }] of outcomes.entries()) (status === 'written' ? there : unsure).add(appended[i]!)
    }
    behind.gateway.faults = {
      errorAfterEffect: 0.02,
      resetAfterEffect: 0.02,
      leaveOut: 0.05,
      emptyPage: 0.2,
      operations: ['PutItem', 'DeleteItem', 'BatchWriteItem', 'BatchGetItem'],
    }
    await writeSome()
    for (const fanout of [4, 16]) {
      const [client, feed] = await open(table, { sharding: { rules: [{ match: 'hot', fanout }] } })
      let now = 1
      client.on('route-changed', ({ write }) => {
        now = write
      })
      await feed.get('hot', 0)
      members.push([client, feed])
      await waitUntil(
        `the key has ${fanout} shards`,
        async () => {
          await writeSome()
          return now === fanout
        },
        50_000,
      )
      await writeSome()
    }
    const isSure = (n: number) => !unsure.has(n)
    const expected = [...there].filter(isSure).toSorted((a, b) => a - b)
    for (const order of ['ascending', 'descending'] as const) {
      const seen: number[] = []
      for await (const { sort, item } of members[1]![1].iterate('hot', { order })) {
        expect(item).toEqual({ n: sort })
        seen.push(sort)
      }
      expect(seen).toEqual(seen.toSorted((a, b) => (order === 'ascending' ? a - b : b - a)))
      expect(seen.filter(isSure).toSorted((a, b) => a - b)).toEqual(expected)
    }
    const paged = await pagedThrough(members[0]![1])
    expect(paged.filter(isSure)).toEqual(expected)
    expect(expected.length).toBeGreaterThan(80)
    expect(behind.gateway.lostAnswerCount).toBeGreaterThan(3)
    behind.gateway.faults = {}
    await Promise.all(members.map(([client]) => client.close()))
  },
)

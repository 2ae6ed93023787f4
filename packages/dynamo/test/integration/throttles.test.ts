import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { createClient, max, placeOf, sum, type Client, type ClientEvents } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { call, change, field, own, stamp } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const total = field('total', sum())
const hotRange = 'TableWriteKeyRangeThroughputExceeded'
const told = { reason: hotRange, scope: 'key-range', resource: expect.stringContaining(':table/') as string }
let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ seed: 3 })
})

afterEach(() => {
  behind.gateway.requests.clear()
  behind.gateway.faults = {}
  behind.gateway.plan.length = 0
})

afterAll(() => behind.close())

/** Refuses so many of the requests that come next. */
function refuse(count: number): void {
  for (let i = 0; i < count; i++) behind.gateway.plan.push({ isThrottled: true })
}

describe('throttles that the SDK makes good by itself', () => {
  test('come with the answer to a write and to a read, one for each attempt', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 4 }), table: await newTable(behind.direct) })
    refuse(2)
    const written = await records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', 1) }, call)
    expect(written).toMatchObject({ status: 'done', throttles: [told, told] })
    const second = { key: 'k', index: 1, generation: { number: 7, nonce: 7 } }
    for (const shards of [[own('k')], [own('k'), second]]) {
      refuse(1)
      const answers = await records.read({ shards, fields: [total], consistency: 'strong' }, call)
      // Of a batch they are told once: it was one attempt.
      expect(answers.map((answer) => answer.status === 'read' && answer.throttles?.length)).toEqual(
        shards.map((_, i) => (i === 0 ? 1 : undefined)),
      )
    }
    refuse(1)
    expect(await records.seal(second, [total], call)).toMatchObject({ throttles: [told] })
  })

  test('of all requests that a write takes are told together', async () => {
    const client = behind.client({ maxAttempts: 2 })
    const { records } = dynamo({ client, table: await newTable(behind.direct) })
    const write = (n: number) =>
      records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', n) }, call)
    await write(2)
    behind.gateway.plan.push({ isThrottled: true }, {})
    expect((await write(1)).throttles).toHaveLength(1) // its number is old: the condition fails, after one throttle
  })

  test('go with a failure of another kind', async () => {
    const client = behind.client({ maxAttempts: 3 })
    const { records } = dynamo({ client, table: await newTable(behind.direct) })
    behind.gateway.plan.push({ isThrottled: true }, { errsAfter: true }, { errsAfter: true })
    const write = records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', 1) }, call)
    await expect(write).rejects.toMatchObject({ kind: 'unknown', throttle: { reason: hotRange, scope: 'key-range' } })
  })

  test('are all told where every copy was refused, and not the last alone', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 3 }), table: await newTable(behind.direct) })
    refuse(6)
    const write = records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', 1) }, call)
    await expect(write).rejects.toMatchObject({ kind: 'throttled', throttles: [told, told, told] })
    const read = records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)
    await expect(read).rejects.toMatchObject({ kind: 'throttled', throttles: [told, told, told] })
  })

  test('of an earlier round are told when a later one fails', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 3 }), table: await newTable(behind.direct) })
    const write = (n: number, height: number) => {
      const changes = [change(total, 1), change(field('best', max()), height)]
      return records.write({ shard: own('k'), changes, stamp: stamp('w', n) }, call)
    }
    await write(1, 9)
    behind.gateway.plan.push({ isThrottled: true }, {}) // the condition fails: best loses
    refuse(3)
    await expect(write(2, 3)).rejects.toMatchObject({ kind: 'throttled', throttles: [told, told, told, told] })
  })

  test('of a read are told when what it brought cannot be taken over', async () => {
    const table = await newTable(behind.direct)
    await behind.direct.send(new PutItemCommand({ TableName: table, Item: { pk: { S: 'k' }, total: { S: 'many' } } }))
    const { records } = dynamo({ client: behind.client({ maxAttempts: 2 }), table })
    refuse(1)
    const read = records.read({ shards: [own('k')], fields: [total], consistency: 'strong' }, call)
    await expect(read).rejects.toMatchObject({ kind: 'invalid', throttles: [told] })
  })

  test('of a batch of which nothing could be taken over are told with it', async () => {
    const table = await newTable(behind.direct)
    const second = { key: 'k', index: 1, generation: { number: 7, nonce: 7 } }
    for (const shard of [own('k'), second]) {
      const Item = { pk: { S: placeOf(shard) }, total: { S: 'many' } }
      await behind.direct.send(new PutItemCommand({ TableName: table, Item }))
    }
    const { records } = dynamo({ client: behind.client({ maxAttempts: 2 }), table })
    refuse(1)
    const read = records.read({ shards: [own('k'), second], fields: [total], consistency: 'strong' }, call)
    await expect(read).rejects.toMatchObject({ kind: 'invalid', throttles: [told] })
  })

  test('of the look before an absorb are told when its update fails', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 2 }), table: await newTable(behind.direct) })
    const source = { key: 'k', index: 1, generation: { number: 7, nonce: 7 } }
    behind.gateway.plan.push({ isThrottled: true }, {}, { isThrottled: true }, { isThrottled: true })
    const asked = { target: own('k'), source, contents: { status: 'read', states: [4] }, fields: [total] } as const
    await expect(records.absorb(asked, call)).rejects.toMatchObject({
      kind: 'throttled',
      throttles: [told, told, told],
    })
  })

  test('after a lost answer leave the outcome unknown; where every copy was refused it is a plain throttle', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 2 }), table: await newTable(behind.direct) })
    const write = (n: number) =>
      records.write({ shard: own('k'), changes: [change(total, 1)], stamp: stamp('w', n) }, call)
    behind.gateway.faults = { throttle: 1, operations: ['UpdateItem'] }
    await expect(write(1)).rejects.toMatchObject({
      kind: 'throttled',
      throttle: { reason: hotRange, scope: 'key-range' },
    })
    behind.gateway.plan.push({ errsAfter: true })
    await expect(write(2)).rejects.toMatchObject({ kind: 'unknown', throttle: { scope: 'key-range' } })
  })
})

/** Reads the directory so seldom that it takes none of the refusals of a test. */
const routing = { refreshMs: 60_000, leaseMs: 120_000, retryHorizonMs: 300_000 }

async function opened(maxAttempts: number, writeTimeoutMs = 8_000): Promise<Client> {
  return createClient({
    routing,
    backend: dynamo({ client: behind.client({ maxAttempts }), table: await newTable(behind.direct) }),
    limits: { writeTimeoutMs, requestTimeoutMs: Math.min(writeTimeoutMs, 6_000) }, // the SDK waits for up to a second after a throttle
  })
}

describe('a client of Spillway', () => {
  test.each([1, 3])(
    'counts attempts that were throttled apart from calls that failed, with %i attempts of the SDK',
    async (maxAttempts) => {
      const client = await opened(maxAttempts)
      const posts = client.records('post', { views: sum() })
      refuse(2)
      await posts.write('p1', { views: 1 })
      refuse(1)
      expect(await posts.read('p1')).toEqual({ views: 1 })
      expect(client.counters()).toEqual({
        writes: { throttledAttempts: 2, failedCalls: 0 },
        reads: { throttledAttempts: 1, failedCalls: 0 },
      })
      await client.close()
    },
  )

  test('counts each of six refused attempts, of which the SDK makes three by itself at a time', async () => {
    const client = await opened(3, 30_000)
    const posts = client.records('post', { views: sum() })
    await posts.write('p1', { views: 1 })
    behind.gateway.faults = { throttleReason: 'TableWriteProvisionedThroughputExceeded' } // no reason to spread the key
    refuse(6)
    await posts.write('p1', { views: 1 })
    expect(client.counters().writes).toEqual({ throttledAttempts: 6, failedCalls: 0 })
    await client.close()
  })

  test('counts a call that fails after all its attempts once, and every attempt', async () => {
    const client = await opened(1, 1_500)
    const posts = client.records('post', { views: sum() })
    behind.gateway.requests.clear() // the directory has been written
    behind.gateway.faults = { throttle: 1, operations: ['UpdateItem'] }
    await expect(posts.write('p1', { views: 1 })).rejects.toMatchObject({ code: 'WRITE_REJECTED' })
    const { writes } = client.counters()
    expect(writes).toEqual({ failedCalls: 1, throttledAttempts: behind.gateway.requests.get('UpdateItem') })
    expect(writes.throttledAttempts).toBeGreaterThan(2)
    await client.close()
  })

  test('tells of a hot partition of an index by an event of its own, which is no heat of the key', async () => {
    const client = await opened(1)
    const [throttles, ofIndexes]: [ClientEvents['throttle'][], ClientEvents['index-throttle'][]] = [[], []]
    client.on('throttle', (event) => throttles.push(event))
    client.on('index-throttle', (event) => ofIndexes.push(event))
    const posts = client.records('post', { views: sum() })
    behind.gateway.faults = { throttleReason: 'IndexWriteKeyRangeThroughputExceeded' }
    refuse(1)
    await posts.write('p1', { views: 1 })
    expect(ofIndexes).toEqual([
      {
        key: 'p1',
        side: 'write',
        reason: 'IndexWriteKeyRangeThroughputExceeded',
        index: expect.stringContaining('/index/by-other') as string,
      },
    ])
    behind.gateway.faults = {}
    refuse(1)
    await posts.write('p1', { views: 1 })
    expect(throttles.map(({ reason }) => reason)).toEqual(['IndexWriteKeyRangeThroughputExceeded', hotRange])
    expect(ofIndexes).toHaveLength(1)
    await client.close()
  })

  test('is told which shards a batch left out, as throttled', async () => {
    const { records } = dynamo({ client: behind.client({ maxAttempts: 1 }), table: await newTable(behind.direct) })
    const shards = Array.from({ length: 16 }, (_, index) => ({
      ...own('k'),
      index,
      generation: { number: 7, nonce: index },
    }))
    for (const shard of shards) await records.write({ shard, changes: [change(total, 1)], stamp: undefined }, call)
    behind.gateway.faults = { leaveOut: 0.5 }
    const answers = await records.read({ shards, fields: [total], consistency: 'strong' }, call)
    const failed = answers.filter((answer) => answer.status === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(16)
    for (const { error } of failed)
      expect(error).toMatchObject({ kind: 'throttled', throttle: { reason: 'UnprocessedKeys', scope: 'other' } })
  })
})

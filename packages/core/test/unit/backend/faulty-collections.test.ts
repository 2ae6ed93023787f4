import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import { FaultyBackend } from '../../../src/backend/faulty-backend.js'
import type { FaultOperation, Faults } from '../../../src/backend/faults.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { seededRandom } from '../../../src/chance/seeded-random.js'
import { FakeClock } from '../../../src/time/fake-clock.js'
import { append, collectionsOf, deletionOf, get, itemStamp, page, put, putOf, valueOf } from './items.js'
import { call, ownShard, shardOf } from './requests.js'

const key = ownShard('k')

function faulty(faults: Faults, seed = 1): { backend: FaultyBackend; inner: Backend; clock: FakeClock } {
  const [inner, clock] = [memory(), new FakeClock()]
  return { backend: new FaultyBackend(inner, { clock, random: seededRandom(seed), faults }), inner, clock }
}

function requestsOf(backend: Backend): Record<string, () => Promise<unknown>> {
  return {
    put: () => put(backend, key, 'a'),
    delete: () => collectionsOf(backend).delete(deletionOf(key, 'a'), call),
    get: () => get(backend, [key], 'a'),
    page: () => page(backend, key),
    append: () => append(backend, [putOf(key, 'a')]),
  }
}

test('a backend without collections has none behind the faults either, and one without append has no append', () => {
  expect(new FaultyBackend({ ...memory(), collections: undefined }).collections).toBeUndefined()
  const collections = Object.assign(collectionsOf(memory()), { append: undefined })
  expect(new FaultyBackend({ ...memory(), collections }).collections).not.toHaveProperty('append')
})

test('without faults the answers of the collections inside are handed on', () => {
  const answer = Promise.resolve({ status: 'done' } as const)
  const inner = memory()
  collectionsOf(inner).put = () => answer
  const backend = new FaultyBackend(inner)
  expect(put(backend, key, 'a')).toBe(answer)
  expect(collectionsOf(backend).limits).toBe(collectionsOf(inner).limits)
})

test.each([
  ['throttle', 'throttled', 'throttled'],
  ['unavailable', 'unavailable', 'unavailable'],
  ['loseRequest', 'unknown', 'unavailable'],
] as const)('%s refuses each request for items, with no effect', async (fault, kindOfWrites, kindOfReads) => {
  const { backend, inner } = faulty({ [fault]: 1 })
  const requests = requestsOf(backend)
  for (const name of ['put', 'append']) await expect(requests[name]?.()).rejects.toMatchObject({ kind: kindOfWrites })
  expect(await valueOf(inner, key, 'a')).toBeUndefined()
  await put(inner, key, 'a')
  await expect(requests['delete']?.()).rejects.toMatchObject({ kind: kindOfWrites })
  for (const name of ['get', 'page']) await expect(requests[name]?.()).rejects.toMatchObject({ kind: kindOfReads })
  expect(await valueOf(inner, key, 'a')).toEqual({ n: 1 })
})

test('a throttle carries the reason of its direction', async () => {
  const { backend } = faulty({ throttle: 1 })
  for (const [name, request] of Object.entries(requestsOf(backend))) {
    const direction = name === 'get' || name === 'page' ? 'Read' : 'Write'
    const throttle = { reason: `Table${direction}KeyRangeThroughputExceeded`, scope: 'key-range' }
    await expect(request()).rejects.toMatchObject({ kind: 'throttled', throttle })
  }
})

test('a lost answer comes after the effect', async () => {
  const { backend, inner } = faulty({ loseAnswer: 1 })
  await expect(put(backend, key, 'a')).rejects.toMatchObject({ kind: 'unknown' })
  await expect(append(backend, [putOf(key, 'b')])).rejects.toMatchObject({ kind: 'unknown' })
  expect((await page(inner, key)).items.map(({ sort }) => sort)).toEqual(['a', 'b'])
  await expect(collectionsOf(backend).delete(deletionOf(key, 'a'), call)).rejects.toMatchObject({ kind: 'unknown' })
  expect(await valueOf(inner, key, 'a')).toBeUndefined()
  await expect(page(backend, key)).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(get(backend, [key], 'a')).rejects.toMatchObject({ kind: 'unavailable' })
  expect(backend.injected.lostAnswers).toBe(5)
})

test('a request takes its delay, with its effect somewhere inside', async () => {
  const { backend, inner, clock } = faulty({ delayMs: { min: 100, max: 100 } })
  let status = 'waiting'
  const putting = put(backend, key, 'a').then((answer) => (status = answer.status))
  expect(await valueOf(inner, key, 'a')).toBeUndefined()
  await clock.advance(99)
  expect(await valueOf(inner, key, 'a')).toEqual({ n: 1 })
  expect(status).toBe('waiting')
  await clock.advance(1)
  expect(await putting).toBe('done')
})

test('a second copy of a change arrives later, where it finds what is newer; reads are not repeated', async () => {
  const { backend, inner, clock } = faulty({ duplicateDelivery: 1, duplicateDelayMs: { min: 50, max: 50 } })
  await put(backend, key, 'a', { n: 1 }, itemStamp(1))
  await collectionsOf(backend).delete(deletionOf(key, 'a', 'remove'), call)
  await get(backend, [key], 'a')
  await page(backend, key)
  expect(await valueOf(inner, key, 'a')).toBeUndefined()
  await put(inner, key, 'b', { n: 9 }, itemStamp(9))
  await clock.advance(49)
  await append(backend, [putOf(key, 'b')])
  await clock.advance(50)
  expect(await valueOf(inner, key, 'b')).toEqual({ n: 9 })
  expect(backend.injected.duplicates).toBe(3)
})

test('the late copy of a put brings back what was removed without a tombstone', async () => {
  const { backend, inner, clock } = faulty({ duplicateDelivery: 1, duplicateDelayMs: { min: 50, max: 50 } })
  await put(backend, key, 'a')
  await collectionsOf(inner).delete(deletionOf(key, 'a', 'remove'), call)
  await clock.advance(50)
  expect(await valueOf(inner, key, 'a')).toEqual({ n: 1 })
})

describe('partial batches', () => {
  const shards = [key, shardOf('k', 1), shardOf('k', 2)]
  const isOfShard1: Faults = { partialBatch: ({ shards: [shard] }) => (shard?.index === 1 ? 1 : 0) }

  test('shards left out of a get fail one by one, the others are read in their places', async () => {
    const { backend } = faulty(isOfShard1)
    await put(backend, shardOf('k', 2), 'a', { n: 2 })
    expect(await get(backend, shards, 'a')).toMatchObject([
      { status: 'read', item: undefined },
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedKeys' } } },
      { status: 'read', item: { value: { n: 2 } } },
    ])
    expect(backend.injected).toMatchObject({ unprocessedShards: 1, unprocessedItems: 0 })
  })

  test('items left out of an append fail one by one and are not stored', async () => {
    const { backend } = faulty(isOfShard1)
    const items = shards.map((shard, i) => putOf(shard, 'a', { i }))
    expect(await append(backend, items)).toMatchObject([
      { status: 'done' },
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedItems' } } },
      { status: 'done' },
    ])
    const stored = await Promise.all(shards.map((shard) => valueOf(backend, shard, 'a')))
    expect(stored).toEqual([{ i: 0 }, undefined, { i: 2 }])
    expect(backend.injected).toMatchObject({ unprocessedShards: 0, unprocessedItems: 1 })
  })

  test('a batch of which nothing is left is refused as a whole, one of a single part is none', async () => {
    const { backend } = faulty({ partialBatch: 1 })
    await expect(get(backend, shards, 'a')).rejects.toMatchObject({
      throttle: { reason: 'TableReadKeyRangeThroughputExceeded' },
    })
    await expect(
      append(
        backend,
        shards.map((shard) => putOf(shard, 'a')),
      ),
    ).rejects.toMatchObject({ throttle: { reason: 'TableWriteKeyRangeThroughputExceeded' } })
    expect(await append(backend, [putOf(key, 'a')])).toMatchObject([{ status: 'done' }])
    expect(await get(backend, [key], 'a')).toMatchObject([{ status: 'read' }])
  })
})

test('a fault sees which request for items it meets, and which shards it concerns', async () => {
  const seen: [FaultOperation, number[]][] = []
  const { backend } = faulty({
    throttle: ({ operation, shards }) => {
      seen.push([operation, shards.map(({ index }) => index)])
      return 0
    },
  })
  for (const request of Object.values(requestsOf(backend))) await request()
  await append(backend, [putOf(shardOf('k', 1), 'b'), putOf(shardOf('k', 2), 'c')])
  expect(seen).toEqual([
    ['collections.put', [0]],
    ['collections.delete', [0]],
    ['collections.get', [0]],
    ['collections.page', [0]],
    ['collections.append', [0]],
    ['collections.append', [1, 2]],
  ])
})

import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { PartitionedBackend } from '../../../src/backend/partitioned-backend.js'
import type { PartitionedOptions } from '../../../src/backend/partitioned-options.js'
import type { ShardRef } from '../../../src/operation.js'
import { FakeClock } from '../../../src/time/fake-clock.js'
import { append, collectionsOf, deletionOf, get, itemStamp, page, put, putOf, valueOf } from './items.js'
import { call, ownShard, shardOf } from './requests.js'

const key = ownShard('k')

function partitioned(options: Omit<PartitionedOptions, 'clock'> = {}, inner: Backend = memory()) {
  const clock = new FakeClock()
  return { clock, inner, backend: new PartitionedBackend(inner, { clock, partitionCount: 1, ...options }) }
}

/** An item of about so many bytes. */
function sized(bytes: number): { readonly text: string } {
  return { text: 'x'.repeat(bytes) }
}

test('a backend without collections has none in partitions either, and one without append has no append', () => {
  expect(partitioned({}, { ...memory(), collections: undefined }).backend.collections).toBeUndefined()
  const collections = Object.assign(collectionsOf(memory()), { append: undefined })
  const { backend } = partitioned({}, { ...memory(), collections })
  expect(collectionsOf(backend)).not.toHaveProperty('append')
  expect(collectionsOf(backend).limits).toBe(collections.limits)
})

describe('writes', () => {
  test('a put takes a unit for each started KB, a delete one', async () => {
    const { backend } = partitioned()
    expect(await put(backend, key, 'a', { n: 1 })).toMatchObject({ status: 'done', units: 1 })
    expect(await put(backend, key, 'b', sized(2_500))).toMatchObject({ units: 3 })
    expect(await collectionsOf(backend).delete(deletionOf(key, 'b'), call)).toMatchObject({ units: 1 })
    expect(backend.counters).toMatchObject({ writeRequests: 3, unitsWritten: 5, unitsRead: 0 })
  })

  test('bytes of the application and a long sort value count', async () => {
    const { backend } = partitioned({ itemOverheadBytes: 1_000 })
    expect(await put(backend, key, 'a'.repeat(1_024), { n: 1 })).toMatchObject({ units: 2 })
  })

  test('a write that finds something newer is paid for all the same', async () => {
    const { backend } = partitioned()
    await put(backend, key, 'a', { n: 2 }, itemStamp(2))
    expect(await put(backend, key, 'a', { n: 1 }, itemStamp(1))).toMatchObject({ status: 'newer', units: 1 })
    expect(backend.counters.unitsWritten).toBe(2)
  })

  test('what the backend inside says of a larger price is charged as well', async () => {
    const inner = memory()
    collectionsOf(inner).delete = () => Promise.resolve({ status: 'done', units: 7 })
    const { backend } = partitioned({}, inner)
    expect(await collectionsOf(backend).delete(deletionOf(key, 'a'), call)).toMatchObject({ units: 7 })
    expect(backend.counters.unitsWritten).toBe(7)
  })

  test('a put and a delete that the partition cannot pay are refused with no effect, until there is capacity again', async () => {
    const { backend, inner, clock } = partitioned({ writeUnitsPerSecond: 1 })
    await put(backend, key, 'a')
    const throttle = { reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' }
    await expect(put(backend, key, 'b')).rejects.toMatchObject({ kind: 'throttled', throttle })
    await expect(collectionsOf(backend).delete(deletionOf(key, 'a'), call)).rejects.toMatchObject({ throttle })
    expect((await page(inner, key)).items.map(({ sort }) => sort)).toEqual(['a'])
    expect(backend.counters).toMatchObject({ writeRequests: 3, unitsWritten: 1, throttledAttempts: 2 })
    await clock.advance(1_000)
    expect(await put(backend, key, 'b')).toMatchObject({ status: 'done' })
  })
})

describe('reads', () => {
  test('a page pays for all that it has read, in whole 4 KB, and half of that when it may be eventual', async () => {
    const { backend } = partitioned()
    for (const sort of ['a', 'b', 'c']) await put(backend, key, sort, sized(3_000))
    expect((await page(backend, key)).units).toBe(3)
    expect((await page(backend, key, { limit: 1 })).units).toBe(1)
    expect((await page(backend, key, { consistency: 'eventual' })).units).toBe(1.5)
    expect(backend.counters).toMatchObject({ readRequests: 3, unitsRead: 5.5, itemsRead: 7 })
  })

  test('an empty page and a get of nothing cost one unit, or half of one', async () => {
    const { backend } = partitioned()
    expect((await page(backend, key)).units).toBe(1)
    expect((await page(backend, key, { consistency: 'eventual' })).units).toBe(0.5)
    expect(await get(backend, [key], 'a')).toMatchObject([{ units: 1 }])
    expect(await get(backend, [key, shardOf('k', 1)], 'a', 'eventual')).toMatchObject([{ units: 0.5 }, { units: 0.5 }])
    expect(backend.counters).toMatchObject({ readRequests: 4, unitsRead: 3.5, itemsRead: 0 })
  })

  test('a get pays for the item, a tombstone counts as read', async () => {
    const { backend } = partitioned()
    await put(backend, key, 'a', sized(5_000))
    await collectionsOf(backend).delete(deletionOf(key, 'b'), call)
    expect(await get(backend, [key], 'a')).toMatchObject([{ units: 2 }])
    expect(await get(backend, [key], 'b')).toMatchObject([{ units: 1 }])
    expect(backend.counters).toMatchObject({ unitsRead: 3, itemsRead: 2 })
  })

  test('a large page leaves a debt: the next is refused until it is paid', async () => {
    const { backend, clock } = partitioned({ readUnitsPerSecond: 2, writeUnitsPerSecond: 100 })
    for (const sort of ['a', 'b', 'c', 'd']) await put(backend, key, sort, sized(4_000))
    expect((await page(backend, key)).units).toBe(4)
    const throttle = { reason: 'TableReadKeyRangeThroughputExceeded' }
    await expect(page(backend, key)).rejects.toMatchObject({ kind: 'throttled', throttle })
    await clock.advance(1_000)
    await expect(get(backend, [key], 'a')).rejects.toMatchObject({ throttle })
    await clock.advance(1_000)
    expect(await get(backend, [key], 'a')).toMatchObject([{ status: 'read' }])
  })
})

/** Two partitions of which that of `key` has nothing left in one direction; `elsewhere` lies in the other. */
async function withOneEmptyPartition(direction: 'reads' | 'writes') {
  const rates = direction === 'reads' ? { readUnitsPerSecond: 1 } : { writeUnitsPerSecond: 1 }
  const world = partitioned({ partitionCount: 2, ...rates })
  const send = (shard: ShardRef) =>
    direction === 'reads' ? get(world.backend, [shard], 'z') : put(world.backend, shard, 'z')
  await send(key)
  const isHot = world.backend.counters.partitions.map((partition) => partition[direction] > 0)
  for (let i = 1; ; i++) {
    const elsewhere = shardOf('k', i)
    await send(elsewhere).catch(() => undefined)
    const isElsewhere = world.backend.counters.partitions.some(
      (partition, at) => !isHot[at] && partition[direction] > 0,
    )
    if (!isElsewhere) continue
    await world.clock.advance(1_000)
    await send(key)
    return { ...world, elsewhere }
  }
}

describe('batches over several places', () => {
  test('a get answers what can be paid in its place and leaves the rest unprocessed', async () => {
    const { backend, inner, elsewhere } = await withOneEmptyPartition('reads')
    await put(inner, elsewhere, 'a', { n: 5 })
    expect(await get(backend, [key, elsewhere], 'a')).toMatchObject([
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedKeys' } } },
      { status: 'read', item: { value: { n: 5 } } },
    ])
    await expect(get(backend, [key, key], 'a')).rejects.toMatchObject({
      throttle: { reason: 'TableReadKeyRangeThroughputExceeded' },
    })
  })

  test('an append stores what can be paid and leaves the rest unprocessed', async () => {
    const { backend, inner, elsewhere } = await withOneEmptyPartition('writes')
    expect(await append(backend, [putOf(key, 'a'), putOf(elsewhere, 'b', sized(10))])).toMatchObject([
      { status: 'failed', error: { kind: 'throttled', throttle: { reason: 'UnprocessedItems' } } },
      { status: 'done', units: 1 },
    ])
    expect(await valueOf(inner, key, 'a')).toBeUndefined()
    expect(await valueOf(inner, elsewhere, 'b')).toEqual(sized(10))
    await expect(append(backend, [putOf(key, 'a'), putOf(elsewhere, 'c')])).rejects.toMatchObject({
      throttle: { reason: 'TableWriteKeyRangeThroughputExceeded' },
    })
  })

  test('an append is one request and pays for each item by itself', async () => {
    const { backend } = partitioned()
    const answers = await append(backend, [putOf(key, 'a'), putOf(key, 'b', sized(2_000))])
    expect(answers).toMatchObject([{ units: 1 }, { units: 2 }])
    expect(backend.counters).toMatchObject({ writeRequests: 1, unitsWritten: 3 })
  })

  test('what failed in the backend inside is handed on', async () => {
    const inner = memory()
    const failed = { status: 'failed', error: new Error('no') } as const
    Object.assign(collectionsOf(inner), {
      get: () => Promise.resolve([failed, { status: 'read', item: undefined }]),
      append: () => Promise.resolve([failed]),
    })
    const { backend } = partitioned({}, inner)
    expect(await get(backend, [key, shardOf('k', 1)], 'a')).toMatchObject([failed, { status: 'read' }])
    expect(await append(backend, [putOf(key, 'a')])).toEqual([failed])
  })
})

test('answers and refusals take the delay that is given', async () => {
  const { backend, clock } = partitioned({ writeUnitsPerSecond: 1, delayMs: { min: 10, max: 15 } })
  const outcomes: string[] = []
  const requests = [
    put(backend, key, 'a'),
    put(backend, key, 'b'),
    page(backend, key),
    append(backend, [putOf(key, 'c')]),
  ]
  for (const request of requests)
    void request.then(
      () => outcomes.push('answered'),
      () => outcomes.push('refused'),
    )
  await clock.advance(9)
  expect(outcomes).toEqual([])
  await clock.advance(6)
  expect(outcomes.toSorted()).toEqual(['answered', 'answered', 'refused', 'refused'])
})

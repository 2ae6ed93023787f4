import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import { FaultyBackend } from '../../../src/backend/faulty-backend.js'
import { guardBackend } from '../../../src/backend/guarded-backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import { PartitionedBackend } from '../../../src/backend/partitioned-backend.js'
import { FakeClock } from '../../../src/time/fake-clock.js'
import { get, page, put } from './items.js'
import { absorbOf, add, adding, call, contentsOf, ownShard, shardOf, stampOf, totalField, totalOf } from './requests.js'

const shard = shardOf('k', 1)

function expiring(wrap: (inner: Backend, clock: FakeClock) => Backend = (inner) => inner) {
  const clock = new FakeClock()
  return { clock, backend: wrap(memory({ clock }), clock) }
}

function write(backend: Backend, amount: number, expiresInMs?: number) {
  return backend.records.write({ shard, changes: adding(amount), stamp: undefined, expiresInMs }, call)
}

describe('a write that expires', () => {
  test.each<[string, (inner: Backend, clock: FakeClock) => Backend]>([
    ['alone', (inner) => inner],
    ['behind the guard', (inner) => guardBackend(inner)],
    ['behind faults', (inner, clock) => new FaultyBackend(inner, { clock, faults: { loseRequest: 0 } })],
    ['behind partitions', (inner, clock) => new PartitionedBackend(inner, { clock })],
  ])('is there until its time is over, and then gone with its place, %s', async (_, wrap) => {
    const { backend, clock } = expiring(wrap)
    await write(backend, 1, 1_000)
    await clock.advance(999)
    expect(await totalOf(backend, shard)).toBe(1)
    await clock.advance(1)
    expect(await totalOf(backend, shard)).toBeUndefined()
    await write(backend, 5)
    await clock.advance(10_000)
    expect(await totalOf(backend, shard)).toBe(5)
  })

  test('decides anew, and one that says nothing of it leaves the time as it is', async () => {
    const { backend, clock } = expiring()
    await write(backend, 1, 1_000)
    await clock.advance(500)
    await write(backend, 1, 1_000)
    await write(backend, 1)
    await clock.advance(999)
    expect(await totalOf(backend, shard)).toBe(3)
    await clock.advance(1)
    expect(await totalOf(backend, shard)).toBeUndefined()
  })

  test('sets nothing where it is refused', async () => {
    const { backend, clock } = expiring()
    await backend.records.seal(shard, [totalField], call)
    expect((await write(backend, 1, 1_000)).status).toBe('sealed')
    await clock.advance(2_000)
    expect(await add(backend, shard, 1)).toBe('sealed')
  })
})

describe('a cleared shard', () => {
  test('keeps seal, writers and records for as long as it was told, from the first clear on, and then goes', async () => {
    const { backend, clock } = expiring()
    await add(backend, shard, 5, stampOf('w', 2))
    await backend.records.absorb(absorbOf(shard, shardOf('k', 3), { status: 'read', states: [10] }), call)
    await backend.records.seal(shard, [totalField], call)
    expect(await backend.records.clear(shard, 1_000, call)).toBe('expires')
    await clock.advance(600)
    expect(await backend.records.clear(shard, 1_000, call)).toBe('expires')
    await clock.advance(399)
    expect(await add(backend, shard, 5, stampOf('w', 2))).toBe('done')
    expect(await add(backend, shard, 5, stampOf('v', 1))).toBe('sealed')
    expect(await contentsOf(backend, shard)).toMatchObject({ states: [undefined], absorbed: [{ index: 3 }] })
    await clock.advance(1)
    expect((await contentsOf(backend, shard)).absorbed).toBeUndefined()
    expect(await add(backend, shard, 1, stampOf('v', 1))).toBe('done')
  })

  test('stays for its retention, however soon its writes would have let it go', async () => {
    const { backend, clock } = expiring()
    await write(backend, 1, 100)
    await backend.records.seal(shard, [totalField], call)
    await backend.records.clear(shard, 10_000, call)
    await clock.advance(9_999)
    expect(await add(backend, shard, 1)).toBe('sealed')
  })
})

test('a seal names the fields that it was not asked for, once they are there and until they are cleared', async () => {
  const backend = memory()
  const other = { ...totalField, name: 'other' }
  expect(await backend.records.seal(shardOf('k', 2), [totalField], call)).toMatchObject({ otherFields: undefined })
  const changes = [...adding(1), { ...other, state: 2 }]
  await backend.records.write({ shard, changes, stamp: stampOf('w', 1) }, call)
  expect(await backend.records.seal(shard, [totalField], call)).toMatchObject({ states: [1], otherFields: ['other'] })
  expect(await backend.records.seal(shard, [], call)).toMatchObject({ otherFields: ['total', 'other'] })
  expect(await backend.records.seal(shard, [other, totalField], call)).toMatchObject({ otherFields: undefined })
  await backend.records.clear(shard, 1_000, call)
  expect(await backend.records.seal(shard, [], call)).toMatchObject({ otherFields: undefined })
})

test('items and fields of one key do not know of each other', async () => {
  const { backend, clock } = expiring()
  const key = ownShard('k')
  for (const place of [key, shard]) {
    await put(backend, place, 'a', { n: 1 })
    await backend.records.write({ shard: place, changes: adding(1), stamp: undefined, expiresInMs: 100 }, call)
  }
  expect(await backend.records.seal(shard, [totalField], call)).toMatchObject({ states: [1] })
  await put(backend, shard, 'b', { n: 2 })
  await backend.records.clear(shard, 100, call)
  await clock.advance(100)
  expect((await page(backend, shard)).items.map(({ sort }) => sort)).toEqual(['a', 'b'])
  const answers = await get(backend, [key, shard], 'a')
  expect(answers).toMatchObject([{ item: { value: { n: 1 } } }, { item: { value: { n: 1 } } }])
})

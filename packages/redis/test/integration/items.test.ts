import { compareSort, type Backend, type SortValue } from '@spillway/core'
import { startRedis, waitUntil, type RedisProcess } from '@spillway/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { redis } from '../../src/index.js'
import { collectionsOf, itemIn, pageOf, put, sortsIn, stampAt, take } from '../items.js'
import { addOne, call, failureOf, shardOf } from '../requests.js'

let server: RedisProcess
let client: Redis
let backend: Backend

beforeAll(async () => {
  server = await startRedis()
  client = new Redis({ port: server.port, host: '127.0.0.1' })
  backend = redis({ client })
  await backend.open?.(call)
})
afterAll(async () => {
  client.disconnect()
  await server.close()
})
beforeEach(() => client.flushall())

const strings = [
  '',
  '\0',
  '\0\0',
  '\0a',
  '-',
  'a',
  'a\0',
  'a\0-',
  'a\0~',
  'a-',
  'ab',
  '~',
  'é',
  '\uE000',
  '\uFFFD',
  '👋',
]
const numbers = [
  -Number.MAX_VALUE,
  -1e300,
  -2,
  -1e-300,
  0,
  Number.MIN_VALUE,
  1e-300,
  0.1,
  1,
  2 ** 53,
  1e300,
  Number.MAX_VALUE,
]
const bytes = [[], [0], [0, 0], [0, 255], [1], [1, 0], [127], [128], [255], [255, 255]].map((each) =>
  Uint8Array.from(each),
)

describe.each([
  ['string', strings],
  ['number', numbers],
  ['bytes', bytes],
] as const)('sort values of type %s', (sortType, ordered: readonly SortValue[]) => {
  beforeEach(async () => {
    for (const sort of ordered.toReversed()) await put(backend, sort)
  })

  test('come back in order, both ways, in pages of any size', async () => {
    expect(await sortsIn(backend, { sortType })).toEqual(ordered)
    for (const order of ['ascending', 'descending'] as const) {
      const expected = order === 'ascending' ? ordered : ordered.toReversed()
      for (const limit of [1, 3, ordered.length - 1, ordered.length]) {
        const seen: SortValue[] = []
        let next: SortValue | undefined
        do {
          const bound = next === undefined ? undefined : { sort: next, isIncluded: false }
          const range = order === 'ascending' ? { lower: bound } : { upper: bound }
          const page = await pageOf(backend, { sortType, order, limit, ...range })
          expect(page.items.length).toBe(Math.min(limit, ordered.length - seen.length))
          seen.push(...page.items.map(({ sort }) => sort))
          next = page.next
        } while (next !== undefined)
        expect(seen).toEqual(expected)
      }
    }
  })

  test('are cut at both ends, with the ends and without', async () => {
    for (const a of ordered)
      for (const b of ordered.filter((_, i) => i % 3 === 0)) {
        for (const isIncluded of [true, false]) {
          const range = { lower: { sort: a, isIncluded }, upper: { sort: b, isIncluded: !isIncluded } }
          const expected = ordered.filter((sort) => {
            const [low, high] = [compareSort(sort, a), compareSort(sort, b)]
            return (low > 0 || (low === 0 && isIncluded)) && (high < 0 || (high === 0 && !isIncluded))
          })
          expect(await sortsIn(backend, { sortType, ...range })).toEqual(expected)
        }
      }
  })

  test('find their item each', async () => {
    for (const sort of ordered)
      expect(await itemIn(backend, sort)).toEqual({ sort, stamp: stampAt(1), value: { at: 1 } })
  })
})

test('both zeros are one sort value', async () => {
  await put(backend, 0, 1)
  await put(backend, -0, 2)
  expect(await sortsIn(backend, { sortType: 'number' })).toEqual([0])
})

describe('the greater stamp stays', () => {
  const rising = [
    { timeMs: -5, order: 0, writer: 'a' },
    { timeMs: 9, order: 0, writer: 'a' },
    { timeMs: 10, order: 0, writer: 'B' }, // by its bytes before a
    { timeMs: 10, order: 0, writer: 'a' },
    { timeMs: 10, order: 0, writer: 'aa' },
    { timeMs: 10, order: 9, writer: 'a' },
    { timeMs: 10, order: 10, writer: 'a' },
    { timeMs: 10.5, order: 0, writer: '' },
    { timeMs: 1e15, order: 0, writer: 'a' },
    { timeMs: 2 ** 53 - 1, order: 0, writer: 'a' },
    { timeMs: 2 ** 53 - 1, order: 2 ** 53 - 1, writer: 'a' },
  ]

  test('whichever comes first, of items and of tombstones', async () => {
    const items = collectionsOf(backend)
    const [shard, sort] = [shardOf('k'), 's']
    for (const [i, older] of rising.entries()) {
      for (const [j, stamp] of rising.entries()) {
        await client.del('k')
        await items.put({ shard, sort, stamp: older, value: { from: 'older' } }, call)
        const expected = j < i ? { status: 'newer', stamp: older } : { status: 'done' }
        const item = { shard, sort, stamp, value: { from: 'later' } }
        const deletion = { shard, sort, stamp, retentionMs: 60_000 }
        expect(await items.put(item, call)).toEqual(expected)
        expect((await itemIn(backend, sort))?.value).toEqual({ from: j < i ? 'older' : 'later' })
        expect(await items.delete({ ...deletion, mode: 'tombstone' }, call)).toEqual(expected)
        expect((await itemIn(backend, sort))?.value === undefined).toBe(j >= i)
        expect(await items.delete({ ...deletion, mode: 'remove' }, call)).toEqual(expected)
        expect((await itemIn(backend, sort)) === undefined).toBe(j >= i)
      }
    }
  })

  test('also if it comes twice, which is done', async () => {
    for (let copy = 1; copy <= 2; copy++) expect(await put(backend, 's', 1, { a: 1 })).toEqual({ status: 'done' })
    for (let copy = 1; copy <= 2; copy++) expect(await take(backend, 's', 'tombstone', 2)).toEqual({ status: 'done' })
    expect(await put(backend, 's', 1)).toEqual({ status: 'newer', stamp: stampAt(2) })
    expect(await pageOf(backend)).toMatchObject({ items: [{ sort: 's', stamp: stampAt(2), value: undefined }] })
  })
})

describe('what is taken away', () => {
  test('leaves nothing behind when it was the last', async () => {
    await put(backend, 's', 5)
    for (let copy = 1; copy <= 2; copy++) {
      expect(await take(backend, 's', 'remove', 5)).toEqual({ status: 'done' })
      expect(await client.keys('*')).toEqual([])
    }
    await take(backend, 's', 'tombstone', 5)
    await take(backend, 's', 'remove', 6)
    expect(await client.keys('*')).toEqual([])
  })

  test('may be put again under a tombstone’s own stamp or a greater one, which then is none any more', async () => {
    await take(backend, 's', 'tombstone', 5, 1)
    expect(await put(backend, 's', 6)).toEqual({ status: 'done' })
    await put(backend, 'other')
    expect(await itemIn(backend, 's')).toMatchObject({ stamp: stampAt(6), value: { at: 6 } })
    expect(await client.zcard('k')).toBe(3) // two items and what tells whose they are
  })
})

describe('tombstones', () => {
  test('go when their time has come, a few with each change, and not before', async () => {
    // Each change sweeps, so these must all be over at once, and not earlier.
    const until = Date.now() + 300
    for (let i = 0; i < 10; i++) await take(backend, `old${i}`, 'tombstone', 1, Math.max(0, until - Date.now()))
    await take(backend, 'young', 'tombstone', 1, 60_000)
    expect(await sortsIn(backend)).toHaveLength(11)
    await waitUntil('their time has come', () => Promise.resolve(Date.now() > until + 50))
    const left: number[] = []
    for (let i = 0; i < 4; i++) {
      await put(backend, 'item', i + 1)
      left.push((await sortsIn(backend)).length)
    }
    expect(left).toEqual([8, 4, 2, 2])
    expect(await sortsIn(backend)).toEqual(['item', 'young'])
    expect(await client.zcard('k')).toBe(4) // the two, what tells whose they are, and the time of the young one
  })

  test('stay as long as the last of their deletes asked for, or an earlier one for longer', async () => {
    await take(backend, 's', 'tombstone', 1, 60_000)
    await take(backend, 's', 'tombstone', 2, 0)
    await put(backend, 'other')
    expect(await itemIn(backend, 's')).toMatchObject({ stamp: stampAt(2), value: undefined })
    expect(await client.zcard('k')).toBe(4)
  })

  test('may be asked to stay for ever', async () => {
    await take(backend, 's', 'tombstone', 1, Number.MAX_VALUE)
    await put(backend, 'other')
    expect(await sortsIn(backend)).toEqual(['other', 's'])
  })
})

describe('large things', () => {
  test('an item of a megabyte comes back whole', async () => {
    const value = { text: 'é'.repeat(524_000) }
    await put(backend, 's', 1, value)
    await put(backend, 's', 2, value)
    expect(await itemIn(backend, 's')).toEqual({ sort: 's', stamp: stampAt(2), value })
  })

  test('a page ends at a megabyte, and goes on', async () => {
    const text = 'x'.repeat(300_000)
    const sorts = Array.from({ length: 12 }, (_, i) => `s${String(i).padStart(2, '0')}`)
    for (const sort of sorts) await put(backend, sort, 1, { text })
    const counts: number[] = []
    let next: SortValue | undefined
    do {
      const page = await pageOf(backend, { lower: next === undefined ? undefined : { sort: next, isIncluded: false } })
      counts.push(page.items.length)
      next = page.next
    } while (next !== undefined)
    expect(counts).toEqual([4, 4, 4])
  })

  test('a page has a thousand items, and no more', async () => {
    const sorts = Array.from({ length: 1_001 }, (_, i) => i)
    await Promise.all(sorts.map((sort) => put(backend, sort)))
    const page = await pageOf(backend, { sortType: 'number' })
    expect(page.items.map(({ sort }) => sort)).toEqual(sorts.slice(0, 1_000))
    expect(page.next).toBe(999)
    for (const limit of [0, 1_001])
      expect(await failureOf(pageOf(backend, { limit }))).toMatchObject({ kind: 'invalid', message: /1 to 1000 items/ })
  })
})

/** Stamps the key `k`, as whoever is about to spread it does. */
async function stamp(revision: number): Promise<void> {
  await backend.records.stampRoute?.(shardOf('k'), { revision, text: 'a:b' }, call)
}

describe('the route', () => {
  const route = { revision: 7, text: 'a:b' }

  test('is read where there is no item yet', async () => {
    await stamp(7)
    expect(await pageOf(backend)).toEqual({ items: [], next: undefined, route })
    expect(await take(backend, 's', 'remove')).toEqual({ status: 'done', route })
    expect(await client.hgetall('k')).toEqual({ '~spillway~route': '7:a:b' })
  })

  test.each([true, false])('comes back with items and pages, stamped before the first item: %s', async (isFirst) => {
    const steps = [() => stamp(7), () => put(backend, 's')]
    for (const step of isFirst ? steps : steps.toReversed()) await step()
    for (const revision of [5, 7]) await stamp(revision)
    const get = { shards: [shardOf('k'), shardOf('k', 1)], sort: 's', consistency: 'strong' } as const
    const answers = await collectionsOf(backend).get(get, call)
    expect(answers).toMatchObject([
      { item: { sort: 's' }, route },
      { item: undefined, route: undefined },
    ])
    expect(await pageOf(backend)).toMatchObject({ items: [{ sort: 's' }], route })
    await stamp(10)
    await take(backend, 's', 'remove')
    expect(await pageOf(backend)).toEqual({ items: [], next: undefined, route: { ...route, revision: 10 } })
  })

  test('stays with its expiry when the first item comes', async () => {
    await stamp(7)
    await client.pexpire('k', 60_000)
    await put(backend, 's')
    expect(await pageOf(backend)).toMatchObject({ items: [{ sort: 's' }], route })
    expect(await client.pttl('k')).toBeGreaterThan(0)
  })

  test('is refused where the key expires', async () => {
    await put(backend, 's')
    await client.pexpire('k', 60_000)
    expect(await failureOf(stamp(1))).toMatchObject({ kind: 'invalid', message: /A key with an expiry is not spread/ })
  })
})

describe('what is there already', () => {
  const foreign: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['a string', () => client.set('k', '1')],
    ['a list', () => client.rpush('k', 'a')],
    ['a hash', () => client.hset('k', 'total', '1')],
    ['a record with a route', () => client.hset('k', 'total', '1', '~spillway~route', '1:a')],
    ['a sorted set', () => client.zadd('k', '0', 's\x001 0 w\n{}', '0', 'ss')],
    ['items with other sort values', () => put(backend, 1)],
  ]

  test.each(foreign)('is refused by name, and stays: %s', async (_, make) => {
    await make()
    const before = await client.dumpBuffer('k')
    const refusal = {
      kind: 'invalid',
      message: 'The key holds something else than items whose sort values are of type string.',
    }
    expect(await failureOf(put(backend, 's'))).toEqual(refusal)
    for (const mode of ['tombstone', 'remove'] as const)
      expect(await failureOf(take(backend, 's', mode))).toEqual(refusal)
    expect(await failureOf(itemIn(backend, 's'))).toEqual(refusal)
    expect(await failureOf(pageOf(backend))).toEqual(refusal)
    expect(await client.dumpBuffer('k')).toEqual(before)
  })

  test('keeps a record from a key with items', async () => {
    await put(backend, 's')
    expect(await failureOf(addOne(backend, 'k', 1))).toMatchObject({ kind: 'invalid', message: /WRONGTYPE/ })
    expect(await failureOf(backend.records.seal(shardOf('k'), [], call))).toMatchObject({ kind: 'invalid' })
    expect(await itemIn(backend, 's')).toMatchObject({ value: { at: 1 } })
  })

  test('is gone as a whole when the key is deleted or expires', async () => {
    await put(backend, 's', 9)
    await take(backend, 't', 'tombstone', 9)
    await client.pexpire('k', 1)
    await waitUntil('it has expired', async () => (await client.exists('k')) === 0)
    expect(await client.keys('*')).toEqual([])
    expect(await pageOf(backend)).toEqual({ items: [], next: undefined, route: undefined })
    expect(await put(backend, 's', 1)).toEqual({ status: 'done' })
    expect(await sortsIn(backend)).toEqual(['s'])
  })
})

test('what stands in Redis can be read', async () => {
  await put(backend, 'post-1', 1_732_267_000_000, { text: 'hi' })
  await take(backend, 'post-2', 'tombstone', 5)
  const members = await client.zrange('k', '0', '-1')
  expect(members.map((member) => member.replaceAll(/\d{15}/g, 'T').replaceAll(/\d{13}$/g, 'T'))).toEqual([
    'spost-1\x001732267000000 0 w\n{"text":"hi"}',
    'spost-2\x005 0 w\nT',
    'tT spost-2',
    '~spillway~string',
  ])
})

import { BatchWriteItemCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import {
  compareSort,
  type CollectionStore,
  type ShardPage,
  type SortBound,
  type SortType,
  type SortValue,
} from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { pageOf, put } from '../fixtures/items.js'
import { call } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

let behind: Behind
let client: ReturnType<Behind['client']>

beforeAll(async () => {
  behind = await startBehind({ seed: 3 })
  client = behind.client()
})

beforeEach(() => behind.gateway.requests.clear())

afterEach(() => {
  behind.gateway.faults = {}
})

afterAll(() => behind.close())

/** A table with these sort values in key `k`, and its collections. */
async function filled(sortType: SortType, sortValue: SortValue, sorts: readonly SortValue[]) {
  const table = await newTable(behind.direct, { sortKey: 'sk', sortType })
  const { collections } = dynamo({ client, table, sortKey: 'sk', sortValue })
  const requests = [sortValue, ...sorts].map((sort) => ({
    PutRequest: { Item: { pk: { S: 'k' }, sk: attribute(sort), n: { N: '1' } } },
  }))
  for (let i = 0; i < requests.length; i += 25)
    await behind.direct.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests.slice(i, i + 25) } }))
  return { table, items: collections! }
}

function attribute(sort: SortValue): AttributeValue {
  return typeof sort === 'string' ? { S: sort } : typeof sort === 'number' ? { N: String(sort) } : { B: sort }
}

/** All sort values of a range, page by page, and how many pages it took. */
async function collected(items: CollectionStore, asked: ShardPage) {
  const found: SortValue[] = []
  let [pages, empty] = [0, 0]
  for (let range: ShardPage | undefined = asked; range !== undefined;) {
    const page: Awaited<ReturnType<CollectionStore['page']>> = await items.page(range, call)
    expect(page.items.length).toBeLessThanOrEqual(asked.limit)
    found.push(...page.items.map(({ sort }) => sort))
    pages += 1
    if (page.items.length === 0 && page.next !== undefined) empty += 1
    const behindIt: SortBound | undefined = page.next === undefined ? undefined : { sort: page.next, isIncluded: false }
    range = behindIt && { ...range, [asked.order === 'ascending' ? 'lower' : 'upper']: behindIt }
  }
  return { found, pages, empty }
}

function isIn(sort: SortValue, bound: SortBound | undefined, sign: number): boolean {
  const place = bound === undefined ? 1 : sign * compareSort(sort, bound.sort)
  return place > 0 || (place === 0 && bound?.isIncluded === true)
}

function inRange(sorts: readonly SortValue[], { lower, upper, order }: Partial<ShardPage>): readonly SortValue[] {
  const sorted = sorts.filter((sort) => isIn(sort, lower, 1) && isIn(sort, upper, -1)).toSorted(compareSort)
  return order === 'descending' ? sorted.toReversed() : sorted
}

const texts = [
  'a',
  'ab',
  'b',
  'ba',
  '\u{7f}',
  'ü',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
  'z\0',
  'z',
  'Z',
  '~',
]
const numbers = [0, 1, -1, 0.1, -0.1, 1e-130, -1e-130, 9.9e125, -9.9e125, 42, 1e21, Number.MAX_SAFE_INTEGER, 5e-7]
const bytes = [[0], [0, 0], [0, 1], [1], [127], [128], [255], [255, 255], [254, 255]].map((of) => new Uint8Array(of))

describe.each([
  ['string', 'm', texts, ['', 'b', 'ü', '\u{ffff}x', 'm']],
  ['number', 7, numbers, [0, 1e-200, -1e-200, 1e300, -1e300, 0.1, 7]],
  [
    'bytes',
    new Uint8Array([5]),
    bytes,
    [new Uint8Array([]), new Uint8Array([0, 1]), new Uint8Array([255]), new Uint8Array([5])],
  ],
] as const)('sort values of type %s', (sortType, sortValue, sorts, bounds: readonly SortValue[]) => {
  let items: CollectionStore

  beforeAll(async () => {
    items = (await filled(sortType, sortValue, sorts)).items
  })

  test.each(['ascending', 'descending'] as const)('come %s, by pages of one and of many', async (order) => {
    for (const limit of [1, 4, 1_000]) {
      const { found, empty } = await collected(items, pageOf({ sortType, order, limit }))
      expect(found).toEqual(inRange(sorts, { order }))
      expect(empty).toBe(limit === 1 ? 1 : 0) // that of the record
    }
  })

  test('come within any two ends, and nothing else', async () => {
    const ends = [
      undefined,
      ...bounds.flatMap((sort) => [true, false].map((isIncluded): SortBound => ({ sort, isIncluded }))),
    ]
    for (const order of ['ascending', 'descending'] as const) {
      for (const lower of ends) {
        for (const upper of ends) {
          const range = { lower, upper, order }
          const page = await items.page(pageOf({ sortType, ...range }), call)
          expect({ range, found: page.items.map(({ sort }) => sort), next: page.next }).toEqual({
            range,
            found: inRange(sorts, range),
            next: undefined,
          })
        }
      }
    }
  })

  test('go on from page to page between two ends that are left out', async () => {
    const [lower, upper] = [inRange(sorts, {})[1]!, inRange(sorts, {}).at(-2)!].map((sort) => ({
      sort,
      isIncluded: false,
    }))
    for (const order of ['ascending', 'descending'] as const) {
      const range = { lower, upper, order }
      const { found } = await collected(items, pageOf({ sortType, ...range, limit: 2 }))
      expect(found).toEqual(inRange(sorts, range))
    }
  })
})

describe('empty pages with more behind them', () => {
  test.each([
    ['string', 'record', Array.from({ length: 12 }, (_, i) => `item ${String(i).padStart(2, '0')}`)],
    ['number', -1, Array.from({ length: 12 }, (_, i) => i)],
  ] as const)('are gone through: sort values of type %s', async (sortType, sortValue, sorts) => {
    const { items } = await filled(sortType, sortValue, sorts)
    behind.gateway.faults = { emptyPage: 0.5 }
    for (const order of ['ascending', 'descending'] as const) {
      for (const lower of [undefined, { sort: sorts[3]!, isIncluded: false }]) {
        const range = { lower, order, upper: { sort: sorts[10]!, isIncluded: true } }
        const { found, empty } = await collected(items, pageOf({ sortType, ...range, limit: 2 }))
        expect(found).toEqual(inRange(sorts, range))
        expect(empty).toBeGreaterThan(0)
      }
    }
  })

  test('a first page of the record alone moves on', async () => {
    const { items } = await filled('string', 'a', ['b', 'c'])
    expect(await items.page(pageOf({ limit: 1 }), call)).toMatchObject({ items: [], next: 'a' })
    const lower = { sort: 'a', isIncluded: false }
    expect(await items.page(pageOf({ limit: 1, lower }), call)).toMatchObject({ items: [{ sort: 'b' }], next: 'b' })
  })
})

test('pages end at 1 MB, whatever was asked for', async () => {
  const table = await newTable(behind.direct, { sortKey: 'sk' })
  const { collections } = dynamo({ client, table, sortKey: 'sk', sortValue: 'record' })
  const sorts = Array.from({ length: 9 }, (_, i) => `item ${i}`)
  for (const sort of sorts) await collections!.put(put(sort, { body: sort.repeat(50_000) }, 1), call)
  for (const order of ['ascending', 'descending'] as const) {
    const { found, pages } = await collected(collections!, pageOf({ order }))
    expect(found).toEqual(inRange(sorts, { order }))
    expect(pages).toBeGreaterThan(2)
  }
})

test('what a page costs is told, an eventual one half of a strong one', async () => {
  const { items } = await filled('string', 'record', ['a', 'b'])
  expect((await items.page(pageOf(), call)).units).toBe(1)
  expect((await items.page(pageOf({ consistency: 'eventual' }), call)).units).toBe(0.5)
  expect([...behind.gateway.requests]).toEqual([['Query', 2]])
  const [first] = await items.get({ shards: [pageOf().shard], sort: 'a', consistency: 'eventual' }, call)
  expect(first).toMatchObject({ status: 'read', units: 0.5 })
})

test('a range that can hold nothing, and a page of no size, cost no request', async () => {
  const { items } = await filled('number', -1, [1, 2])
  const ranges = [
    { lower: { sort: 2, isIncluded: true }, upper: { sort: 1, isIncluded: true } },
    { lower: { sort: 1, isIncluded: true }, upper: { sort: 1, isIncluded: false } },
    { lower: { sort: 1e200, isIncluded: true } },
  ]
  for (const range of ranges)
    expect(await items.page(pageOf({ sortType: 'number', ...range }), call)).toEqual({ items: [], next: undefined })
  for (const limit of [0, 1_001, NaN])
    await expect(items.page(pageOf({ sortType: 'number', limit }), call)).rejects.toMatchObject({ kind: 'invalid' })
  expect(behind.gateway.requests.size).toBe(0)
})

test('an adopted item whose sort key no double holds is refused by its digits, and no other', async () => {
  const { items, table } = await filled('number', -1, [1, 2])
  const Item = { pk: { S: 'k' }, sk: { N: '12345678901234567891' } }
  await behind.direct.send(new PutItemCommand({ TableName: table, Item }))
  const page = (upper: number) =>
    items.page(pageOf({ sortType: 'number', upper: { sort: upper, isIncluded: true } }), call)
  expect((await page(100)).items).toHaveLength(2)
  await expect(page(1e30)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('12345678901234567891') as string,
  })
})

test('a throttled query is throttled, and says why', async () => {
  const { table } = await filled('string', 'record', ['a'])
  const hasty = behind.client({ maxAttempts: 1 })
  const { collections } = dynamo({ client: hasty, table, sortKey: 'sk', sortValue: 'record' })
  behind.gateway.faults = { throttle: 1, throttleReason: 'TableReadKeyRangeThroughputExceeded' }
  await expect(collections!.page(pageOf(), call)).rejects.toMatchObject({
    kind: 'throttled',
    throttle: { reason: 'TableReadKeyRangeThroughputExceeded', scope: 'key-range' },
  })
})

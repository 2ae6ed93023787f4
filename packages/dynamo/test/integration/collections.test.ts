import { GetItemCommand, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb'
import { placeOf, sum, type CollectionStore, type ItemAnswer, type ItemValue, type SortValue } from '@spillway/core'
import { dynamo } from '@spillway/dynamo'
import { enableTtl } from '@spillway/dynamo/setup'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startBehind, type Behind } from '../fixtures/engine.js'
import { deletion, pageOf, put, secondShard, stampAt } from '../fixtures/items.js'
import { call, change, field, own } from '../fixtures/records.js'
import { newTable } from '../fixtures/tables.js'

const keys = { sortKey: 'sk', sortValue: 'record' }
let behind: Behind
let client: ReturnType<Behind['client']>
let table: string
let items: CollectionStore

beforeAll(async () => {
  behind = await startBehind()
  client = behind.client({ maxAttempts: 3 })
})

beforeEach(async () => {
  table = await newTable(behind.direct, keys)
  items = collectionsIn(table)
  behind.gateway.requests.clear()
})

afterEach(() => {
  behind.gateway.faults = {}
  behind.gateway.plan.length = 0
})

afterAll(() => behind.close())

function collectionsIn(of: string, more: object = {}): CollectionStore {
  const { collections } = dynamo({ client, table: of, ...keys, ...more })
  if (collections === undefined) throw new Error('expected collections')
  return collections
}

const Key = { pk: { S: 'k' }, sk: { S: 'a' } }

async function storedAt(sort = 'a'): Promise<Record<string, AttributeValue> | undefined> {
  const key = { ...Key, sk: { S: sort } }
  return (await behind.direct.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item
}

async function place(attributes: Record<string, AttributeValue>): Promise<void> {
  await behind.direct.send(new PutItemCommand({ TableName: table, Item: { ...Key, ...attributes } }))
}

async function valueAt(sort: SortValue): Promise<ItemValue | undefined> {
  const [answer] = await items.get({ shards: [own('k')], sort, consistency: 'strong' }, call)
  return (answer as { item?: { value?: ItemValue } }).item?.value
}

test('a table without a sort key holds no collections', () => {
  expect(dynamo({ client, table: 't' }).collections).toBeUndefined()
})

test.each([
  ['x', 'string'],
  [7, 'number'],
  [new Uint8Array([1]), 'bytes'],
] as const)('a table whose records stand at %o orders items by sort values of type %s', async (sortValue, type) => {
  const store = collectionsIn('t', { sortValue })
  expect(store.limits.sortTypes).toEqual([type])
  const other = type === 'number' ? 'text' : 5
  const expected = { kind: 'invalid', message: expect.stringContaining(`of type ${type}`) as string }
  await expect(store.put(put(other, {}, 1), call)).rejects.toMatchObject(expected)
  await expect(store.delete(deletion(other, 'remove', 1), call)).rejects.toMatchObject(expected)
  await expect(store.page(pageOf({ lower: { sort: other, isIncluded: true } }), call)).rejects.toMatchObject(expected)
  await expect(store.get({ shards: [own('k')], sort: other, consistency: 'strong' }, call)).rejects.toMatchObject(
    expected,
  )
})

describe('an item', () => {
  test('stands under the key and its sort value, each property an attribute', async () => {
    expect(
      await items.put(put('a', { actor: 'ann', at: 5, tags: ['x', null, true], of: { n: 0.1 } }, 1), call),
    ).toEqual({
      status: 'done',
      units: 1,
      throttles: undefined,
    })
    expect(await storedAt()).toEqual({
      ...Key,
      actor: { S: 'ann' },
      at: { N: '5' },
      tags: { L: [{ S: 'x' }, { NULL: true }, { BOOL: true }] },
      of: { M: { n: { N: '0.1' } } },
      '~s': { S: expect.any(String) as string },
    })
    expect([...behind.gateway.requests]).toEqual([['PutItem', 1]])
  })

  test('whose properties are named as what the table and Spillway need comes back the same', async () => {
    const value = JSON.parse(
      '{"pk":1,"sk":{"pk":2},"~s":"a","~t":true,"~f":0,"~fpk":3,"":4,"__proto__":{"__proto__":[],"":1,"~f":2,"~s":3}}',
    ) as ItemValue
    await items.put(put('a', value, 1), call)
    const found = (await valueAt('a')) ?? {}
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(value).toSorted())
    for (const [name, part] of Object.entries(value)) expect(JSON.stringify(found[name])).toBe(JSON.stringify(part))
    const page = await items.page(pageOf(), call)
    expect(page.items).toMatchObject([{ sort: 'a', stamp: stampAt(1) }])
  })

  test('in another shard stands at that place', async () => {
    await items.put(put('a', { n: 1 }, 1, secondShard), call)
    expect(await storedAt()).toBeUndefined()
    const asked = { shards: [own('k'), secondShard], sort: 'a', consistency: 'strong' } as const
    behind.gateway.requests.clear()
    expect(await items.get(asked, call)).toMatchObject([
      { status: 'read', item: undefined },
      { status: 'read', item: { sort: 'a', stamp: stampAt(1), value: { n: 1 } } },
    ])
    expect([...behind.gateway.requests]).toEqual([['BatchGetItem', 1]])
    behind.gateway.faults = { leaveOut: 0.5 }
    const failures = new Set<string>()
    const { collections: hasty } = dynamo({ client: behind.client({ maxAttempts: 1 }), table, ...keys })
    while (failures.size < 2) {
      const answers = await hasty!.get(asked, call).catch((): readonly ItemAnswer[] => [])
      for (const [i, answer] of answers.entries())
        if (answer.status === 'failed') failures.add(`${i} ${(answer.error as { kind: string }).kind}`)
    }
    expect([...failures].toSorted()).toEqual(['0 throttled', '1 throttled'])
  })

  test('of nearly 400 KB is kept, and a larger one refused as invalid', async () => {
    const text = 'x'.repeat(399 * 1_024)
    await items.put(put('a', { text }, 1), call)
    expect(await valueAt('a')).toEqual({ text })
    const refused = items.put(put('a', { text: 'x'.repeat(400 * 1_024) }, 2), call)
    await expect(refused).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('size') as string })
    expect((await items.page(pageOf(), call)).items).toMatchObject([{ stamp: stampAt(1) }])
  })

  test('nested as deep as may be comes back', async () => {
    let value: ItemValue = { end: [] }
    for (let depth = 3; depth <= 30; depth++) value = { in: value }
    await items.put(put('a', value, 1), call)
    expect(await valueAt('a')).toEqual(value)
  })

  test.each([1e126, -1e300, 1e-131, 5e-324])('with the number %d is refused, and it is told where', async (number) => {
    const refused = items.put(put('a', { list: [0, { deep: number }] }, 1), call)
    const message = expect.stringContaining(`item.list[1].deep was given ${number}`) as string
    await expect(refused).rejects.toMatchObject({ kind: 'invalid', message })
    expect(behind.gateway.requests.size).toBe(0)
  })

  test('does not stand where the records do, nor under an empty sort value', async () => {
    const views = field('views', sum())
    const { records } = dynamo({ client, table, ...keys })
    await records.write({ shard: own('k'), changes: [change(views, 5)], stamp: undefined }, call)
    behind.gateway.requests.clear()
    for (const sort of ['record', '']) {
      const expected = { kind: 'invalid', message: expect.stringContaining(sort || 'not empty') as string }
      await expect(items.put(put(sort, {}, 1), call)).rejects.toMatchObject(expected)
      for (const mode of ['tombstone', 'remove'] as const)
        await expect(items.delete(deletion(sort, mode, 1), call)).rejects.toMatchObject(expected)
      expect(await items.append?.({ items: [put(sort, {}, 1)] }, call)).toMatchObject([
        { status: 'failed', error: expected },
      ])
      expect(await valueAt(sort)).toBeUndefined()
    }
    expect(behind.gateway.requests.size).toBe(0)
    await items.put(put('a', { n: 1 }, 1), call)
    expect((await items.page(pageOf(), call)).items).toMatchObject([{ sort: 'a' }])
    const contents = await records.read({ shards: [own('k')], fields: [views], consistency: 'strong' }, call)
    expect(contents).toMatchObject([{ states: [5] }])
  })
})

describe('an item that was there before', () => {
  const before: Record<string, AttributeValue> = {
    actor: { S: 'ann' },
    at: { N: '12345678901234567890123456789.5' },
    sizes: { NS: ['1', '2.50'] },
    tags: { SS: ['x', 'y'] },
    body: { B: new Uint8Array([1, 2, 255]) },
    parts: { BS: [new Uint8Array([0])] },
    '~x': { M: { deep: { B: new Uint8Array([7]) } } },
    none: { NULL: true },
  }
  const value = {
    actor: 'ann',
    at: '12345678901234567890123456789.5',
    sizes: [1, 2.5],
    tags: ['x', 'y'],
    body: 'AQL/',
    parts: ['AA=='],
    '~x': { deep: 'Bw==' },
    none: null,
  }

  test('is read without a stamp, whatever is in it, and gives way to the first put', async () => {
    await place(before)
    expect((await items.page(pageOf(), call)).items).toEqual([{ sort: 'a', stamp: undefined, value }])
    expect(await items.put(put('a', { ...value }, 1), call)).toMatchObject({ status: 'done' })
    expect(await valueAt('a')).toEqual(value)
    expect(await storedAt()).toMatchObject({ body: { S: 'AQL/' }, tags: { L: [{ S: 'x' }, { S: 'y' }] } })
  })

  test.each(['tombstone', 'remove'] as const)('gives way to a deletion: %s', async (mode) => {
    await place(before)
    expect(await items.delete(deletion('a', mode, 1), call)).toMatchObject({ status: 'done' })
    expect(await valueAt('a')).toBeUndefined()
  })

  test.each([{ N: '1' }, { S: 'mine' }])('with %o for a stamp is refused by name', async (stamp) => {
    await place({ '~s': stamp })
    const refused = { kind: 'invalid', message: expect.stringContaining('"~s" is Spillway') as string }
    await expect(items.put(put('a', {}, 1), call).then(() => valueAt('a'))).rejects.toMatchObject(refused)
    await expect(items.page(pageOf(), call)).rejects.toMatchObject(refused)
  })

  test('with a mark of tombstones and no stamp is refused by name, and not taken for deleted', async () => {
    await place({ '~t': { S: 'tuesday' } })
    const refused = { kind: 'invalid', message: expect.stringContaining('"~t" is Spillway') as string }
    await expect(valueAt('a')).rejects.toMatchObject(refused)
    await expect(items.page(pageOf(), call)).rejects.toMatchObject(refused)
  })
})

describe('of two versions the newer one stays', () => {
  test.each([
    ['with the item in the error', true],
    ['without it', false],
  ])('and is told, %s', async (_, sendsItem) => {
    const other = await startBehind({ sendsItem })
    try {
      const name = await newTable(other.direct, keys)
      const { collections: store } = dynamo({ client: other.client(), table: name, ...keys })
      await store?.put(put('a', { n: 2 }, 2), call)
      other.gateway.requests.clear()
      const newer = { status: 'newer', stamp: stampAt(2) }
      expect(await store?.put(put('a', { n: 1 }, 1), call)).toMatchObject(newer)
      expect(await store?.delete(deletion('a', 'tombstone', 1), call)).toMatchObject(newer)
      expect(await store?.delete(deletion('a', 'remove', 1), call)).toMatchObject(newer)
      expect(other.gateway.requests.get('GetItem') ?? 0).toBe(sendsItem ? 0 : 3)
      const [first] = (await store?.page(pageOf(), call))?.items ?? []
      expect(first).toEqual({ sort: 'a', stamp: stampAt(2), value: { n: 2 } })
    } finally {
      await other.close()
    }
  })

  test('a tombstone, too, until it is outdone', async () => {
    await items.delete(deletion('a', 'tombstone', 5), call)
    expect(await items.put(put('a', { n: 4 }, 4), call)).toMatchObject({ status: 'newer', stamp: stampAt(5) })
    expect((await items.page(pageOf(), call)).items).toEqual([{ sort: 'a', stamp: stampAt(5), value: undefined }])
    expect(await items.delete(deletion('a', 'remove', 4), call)).toMatchObject({ status: 'newer', stamp: stampAt(5) })
    expect(await storedAt()).toBeDefined()
    expect(await items.put(put('a', { n: 6 }, 6), call)).toMatchObject({ status: 'done' })
    expect(await valueAt('a')).toEqual({ n: 6 })
  })

  test('a put and a removal may come twice', async () => {
    for (let i = 0; i < 2; i++) expect(await items.put(put('a', { n: 1 }, 1), call)).toMatchObject({ status: 'done' })
    expect(await valueAt('a')).toEqual({ n: 1 })
    for (let i = 0; i < 2; i++) {
      expect(await items.delete(deletion('a', 'remove', 1), call)).toMatchObject({ status: 'done' })
      expect(await storedAt()).toBeUndefined()
    }
  })

  test('among rivals, whatever the order in which they arrive', async () => {
    const numbers = Array.from({ length: 24 }, (_, i) => ((i * 7) % 24) + 1)
    const answers = await Promise.all(numbers.map((n) => items.put(put('a', { n }, n), call)))
    expect(await valueAt('a')).toEqual({ n: 24 })
    const beaten = answers.filter(
      (answer, i) => answer.status === 'newer' && !(answer.stamp.timeMs > stampAt(numbers[i]!).timeMs),
    )
    expect(beaten).toEqual([])
    expect(answers[numbers.indexOf(24)]?.status).toBe('done')
  })
})

describe('when the answer of a put is lost', () => {
  test('the SDK sends it again, and it is done', async () => {
    behind.gateway.plan.push({ errsAfter: true }, { resetsAfter: true })
    expect(await items.put(put('a', { n: 1 }, 1), call)).toMatchObject({ status: 'done' })
    expect(behind.gateway.requests.get('PutItem')).toBe(3)
    expect(await valueAt('a')).toEqual({ n: 1 })
  })

  test('a failure afterwards says «unknown», also when the last copy was throttled', async () => {
    behind.gateway.plan.push({ errsAfter: true }, { isThrottled: true }, { isThrottled: true })
    const failing = items.put(put('a', { n: 1 }, 1), call)
    await expect(failing).rejects.toMatchObject({ kind: 'unknown', throttles: [{}, {}] })
    expect(await valueAt('a')).toEqual({ n: 1 })
  })

  test('and something newer has come since, that is told', async () => {
    await items.put(put('a', { n: 9 }, 9), call)
    behind.gateway.plan.push({ errsAfter: true })
    expect(await items.put(put('a', { n: 1 }, 1), call)).toMatchObject({ status: 'newer', stamp: stampAt(9) })
  })

  test('throttles that the SDK repeated are told with the answer', async () => {
    behind.gateway.plan.push({ isThrottled: true })
    const throttles = [{ reason: 'TableWriteKeyRangeThroughputExceeded', scope: 'key-range' }]
    expect(await items.put(put('a', {}, 1), call)).toMatchObject({ status: 'done', throttles })
    behind.gateway.plan.push({ isThrottled: true })
    expect((await items.page(pageOf(), call)).throttles).toHaveLength(1)
    behind.gateway.plan.push({ isThrottled: true })
    expect((await items.delete(deletion('a', 'remove', 1), call)).throttles).toHaveLength(1)
  })
})

describe('with a TTL attribute', () => {
  beforeEach(async () => {
    await enableTtl({ client, table, ttlAttribute: 'ttl' })
    items = collectionsIn(table, { ttlAttribute: 'ttl' })
  })

  test('a tombstone goes once its retention is over, and no sooner', async () => {
    const beganS = Date.now() / 1_000
    await items.delete(deletion('a', 'tombstone', 1, 3_600_000), call)
    const dueS = Number((await storedAt())?.['ttl']?.N)
    expect(dueS).toBeGreaterThanOrEqual(beganS + 3_600)
    expect(dueS).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000 + 3_600))
    expect(await behind.gateway.expire(dueS - 1)).toBe(0)
    expect(await behind.gateway.expire(dueS)).toBe(1)
    expect(await storedAt()).toBeUndefined()
  })

  test('a put over a tombstone takes the expiry out with it', async () => {
    await items.delete(deletion('a', 'tombstone', 1, 1_000), call)
    await items.put(put('a', { n: 1 }, 2), call)
    expect(Object.keys((await storedAt()) ?? {}).toSorted()).toEqual(['n', 'pk', 'sk', '~s'])
  })

  test('an item’s own property of that name is its expiry, and comes back', async () => {
    await place({ ttl: { N: '200' } })
    expect(await valueAt('a')).toEqual({ ttl: 200 })
    await items.put(put('a', { ttl: 300, n: 1 }, 1), call)
    await items.put(put('b', { ttl: 'never' }, 1), call)
    expect(await storedAt()).toMatchObject({ ttl: { N: '300' } })
    expect(await behind.gateway.expire(299)).toBe(0)
    expect(await behind.gateway.expire(300)).toBe(1)
    expect((await items.page(pageOf(), call)).items).toMatchObject([{ sort: 'b', value: { ttl: 'never' } }])
  })

  test('without one a tombstone stays', async () => {
    await collectionsIn(table).delete(deletion('a', 'tombstone', 1, 1), call)
    expect(Object.keys((await storedAt()) ?? {}).toSorted()).toEqual(['pk', 'sk', '~s', '~t'])
  })
})

test('a key may hold a record and a collection, and the place of a shard is its own', async () => {
  expect(placeOf(secondShard)).toBe('k~spillway~1.7.00c0ffee')
  await items.put(put('a', { n: 1 }, 1), call)
  await items.put(put('a', { n: 2 }, 1, secondShard), call)
  expect((await items.page(pageOf(), call)).items).toMatchObject([{ value: { n: 1 } }])
  expect((await items.page(pageOf({ shard: secondShard }), call)).items).toMatchObject([{ value: { n: 2 } }])
})

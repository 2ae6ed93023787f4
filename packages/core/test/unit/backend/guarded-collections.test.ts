import { describe, expect, test } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import type { BackendError } from '../../../src/backend/backend-error.js'
import type { CollectionStore, StoredItem } from '../../../src/backend/collection-store.js'
import { guardBackend } from '../../../src/backend/guarded-backend.js'
import { memory } from '../../../src/backend/memory-backend.js'
import type { SortBound } from '../../../src/item/sort-bound.js'
import { refusalOf, refusalsOf } from '../../doubles/refusal.js'
import { append, collectionsOf, deletionOf, get, itemStamp, page, pageOf, put, putOf } from './items.js'
import { call, ownShard, shardOf } from './requests.js'

const key = ownShard('k')

/** A guarded backend of which some requests are answered by the test. */
function answering(answers: Partial<Record<keyof CollectionStore, unknown>>): Backend {
  const inner = memory()
  const collections = collectionsOf(inner)
  for (const [name, answer] of Object.entries(answers))
    Object.assign(collections, { [name]: () => Promise.resolve(answer) })
  return guardBackend(inner)
}

function itemAt(sort: string, part: object = {}): StoredItem {
  return { sort, stamp: itemStamp(1), value: { n: 1 }, ...part }
}

/** The kind of failure of a request; «answered» when it did not fail. */
async function kindOf(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'answered',
    (error: unknown) => (error as BackendError).kind,
  )
}

test('a backend without collections is guarded without them, one without append has no append', () => {
  expect(guardBackend({ ...memory(), collections: undefined }).collections).toBeUndefined()
  const collections = Object.assign(collectionsOf(memory()), { append: undefined })
  expect(guardBackend({ ...memory(), collections }).collections).not.toHaveProperty('append')
})

test('what is answered as the contract says is handed on', async () => {
  const backend = guardBackend(memory())
  expect(await put(backend, key, 'a')).toMatchObject({ status: 'done' })
  expect(await put(backend, key, 'a', { n: 0 }, itemStamp(0))).toMatchObject({ status: 'newer', stamp: itemStamp(1) })
  expect(await append(backend, [putOf(key, 'b')])).toMatchObject([{ status: 'done' }])
  await collectionsOf(backend).delete(deletionOf(key, 'c'), call)
  expect(await get(backend, [key, shardOf('k', 1)], 'a')).toMatchObject([{ status: 'read' }, { item: undefined }])
  expect(await page(backend, key, { order: 'descending', limit: 2 })).toMatchObject({
    items: [{ sort: 'c', value: undefined }, { sort: 'b' }],
    next: 'b',
  })
})

test.each(['put', 'delete', 'get', 'page', 'append'] as const)(
  'a %s that throws, or rejects with something else, fails with a BackendError',
  async (name) => {
    for (const fail of [
      () => {
        throw new Error('thrown')
      },
      () => Promise.reject(new Error('rejected')),
    ]) {
      const inner = memory()
      Object.assign(collectionsOf(inner), { [name]: fail })
      const backend = guardBackend(inner)
      const requests = {
        put: () => put(backend, key, 'a'),
        delete: () => collectionsOf(backend).delete(deletionOf(key, 'a'), call),
        get: () => get(backend, [key], 'a'),
        page: () => page(backend, key),
        append: () => append(backend, [putOf(key, 'a')]),
      }
      await expect(requests[name]()).rejects.toMatchObject({ code: 'BACKEND', kind: 'unknown' })
    }
  },
)

test.each([
  ['nothing', undefined],
  ['another status', { status: 'ok' }],
  ['newer without a stamp', { status: 'newer' }],
  ['newer with half a stamp', { status: 'newer', stamp: { timeMs: 1, order: 0 } }],
])('a write that is answered with %s may be in', async (_, answer) => {
  const backend = answering({ put: answer, delete: answer })
  expect(await kindOf(put(backend, key, 'a'))).toBe('unknown')
  expect(await kindOf(collectionsOf(backend).delete(deletionOf(key, 'a'), call))).toBe('unknown')
})

test.each([
  ['nothing', undefined],
  ['one answer for two items', [{ status: 'done' }]],
  ['another status', [{ status: 'done' }, { status: 'newer', stamp: itemStamp(1) }]],
  ['a hole', [{ status: 'done' }, undefined]],
])('an append that is answered with %s may be in', async (_, answer) => {
  expect(await kindOf(append(answering({ append: answer }), [putOf(key, 'a'), putOf(key, 'b')]))).toBe('unknown')
})

test.each([
  ['nothing', undefined],
  ['one answer for two shards', [{ status: 'read', item: undefined }]],
  ['a hole', [{ status: 'read', item: undefined }, undefined]],
  ['another status', [{ status: 'read', item: undefined }, { status: 'done' }]],
  [
    'no sort value',
    [
      { status: 'read', item: undefined },
      { status: 'read', item: itemAt('a', { sort: undefined }) },
    ],
  ],
  ['half a stamp', [{ status: 'read', item: itemAt('a', { stamp: { timeMs: 1 } }) }, { status: 'failed' }]],
  ['a text for an item', [{ status: 'read', item: itemAt('a', { value: '{}' }) }, { status: 'failed' }]],
  ['null for an item', [{ status: 'read', item: null }, { status: 'failed' }]],
])('a get that is answered with %s is none', async (_, answer) => {
  expect(await kindOf(get(answering({ get: answer }), [key, shardOf('k', 1)], 'a'))).toBe('unavailable')
})

function end(sort: string, isIncluded: boolean): SortBound {
  return { sort, isIncluded }
}

describe('pages', () => {
  test.each([
    ['nothing', undefined, {}],
    ['no items', { next: undefined }, {}],
    ['an item without a sort value', { items: [itemAt('a', { sort: undefined })] }, {}],
    ['two items in the wrong order', { items: [itemAt('b'), itemAt('a')] }, {}],
    ['one item twice', { items: [itemAt('a'), itemAt('a')] }, {}],
    ['ascending where descending was asked for', { items: [itemAt('a'), itemAt('b')] }, { order: 'descending' }],
    ['the value behind which it was to begin', { items: [itemAt('a')] }, { lower: end('a', false) }],
    [
      'the same, descending',
      { items: [itemAt('b')] },
      { order: 'descending', upper: end('b', false), lower: end('a', true) },
    ],
    ['a value before its beginning', { items: [itemAt('a')] }, { lower: end('b', true) }],
    ['a value behind its end', { items: [itemAt('a'), itemAt('c')] }, { upper: end('b', true) }],
    ['the value before which it was to end', { items: [itemAt('a'), itemAt('b')] }, { upper: end('b', false) }],
    [
      'a value behind its end, descending',
      { items: [itemAt('c'), itemAt('a')] },
      { order: 'descending', lower: end('b', true) },
    ],
    ['sort values of another type', { items: [itemAt('a')] }, { sortType: 'number' }],
    ['texts for bytes', { items: [itemAt('a')] }, { sortType: 'bytes' }],
    ['null for a sort value', { items: [itemAt('a', { sort: null })] }, {}],
    ['no number for a sort value', { items: [itemAt('a', { sort: NaN })] }, { sortType: 'number' }],
    ['a next value of another type', { items: [itemAt('a')], next: 1 }, {}],
    ['no items, and a next value of another type', { items: [], next: 1 }, {}],
    [
      'no items, and a next value before what it was to begin with',
      { items: [], next: 'a' },
      { lower: end('b', true) },
    ],
    ['a next value before its items', { items: [itemAt('b')], next: 'a' }, {}],
    ['no items, and a next value before its beginning', { items: [], next: 'a' }, { lower: end('b', false) }],
    ['no items, and a next value where it began', { items: [], next: 'b' }, { lower: end('b', false) }],
  ] as const)('a page that is answered with %s is none', async (_, answer, part) => {
    expect(await kindOf(page(answering({ page: answer }), key, part))).toBe('unavailable')
  })

  test.each([
    ['its last item', { items: [itemAt('a'), itemAt('b')], next: 'b' }, {}],
    ['a value behind its items', { items: [itemAt('a')], next: 'c' }, {}],
    ['no items, and a value behind its beginning', { items: [], next: 'c' }, { lower: end('b', false) }],
    ['the value that it was to begin with', { items: [], next: 'b' }, { lower: end('b', true) }],
    [
      'the values that it was to begin and to end with',
      { items: [itemAt('a'), itemAt('b')], next: 'b' },
      { lower: end('a', true), upper: end('b', true) },
    ],
    [
      'numbers',
      { items: [itemAt('', { sort: 9 }), itemAt('', { sort: 10 })], next: 10 },
      { sortType: 'number', upper: { sort: 10, isIncluded: true } },
    ],
    ['bytes', { items: [itemAt('', { sort: Uint8Array.of(1) })], next: Uint8Array.of(1) }, { sortType: 'bytes' }],
    ['a value before its items, descending', { items: [itemAt('c')], next: 'a' }, { order: 'descending' }],
  ] as const)('a page may go on behind %s', async (_, answer, part) => {
    expect(await page(answering({ page: answer }), key, part)).toEqual(answer)
  })
})

/** Guards a backend whose collections have these parts instead of their own. */
function guarded(part: object | null): Backend {
  const inner = collectionsOf(memory())
  const collections: CollectionStore = {
    limits: inner.limits,
    put: (given, at) => inner.put(given, at),
    delete: (given, at) => inner.delete(given, at),
    get: (given, at) => inner.get(given, at),
    page: (given, at) => inner.page(given, at),
  }
  return guardBackend({ ...memory(), collections: part && { ...collections, ...part } } as Backend)
}

test('what somebody gives as collections is checked part by part', async () => {
  const limits = collectionsOf(memory()).limits
  const withLimit = (part: object) => ({ limits: { ...limits, ...part } })
  const cases: Record<string, object | null> = {
    'no collections': null,
    'no put': { put: undefined },
    'no page': { page: 'page' },
    'an append that is none': { append: true },
    'no limits': { limits: undefined },
    'limits of null': { limits: null },
    'no longest sort value': withLimit({ sortBytesMax: undefined }),
    'no page at all': withLimit({ itemsPerPageMax: 0 }),
    'an item of NaN': withLimit({ itemBytesMax: NaN }),
    'no append at all': withLimit({ itemsPerAppendMax: 0 }),
    'no types': withLimit({ sortTypes: [] }),
    'a type that there is not': withLimit({ sortTypes: ['string', 'date'] }),
  }
  expect(await refusalsOf(cases, guarded)).toMatchInlineSnapshot(`
    {
      "a type that there is not": "INVALID_ARGUMENT: backend.collections.limits.sortTypes must be string, number, bytes, but was an array of 2.",
      "an append that is none": "INVALID_ARGUMENT: backend.collections.append must be a function, but was true.",
      "an item of NaN": "INVALID_ARGUMENT: backend.collections.limits.itemBytesMax must be a number of at least 1, but was NaN.",
      "limits of null": "INVALID_ARGUMENT: backend.collections.limits must be the limits of the store, but was null.",
      "no append at all": "INVALID_ARGUMENT: backend.collections.limits.itemsPerAppendMax must be a number of at least 1, but was 0.",
      "no collections": "INVALID_ARGUMENT: backend.collections must be a CollectionStore, or undefined, but was null.",
      "no limits": "INVALID_ARGUMENT: backend.collections.limits must be the limits of the store, but was undefined.",
      "no longest sort value": "INVALID_ARGUMENT: backend.collections.limits.sortBytesMax must be a number of at least 1, but was undefined.",
      "no page": "INVALID_ARGUMENT: backend.collections.page must be a function, but was "page".",
      "no page at all": "INVALID_ARGUMENT: backend.collections.limits.itemsPerPageMax must be a number of at least 1, but was 0.",
      "no put": "INVALID_ARGUMENT: backend.collections.put must be a function, but was undefined.",
      "no types": "INVALID_ARGUMENT: backend.collections.limits.sortTypes must be string, number, bytes, but was an empty array.",
    }
  `)
  expect(await refusalOf(() => guarded({}))).toBe('accepted')
})

test('a request that cannot be served at all is refused by the reference', async () => {
  const backend = memory()
  const refused = { code: 'BACKEND', kind: 'invalid' }
  await expect(get(backend, [], 'a')).rejects.toMatchObject(refused)
  await expect(page(backend, key, { limit: 0 })).rejects.toMatchObject(refused)
  await expect(append(backend, [])).rejects.toMatchObject(refused)
  await put(backend, key, 'a')
  await expect(put(backend, key, 1)).rejects.toThrow('The key has items with sort values of type string')
  await expect(get(backend, [key], Uint8Array.of(97))).rejects.toMatchObject(refused)
  const lower = { sort: 1, isIncluded: true }
  await expect(collectionsOf(backend).page(pageOf(key, { lower }), call)).rejects.toMatchObject(refused)
  await expect(page(backend, key, { sortType: 'number' })).rejects.toMatchObject(refused)
})

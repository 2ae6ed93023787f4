import { expect, test } from 'vitest'
import { sum } from '../../../src/index.js'
import { opened } from '../../doubles/opened.js'
import { refusalOf, refusalsOf } from '../../doubles/refusal.js'

const keys = {
  'no key': undefined,
  'an empty key': '',
  'a key that is a number': 5,
  'a key that is an object': {},
  'a key with a lone surrogate': 'a\udc00',
  'a key with the reserved mark': 'a~spillway~1.b.00000000',
  'a key of 2,009 bytes': 'x'.repeat(2_009),
  'a key of 2,010 bytes in 670 characters': '€'.repeat(670),
}

test('a key is refused in a write and in a read alike', async () => {
  const { client, backend } = await opened()
  const posts = client.records('post', { views: sum() })
  const before = backend.requestCount
  const written = await refusalsOf(keys, (key) => posts.write(key as string, { views: 1 }))
  const readings = [{}, { pending: true }, { allowPartial: true }, { signal: new AbortController().signal }]
  expect(await refusalsOf(keys, (key) => posts.read(key as string))).toEqual(written)
  for (const options of readings)
    expect(await refusalsOf(keys, (key) => posts.read(key as string, options as object))).toEqual(written)
  expect(backend.requestCount).toBe(before)
  expect(written).toMatchInlineSnapshot(`
    {
      "a key of 2,009 bytes": "INVALID_ARGUMENT: key must be at most 2008 bytes of UTF-8, but was "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"… (2009 characters). It takes 2009.",
      "a key of 2,010 bytes in 670 characters": "INVALID_ARGUMENT: key must be at most 2008 bytes of UTF-8, but was "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"… (670 characters). It takes 2010.",
      "a key that is a number": "INVALID_ARGUMENT: key must be a string of at least one character, but was 5.",
      "a key that is an object": "INVALID_ARGUMENT: key must be a string of at least one character, but was an object.",
      "a key with a lone surrogate": "INVALID_ARGUMENT: key must be a well-formed string, but was "a\\udc00". A lone surrogate cannot be stored as UTF-8.",
      "a key with the reserved mark": "INVALID_ARGUMENT: key must be a string without "~spillway~", which marks the places of shards, but was "a~spillway~1.b.00000000".",
      "an empty key": "INVALID_ARGUMENT: key must be a string of at least one character, but was "".",
      "no key": "INVALID_ARGUMENT: key must be a string of at least one character, but was undefined.",
    }
  `)
})

test('a key may be as long as the backend says, less the prefix', async () => {
  const { client } = await opened()
  const posts = client.records('post', { views: sum() })
  expect(await refusalOf(() => posts.write('x'.repeat(2_008), { views: 1 }))).toBe('accepted')
  expect(await refusalOf(() => posts.read('€'.repeat(669)))).toBe('accepted')
  const pages = client.records('page', { views: sum() }, { prefix: 'päge/' })
  expect(await refusalOf(() => pages.write('x'.repeat(2_002), { views: 1 }))).toBe('accepted')
  expect(await refusalOf(() => pages.write('x'.repeat(2_003), { views: 1 }))).toMatch(
    /^INVALID_ARGUMENT: key must be at most 2002 bytes/,
  )
})

test('a prefix and a key may not make up the reserved mark together', async () => {
  const { client, backend } = await opened()
  const pages = client.records('page', { views: sum() }, { prefix: 'a~spill' })
  const before = backend.requestCount
  expect(await refusalOf(() => pages.write('way~1', { views: 1 }))).toMatch(/^INVALID_ARGUMENT/)
  expect(await refusalOf(() => pages.read('way~1'))).toMatch(/^INVALID_ARGUMENT/)
  expect(backend.requestCount).toBe(before)
})

test('options of a write are checked before the change is taken', async () => {
  const { client, backend } = await opened()
  const posts = client.records('post', { views: sum() })
  const before = backend.requestCount
  const cases: Record<string, unknown> = {
    null: null,
    'a string': 'buffered',
    'an unknown option': { acks: 'buffered' },
    'an option of reads': { pending: true },
    'an unknown ack': { ack: 'never' },
    'a signal that is none': { signal: new AbortController() },
  }
  expect(await refusalsOf(cases, (options) => posts.write('k', { views: 1 }, options as object)))
    .toMatchInlineSnapshot(`
    {
      "a signal that is none": "INVALID_ARGUMENT: options.signal must be an AbortSignal, but was an instance of AbortController.",
      "a string": "INVALID_ARGUMENT: options must be an object with signal, ack, but was "buffered".",
      "an option of reads": "INVALID_ARGUMENT: options must be made of signal, ack, but was "pending".",
      "an unknown ack": "INVALID_ARGUMENT: options.ack must be 'written' or 'buffered', but was "never".",
      "an unknown option": "INVALID_ARGUMENT: options must be made of signal, ack, but was "acks".",
      "null": "INVALID_ARGUMENT: options must be an object with signal, ack, but was null.",
    }
  `)
  expect(backend.requestCount).toBe(before)
})

test('options of a read are checked before anything is sent', async () => {
  const { client, backend } = await opened()
  const posts = client.records('post', { views: sum() })
  const before = backend.requestCount
  const cases: Record<string, unknown> = {
    null: null,
    'a boolean': true,
    'an unknown option': { partial: true },
    'an option of writes': { ack: 'written' },
    'pending that is no boolean': { pending: 1 },
    'allowPartial that is no boolean': { allowPartial: 'yes' },
    'a signal that is none': { signal: {} },
  }
  expect(await refusalsOf(cases, (options) => posts.read('k', options as object))).toMatchInlineSnapshot(`
    {
      "a boolean": "INVALID_ARGUMENT: options must be an object with signal, pending, allowPartial, but was true.",
      "a signal that is none": "INVALID_ARGUMENT: options.signal must be an AbortSignal, but was an object.",
      "allowPartial that is no boolean": "INVALID_ARGUMENT: options.allowPartial must be a boolean, but was "yes".",
      "an option of writes": "INVALID_ARGUMENT: options must be made of signal, pending, allowPartial, but was "ack".",
      "an unknown option": "INVALID_ARGUMENT: options must be made of signal, pending, allowPartial, but was "partial".",
      "null": "INVALID_ARGUMENT: options must be an object with signal, pending, allowPartial, but was null.",
      "pending that is no boolean": "INVALID_ARGUMENT: options.pending must be a boolean, but was 1.",
    }
  `)
  expect(backend.requestCount).toBe(before)
})

test('a closed client takes nothing more', async () => {
  const { client, backend } = await opened()
  const posts = client.records('post', { views: sum() })
  await client.close()
  const before = backend.requestCount
  const cases = {
    'records()': () => client.records('page', { likes: sum() }),
    'records() of a known name': () => client.records('post', { views: sum() }),
    'write()': () => posts.write('k', { views: 1 }),
    'write() that nobody waits for': () => posts.write('k', { views: 1 }, { ack: 'buffered' }),
    'read()': () => posts.read('k'),
    'read() of what is pending': () => posts.read('k', { pending: true }),
  }
  expect(await refusalsOf<() => unknown>(cases, (call) => call())).toMatchInlineSnapshot(`
    {
      "read()": "CLOSED: read() was called on a closed client. Nothing was sent; create a new client with createClient().",
      "read() of what is pending": "CLOSED: read() was called on a closed client. Nothing was sent; create a new client with createClient().",
      "records()": "CLOSED: records() was called on a closed client. Nothing was sent; create a new client with createClient().",
      "records() of a known name": "CLOSED: records() was called on a closed client. Nothing was sent; create a new client with createClient().",
      "write()": "CLOSED: write() was called on a closed client. Nothing was sent; create a new client with createClient().",
      "write() that nobody waits for": "CLOSED: write() was called on a closed client. Nothing was sent; create a new client with createClient().",
    }
  `)
  expect(backend.requestCount).toBe(before)
  expect(client.hotKeys()).toEqual([])
  expect(await client.flush()).toEqual({ failures: [], failureCount: 0 })
})

test('errors tell what they are about by fields, not by their messages', async () => {
  const { client } = await opened({ collapse: { windowMs: 5 } })
  const posts = client.records('post', { views: sum() })
  await expect(posts.write('', { views: 1 })).rejects.toMatchObject({
    name: 'InvalidArgumentError',
    code: 'INVALID_ARGUMENT',
    argument: 'key',
    expected: 'a string of at least one character',
    retryable: false,
    stage: 'admission',
  })
})

test('long values are shown in part', async () => {
  const { client } = await opened()
  const posts = client.records('post', { views: sum() })
  expect(await refusalOf(() => posts.write('k', { views: 'x'.repeat(100) as never }))).toMatchInlineSnapshot(
    `"INVALID_ARGUMENT: change["views"] must be a safe integer, but was "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"… (100 characters)."`,
  )
})

import { describe, expect, it } from 'vitest'

import { createClient, memory } from '../../../src/index.js'
import type { HeldItems } from '../../doubles/held-items.js'
import { opened } from '../../doubles/opened.js'

interface Item {
  readonly n: number
}

async function world() {
  const { client, backend } = await opened()
  return { client, items: client.collection<Item>('items'), store: backend.collections as HeldItems }
}

const given = (value: unknown) => value as never

describe('a call with a wrong argument', () => {
  it.each([
    [
      'put',
      (w: World) => w.items.put('', 'a', { n: 1 }),
      'key must be a string of at least one character, but was "".',
    ],
    ['put', (w: World) => w.items.put('k', '', { n: 1 }), 'sort must be a string that is not empty, but was "".'],
    ['put', (w: World) => w.items.put('k', given(1), { n: 1 }), 'sort must be a string that is not empty, but was 1.'],
    [
      'put',
      (w: World) => w.items.put('k', '\ud800', { n: 1 }),
      'sort must be a well-formed string, but was "\\ud800". A lone surrogate cannot be stored as UTF-8.',
    ],
    [
      'put',
      (w: World) => w.items.put('k', 'é'.repeat(513), { n: 1 }),
      /^sort must be at most 1024 bytes of UTF-8, but was "é+"… \(513 characters\). It takes 1026.$/,
    ],
    [
      'put',
      (w: World) => w.items.put('k', 'a', given('text')),
      'item must be an object of JSON values, but was "text". Give the collection a codec for other items.',
    ],
    [
      'put',
      (w: World) => w.items.put('k', 'a', given({ at: new Map() })),
      'item.at must be JSON, but was an instance of Map. Give the collection a codec for other items.',
    ],
    ['put', (w: World) => w.items.put('k', 'a', { n: Infinity }), 'item.n must be a finite number, but was Infinity.'],
    [
      'put',
      (w: World) => w.items.put('k', 'a', given({ text: 'x'.repeat(400_000) })),
      /^item must be at most 358400 bytes, but was "4000\d\d bytes".$/,
    ],
    [
      'put',
      (w: World) => w.items.put('k', 'a', { n: 1 }, given({ ack: 'buffered' })),
      'options must be made of signal, but was "ack".',
    ],
    [
      'get',
      (w: World) => w.items.get('k', given(undefined)),
      'sort must be a string that is not empty, but was undefined.',
    ],
    [
      'delete',
      (w: World) => w.items.delete('k', given(null)),
      'sort must be a string that is not empty, but was null.',
    ],
    [
      'page',
      (w: World) => w.items.page('k', { limit: 0 }),
      'options.limit must be a number from 1 to 1000, but was 0.',
    ],
    [
      'page',
      (w: World) => w.items.page('k', { limit: 1.5 }),
      'options.limit must be a whole number from 1 to 1000, but was 1.5.',
    ],
    [
      'page',
      (w: World) => w.items.page('k', { examinedMax: 0 }),
      'options.examinedMax must be a number from 1 to 100000, but was 0.',
    ],
    [
      'page',
      (w: World) => w.items.page('k', { order: given('up') }),
      "options.order must be 'ascending' or 'descending', but was \"up\".",
    ],
    [
      'page',
      (w: World) => w.items.page('k', { prefix: 'a', from: 'b' }),
      'options.prefix must be given without from and to, but was "a".',
    ],
    ['page', (w: World) => w.items.page('k', { filter: given(1) }), 'options.filter must be a function, but was 1.'],
    [
      'page',
      (w: World) => w.items.page('k', given({ page: 1 })),
      'options must be made of from, to, prefix, order, signal, limit, cursor, filter, examinedMax, but was "page".',
    ],
    [
      'iterate',
      async (w: World) => w.items.iterate('k', { from: '' }),
      'options.from must be a string that is not empty, but was "".',
    ],
    ['iterate', async (w: World) => w.items.iterate(''), 'key must be a string of at least one character, but was "".'],
    [
      'putMany',
      (w: World) => w.items.putMany('k', given(5)),
      'items must be an iterable of { sort, item }, but was 5.',
    ],
    [
      'putMany',
      (w: World) => w.items.putMany('k', [], { concurrencyMax: 0 }),
      'options.concurrencyMax must be a number from 1 to 1024, but was 0.',
    ],
    [
      'putMany',
      (w: World) => w.items.putMany('k', [], { appendOnly: given(1) }),
      'options.appendOnly must be a boolean, but was 1.',
    ],
  ] as const)('%s rejects before anything is sent (%#)', async (_, call, message) => {
    const w = await world()
    const error = await call(w).then(
      () => undefined,
      (reason: unknown) => reason as Error & { readonly code: string },
    )
    expect(error?.code).toBe('INVALID_ARGUMENT')
    expect(typeof message === 'string' ? error?.message : message.test(error?.message ?? '')).toBe(
      typeof message === 'string' ? message : true,
    )
    expect(w.store.requests).toEqual([])
  })

  it('an empty range is no mistake: it has no items', async () => {
    const { items } = await world()
    await items.put('k', 'b', { n: 1 })
    expect(await items.page('k', { from: 'b', to: 'a' })).toEqual({ items: [], cursor: undefined })
  })

  it('a prefix may be as long as a sort value, and end in any character', async () => {
    const { items } = await world()
    const longest = `${'x'.repeat(1_023)}\u007f`
    const last = '\u{10ffff}'
    await items.put('k', longest, { n: 1 })
    await items.put('k', `${last}a`, { n: 2 })
    expect((await items.page('k', { prefix: longest })).items.map(({ item }) => item.n)).toEqual([1])
    expect((await items.page('k', { prefix: last })).items.map(({ item }) => item.n)).toEqual([2])
    expect((await items.page('k', { prefix: 'x' })).items.map(({ item }) => item.n)).toEqual([1])
  })

  it('numbers outside of what every store orders are refused', async () => {
    const { client } = await world()
    const numbers = client.collection<Item, 'number'>('numbers', { prefix: 'n', sort: 'number' })
    for (const sort of [NaN, Infinity, 1e126, -1e126, 1e-131])
      await expect(numbers.put('k', sort, { n: 1 })).rejects.toThrow(
        /^sort must be 0, or a number whose size is from 1e-130 to 9.99e\+125/,
      )
    await numbers.put('k', -0, { n: 1 })
    expect(await numbers.get('k', 0)).toEqual({ n: 1 })
    await expect(numbers.page('k', { prefix: given(1) })).rejects.toThrow(
      'options.prefix must be left out, since numbers have none',
    )
  })
})

type World = Awaited<ReturnType<typeof world>>

describe('a declaration', () => {
  it('with the same options gives the same collection, and with others is refused', async () => {
    const { client, items } = await world()
    expect(client.collection('items')).toBe(items)
    expect(() => client.collection('items', { sort: 'number' })).toThrow(
      'options of collection items must be those that it was declared with before, but was "others". A codec must be the very same object.',
    )
    expect(() => client.collection('others')).toThrow(
      'options.prefix must be a prefix that no other collection has, but was "". Collection items has it, and their items would mix.',
    )
  })

  it.each([
    [
      { sort: 'date' },
      "options.sort must be 'string' or 'number' or 'bytes', which is what this backend orders, but was \"date\".",
    ],
    [{ codec: {} }, 'options.codec.encode must be a function, but was undefined.'],
    [{ cursorKey: 'short' }, 'options.cursorKey must be 16 to 1024 secret bytes, but was "5 bytes".'],
    [{ cursorKey: [] }, 'options.cursorKey must be a secret, or several, but was an empty array.'],
    [{ hedge: {} }, 'options.hedge.afterMs must be a number from 1 to 600000, but was undefined.'],
    [{ hedge: { afterMs: 5, shareMax: 2 } }, 'options.hedge.shareMax must be a number from 0.001 to 1, but was 2.'],
    [{ colour: 1 }, 'options must be made of prefix, sort, codec, cursorKey, hedge, but was "colour".'],
    [
      { prefix: '~spillway~' },
      'options.prefix must be a string without "~spillway~", which marks the places of shards, but was "~spillway~".',
    ],
  ])('with %j is refused', async (options, message) => {
    const { client } = await world()
    expect(() => client.collection('c', options as never)).toThrow(message)
  })

  it('on a backend that keeps records only is refused, and so is one on a closed client', async () => {
    const { collections: _, ...records } = memory()
    const client = await createClient({ backend: records })
    expect(() => client.collection('c')).toThrow(
      'backend must be one that keeps collections, but was "memory". This one, or this table, keeps records only.',
    )
    await client.close()
    expect(() => client.collection('c')).toThrow('closed')
  })
})

describe('a codec', () => {
  it('stores what is not JSON, and is named when it cannot read what is stored', async () => {
    const { client } = await opened()
    const codec = {
      encode: (item: { at: Date }) => ({ at: item.at.toISOString() }),
      decode: ({ at }: { readonly at?: unknown }) => {
        if (at === 'bad') throw new Error('no date')
        return { at: new Date(at as string) }
      },
    }
    const events = client.collection('events', { codec })
    await events.put('k', 'a', { at: new Date(5) })
    expect(await events.get('k', 'a')).toEqual({ at: new Date(5) })
    await expect(events.put('k', 'b', {} as never)).rejects.toThrow(TypeError)
    await events.put('k', 'c', { at: { toISOString: () => 'bad' } } as never)
    await expect(events.get('k', 'c')).rejects.toMatchObject({
      code: 'READ_FAILED',
      message: 'The read of key "k" failed. The codec could not decode the item at "c".',
    })
  })

  it('of the default copies: neither the caller nor the store sees what the other changes', async () => {
    const { client } = await opened()
    const items = client.collection<{ list: number[] }>('items')
    const item = { list: [1] }
    const put = items.put('k', 'a', item)
    item.list.push(2)
    await put
    const read = await items.get('k', 'a')
    read?.list.push(3)
    expect(await items.get('k', 'a')).toEqual({ list: [1] })
  })
})

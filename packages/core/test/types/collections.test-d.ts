import { describe, expectTypeOf, it } from 'vitest'

import type { Client, Collection, ItemCodec, ItemEntry, Page, PutOutcome } from '../../src/index.js'

declare const client: Client

interface Event {
  readonly actor: string
  readonly at: number
}

describe('a collection', () => {
  it('is sorted by strings unless it says otherwise', () => {
    const events = client.collection<Event>('event')
    expectTypeOf(events).toEqualTypeOf<Collection<Event>>()
    expectTypeOf(events.get('k', 'a')).toEqualTypeOf<Promise<Event | undefined>>()
    expectTypeOf(events.page('k')).toEqualTypeOf<Promise<Page<Event, 'string'>>>()
    expectTypeOf(events.iterate('k')).toEqualTypeOf<AsyncIterableIterator<ItemEntry<Event, 'string'>>>()
    expectTypeOf(events.putMany('k', [])).toEqualTypeOf<Promise<readonly PutOutcome[]>>()
    // @ts-expect-error -- a number is no sort value of it
    void events.put('k', 5, { actor: 'a', at: 1 })
    // @ts-expect-error -- an item without its fields
    void events.put('k', 'a', { actor: 'a' })
    // @ts-expect-error -- an order that there is not
    void events.page('k', { order: 'up' })
  })

  it('takes sort values of its type in every place', () => {
    const readings = client.collection<Event, 'number'>('reading', { prefix: 'r/', sort: 'number' })
    void readings.page('k', { from: 1, to: 2, filter: (item, sort) => item.at > sort })
    expectTypeOf<ItemEntry<Event, 'number'>['sort']>().toEqualTypeOf<number>()
    // @ts-expect-error -- numbers have no prefixes
    void readings.page('k', { prefix: 1 })
    const blobs = client.collection<Event, 'bytes'>('blob', { prefix: 'b/', sort: 'bytes' })
    void blobs.iterate('k', { prefix: Uint8Array.of(1) })
    // @ts-expect-error -- sort values of a type that was not given
    client.collection<Event, 'number'>('third', { prefix: 't/' })
    // @ts-expect-error -- the type that is declared is not the one that is given
    client.collection<Event, 'number'>('other', { sort: 'bytes' })
  })

  it('takes its items from its codec', () => {
    const codec: ItemCodec<Date> = {
      encode: (item) => ({ at: item.toISOString() }),
      decode: ({ at }) => new Date(at as string),
    }
    expectTypeOf(client.collection('dates', { codec })).toEqualTypeOf<Collection<Date>>()
  })
})

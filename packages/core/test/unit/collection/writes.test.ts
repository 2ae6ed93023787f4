import { describe, expect, it } from 'vitest'

import { BackendError, memory } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import type { HeldItems } from '../../doubles/held-items.js'
import { hotAtOnce, lost, opened, refused, throttled, watch, watchAll } from '../../doubles/opened.js'
import { withCollections } from '../../doubles/with-collections.js'
import { allOf, spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

async function world(options: Parameters<typeof opened>[0] = {}) {
  const one = await opened(options)
  return { ...one, store: one.backend.collections as HeldItems, items: one.client.collection<Item>('items') }
}

const slowClock = () => new FakeClock({ wallMs: 1_700_000_000_000 - 30_000 })

describe('writes of items', () => {
  it('cost one request each while their key is cold', async () => {
    const { items, store } = await world()
    await items.put('k', 'a', { n: 1 })
    await items.put('k', 'b', { n: 2 })
    await items.delete('k', 'a')
    expect(store.requests.map(({ operation }) => operation)).toEqual(['put', 'put', 'delete'])
    expect(await allOf(items.iterate('k'))).toEqual([{ sort: 'b', item: { n: 2 } }])
  })

  it('become one where several puts of an item meet in a flight, and every caller is told', async () => {
    const { items, store, clock } = await world()
    store.holds = ({ operation }) => operation === 'put'
    const puts = watchAll([1, 2, 3, 4].map((n) => items.put('k', 'a', { n })))
    await clock.advance(0)
    expect(store.held.length).toBe(1)
    await store.held[0]?.pass()
    await clock.advance(0)
    expect(puts.map(({ state }) => state)).toEqual(['resolved', 'open', 'open', 'open'])
    await store.held[0]?.pass()
    await clock.advance(0)
    expect(puts.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved', 'resolved'])
    expect(store.requests.length).toBe(2)
    expect(await items.get('k', 'a')).toEqual({ n: 4 })
  })

  it('rest for a window once an item of a hot key was written, and other items of the key do not wait for it', async () => {
    const { items, store, clock } = await world({ detection: hotAtOnce })
    await items.put('k', 'a', { n: 0 })
    await clock.advance(100)
    await items.put('k', 'a', { n: 1 })
    const again = watchAll([2, 3].map((n) => items.put('k', 'a', { n })))
    const other = watch(items.put('k', 'b', { n: 4 }))
    await clock.advance(0)
    expect(other.state).toBe('resolved')
    expect(again.map(({ state }) => state)).toEqual(['open', 'open'])
    await clock.advance(100)
    expect(again.map(({ state }) => state)).toEqual(['resolved', 'resolved'])
    expect(store.requests.length).toBe(4)
  })

  it('of a client with a slow clock follow what they find, so that it is not ignored', async () => {
    const store = memory()
    const quick = await world({ store })
    const slow = await world({ store, clock: slowClock(), seed: 2 })
    await quick.items.put('k', 'a', { n: 1 })
    await slow.items.put('k', 'a', { n: 2 })
    expect(await quick.items.get('k', 'a')).toEqual({ n: 2 })
    await quick.clock.advance(1) // its own clock stands where it stood
    await quick.items.put('k', 'a', { n: 3 })
    await slow.items.delete('k', 'a')
    expect(await quick.items.get('k', 'a')).toBeUndefined()
  })

  it('are refused where what is stored has a stamp further ahead than clocks may be', async () => {
    const store = memory()
    const ahead = await world({ store, clock: new FakeClock({ wallMs: 1_700_000_100_000 }) })
    const { items } = await world({ store, seed: 2 })
    await ahead.items.put('k', 'a', { n: 1 })
    await expect(items.put('k', 'a', { n: 2 })).rejects.toMatchObject({
      code: 'WRITE_REJECTED',
      message:
        'rejected: not written. Key "k": What is stored has a stamp 100000 ms ahead of this machine\'s clock, more than limits.clockSkewMaxMs = 60000 allows.',
    })
    expect(await items.get('k', 'a')).toEqual({ n: 1 })
  })

  it('are sent again while that may help, and say what is known when it does not', async () => {
    const { items, store, clock } = await world()
    store.holds = () => true
    const put = watch(items.put('k', 'a', { n: 1 }))
    const lostPut = watch(items.put('lost', 'b', { n: 1 }))
    const refusedPut = watch(items.put('k', 'c', { n: 1 }))
    await clock.advance(0)
    for (const [i, error] of [throttled, lost, refused].entries()) store.held[0]?.fail(i < 3 ? error : undefined)
    await clock.advance(100)
    expect(refusedPut).toMatchObject({ state: 'rejected', error: { code: 'WRITE_REJECTED' } })
    expect(store.held.length).toBe(2)
    await store.held.find(({ shards }) => shards[0]?.key === 'k')?.pass()
    await clock.advance(0)
    expect(put.state).toBe('resolved')
    await clock.advance(20_000)
    expect(lostPut).toMatchObject({ state: 'rejected', error: { code: 'WRITE_UNKNOWN' } })
  })

  it('that were lost and sent again give way to what was put meanwhile', async () => {
    const store = memory()
    const { items, store: held, clock } = await world({ store })
    const other = await world({ store, clock, seed: 2 })
    held.holds = ({ operation }) => operation === 'put'
    const put = watch(items.put('k', 'a', { n: 1 }))
    await clock.advance(1)
    await held.held[0]?.deliver()
    await other.items.put('k', 'a', { n: 2 })
    held.holds = () => false
    held.held[0]?.fail(lost)
    await clock.advance(100)
    expect(put.state).toBe('resolved')
    expect(await items.get('k', 'a')).toEqual({ n: 2 })
  })

  it('of a spread key ask one place for a put and every place of the item for a delete', async () => {
    const { items, store } = await spreadCollection<Item>(8)
    const sorts = Array.from({ length: 40 }, (_, i) => `s${i}`)
    for (const sort of sorts) await items.put('hot', sort, { n: 1 })
    expect(store.requests.length).toBe(40)
    expect(new Set(store.requests.map(({ shards }) => shards[0]?.index)).size).toBe(8)
    store.requests.length = 0
    for (const sort of sorts) await items.delete('hot', sort)
    expect(store.requests.length).toBeLessThanOrEqual(80) // its home, and shard 0
    expect(await allOf(items.iterate('hot'))).toEqual([])
  })

  it('that nobody could send before the client closes are in its report', async () => {
    const { client, items, store, clock } = await world({ limits: { writeTimeoutMs: 2_000 } })
    store.holds = () => true
    const put = watch(items.put('k', 'a', { n: 1 }))
    const report = clock.run(client.close())
    await expect(report).resolves.toMatchObject({ failureCount: 1, failures: [{ record: 'items', key: 'k' }] })
    expect(put.error?.code).toBe('WRITE_UNKNOWN')
    await expect(items.put('k', 'a', { n: 1 })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('leave the caller when its signal says so, and are written all the same', async () => {
    const { items, store, clock } = await world()
    const controller = new AbortController()
    store.holds = ({ operation }) => operation === 'put'
    const put = watch(items.put('k', 'a', { n: 1 }, { signal: controller.signal }))
    await clock.advance(0)
    controller.abort(new Error('enough'))
    await clock.advance(0)
    expect(put.error?.message).toBe('enough')
    await store.held[0]?.pass()
    expect(await items.get('k', 'a')).toEqual({ n: 1 })
    await expect(items.put('k', 'b', { n: 1 }, { signal: controller.signal })).rejects.toThrow('enough')
    expect(await items.get('k', 'b')).toBeUndefined()
  })
})

function* endless() {
  for (let n = 0; ; n++) yield { sort: 'a', item: { n } }
}

describe('putMany', () => {
  const many = Array.from({ length: 60 }, (_, i) => ({ sort: `s${String(i).padStart(2, '0')}`, item: { n: i } }))

  it('puts each item under its condition, so many at a time, and answers for each', async () => {
    const { items, store, clock } = await world()
    store.holds = () => true
    const put = watch(items.putMany('k', many, { concurrencyMax: 5 }))
    await clock.advance(0)
    expect(store.held.length).toBe(5)
    store.held[0]?.fail(refused)
    store.holds = () => false
    for (const request of store.held.slice()) await request.pass()
    await clock.advance(0)
    const outcomes = put.value as { status: string; error?: { code: string } }[]
    expect(outcomes.map(({ status }) => status)).toEqual(many.map((_, i) => (i === 0 ? 'failed' : 'written')))
    expect(outcomes[0]?.error?.code).toBe('WRITE_REJECTED')
    expect(store.requests.every(({ operation }) => operation === 'put')).toBe(true)
    expect((await allOf(items.iterate('k'))).length).toBe(59)
  })

  it('goes in batches where nothing is written twice, also to a key of several shards', async () => {
    const { items, store } = await spreadCollection<Item>(4)
    const outcomes = await items.putMany('hot', many, { appendOnly: true })
    expect(outcomes).toEqual(many.map(() => ({ status: 'written' })))
    expect(store.requests.map(({ operation, shards }) => [operation, shards.length])).toEqual([
      ['append', 25],
      ['append', 25],
      ['append', 10],
    ])
    expect(new Set(store.requests.flatMap(({ shards }) => shards.map(({ index }) => index))).size).toBe(4)
    expect(await allOf(items.iterate('hot'))).toEqual(many)
  })

  it('sends again what a batch has left undone, and only that', async () => {
    const sizes: number[] = []
    const store = withCollections(memory(), (inner) => ({
      append: async ({ items: batch }, call) => {
        sizes.push(batch.length)
        const done = (await inner.append?.({ items: batch.slice(0, 10) }, call)) ?? []
        return [...done, ...batch.slice(10).map(() => ({ status: 'failed' as const, error: throttled }))]
      },
    }))
    const { items, clock } = await world({ store })
    const outcomes = await clock.run(items.putMany('k', many.slice(0, 25), { appendOnly: true }))
    expect(outcomes).toEqual(many.slice(0, 25).map(() => ({ status: 'written' })))
    expect(sizes).toEqual([25, 15, 5])
    expect(await allOf(items.iterate('k'))).toEqual(many.slice(0, 25))
  })

  it('says of each item of a batch whether it is out or may be in, when time is up', async () => {
    const { items, store, clock } = await world({ limits: { writeTimeoutMs: 2_000 } })
    store.holds = () => true
    const put = watch(items.putMany('k', many.slice(0, 2), { appendOnly: true }))
    await clock.advance(3_100)
    expect(put.value).toMatchObject([
      { status: 'failed', error: { code: 'WRITE_UNKNOWN' } },
      { status: 'failed', error: { code: 'WRITE_UNKNOWN' } },
    ])
    const refusing = watch(items.putMany('k', many.slice(0, 2), { appendOnly: true }))
    await clock.advance(0)
    store.held.at(-1)?.fail(new BackendError('invalid', 'no'))
    await clock.advance(0)
    expect(refusing.value).toMatchObject([{ error: { code: 'WRITE_REJECTED' } }, { error: { code: 'WRITE_REJECTED' } }])
  })

  it('sends no more once its signal says so, and says which items are in', async () => {
    const { items, store, clock } = await world()
    const controller = new AbortController()
    store.holds = () => true
    const signal = controller.signal
    const put = watch(items.putMany('k', many.slice(0, 5), { concurrencyMax: 2, signal }))
    await clock.advance(0)
    controller.abort(new Error('enough'))
    for (const request of store.held.slice()) await request.pass()
    await clock.advance(0)
    const failed = { status: 'failed', error: new Error('enough') }
    expect(put.value).toEqual([{ status: 'written' }, { status: 'written' }, failed, failed, failed])
    expect(store.requests.length).toBe(2)
  })

  it('is waited for by flush(), and told of by close() as far as it was not sent', async () => {
    const { client, items, store, clock } = await world()
    store.holds = () => true
    const first = watch(items.putMany('k', many.slice(0, 3), { concurrencyMax: 1 }))
    await clock.advance(0)
    const flushed = watch(client.flush())
    for (let i = 0; i < 2; i++) {
      await store.held[0]?.pass()
      await clock.advance(0)
    }
    expect([first.state, flushed.state]).toEqual(['open', 'open'])
    await store.held[0]?.pass()
    await clock.advance(0)
    expect([first.state, flushed.state]).toEqual(['resolved', 'resolved'])

    const second = watch(items.putMany('k', many.slice(0, 5), { concurrencyMax: 2 }))
    await clock.advance(0)
    const closed = watch(client.close())
    await clock.advance(0)
    for (const request of store.held.slice()) await request.pass()
    await clock.advance(0)
    expect(closed.value).toMatchObject({ failureCount: 3 })
    const left = { status: 'failed', error: { code: 'WRITE_REJECTED' } }
    expect(second.value).toMatchObject([{ status: 'written' }, { status: 'written' }, left, left, left])
    await expect(items.putMany('k', [])).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('tells of each shard that a batch has written to', async () => {
    const { client, items } = await spreadCollection<Item>(4)
    const flushes: { shardIndex: number; changeCount: number; outcome: string }[] = []
    client.on('flush', ({ shardIndex, changeCount, outcome }) => flushes.push({ shardIndex, changeCount, outcome }))
    await items.putMany('hot', many.slice(0, 25), { appendOnly: true })
    expect(new Set(flushes.map(({ shardIndex }) => shardIndex))).toEqual(new Set([0, 1, 2, 3]))
    expect(flushes.reduce((sum, { changeCount }) => sum + changeCount, 0)).toBe(25)
    expect(flushes.every(({ outcome }) => outcome === 'written')).toBe(true)
  })

  it('refuses the whole before anything is sent when one of them is wrong', async () => {
    const { items, store } = await world()
    const twice = [...many, { sort: 's00', item: { n: 0 } }]
    await expect(items.putMany('k', twice, { appendOnly: true })).rejects.toMatchObject({ argument: 'items[60].sort' })
    await expect(items.putMany('k', [{ sort: 'a', item: { n: NaN } }])).rejects.toMatchObject({
      argument: 'items[0].item.n',
    })
    await expect(items.putMany('k', endless())).rejects.toThrow('items must be at most 100000 of them, but was "more".')
    await expect(items.putMany('k', [{ sort: '', item: { n: 1 } }])).rejects.toMatchObject({
      argument: 'items[0].sort',
    })
    expect(store.requests).toEqual([])
    expect(await items.putMany('k', [])).toEqual([])
  })
})

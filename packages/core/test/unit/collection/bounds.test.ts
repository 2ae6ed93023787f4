import { describe, expect, it } from 'vitest'

import type { HeldItems } from '../../doubles/held-items.js'
import { hotAtOnce, opened, watch } from '../../doubles/opened.js'

interface Item {
  readonly text: string
}

describe('puts of one item at the bounds', () => {
  it('keep their order: none overtakes one that waits', async () => {
    const { client, clock, backend } = await opened({
      limits: { keysMax: 2, bytesMax: 2_000, atLimit: 'wait' },
      detection: hotAtOnce,
      collapse: { windowMs: 1_000 },
    })
    const store = backend.collections as HeldItems
    const items = client.collection<Item>('items')
    await items.put('k', 'x', { text: 'warm' })
    await clock.advance(100) // the key is hot from now on
    store.holds = () => true
    const first = watch(items.put('k', 'x', { text: '1'.repeat(1_500) }))
    const other = watch(items.put('k', 'y', { text: '1'.repeat(500) }))
    const second = watch(items.put('k', 'x', { text: 'second' })) // waits for bytes
    await clock.advance(0)
    expect(store.held.length).toBe(2)
    await store.held[0]?.pass() // x rests now: it still counts as a key, and its bytes are free
    await clock.advance(0)
    expect([first.state, second.state]).toEqual(['resolved', 'open'])
    const third = watch(items.put('k', 'x', { text: 'third' }))
    store.holds = () => false
    await store.held[0]?.pass()
    await clock.advance(10_000)
    expect([other.state, second.state, third.state]).toEqual(['resolved', 'resolved', 'resolved'])
    expect(await items.get('k', 'x')).toEqual({ text: 'third' })
  })
})

describe('putMany at the bounds', () => {
  it.each([false, true])('sends nothing after its signal, not even what waits for room: %s', async (appendOnly) => {
    const { client, clock, backend } = await opened({ limits: { keysMax: 1, atLimit: 'wait' } })
    const store = backend.collections as HeldItems
    const items = client.collection<Item>('items')
    store.holds = () => true
    const first = watch(items.put('k', 'x', { text: '' }))
    const controller = new AbortController()
    const entries = ['a', 'b', 'c'].map((sort) => ({ sort, item: { text: sort } }))
    const many = watch(items.putMany('k', entries, { appendOnly, signal: controller.signal }))
    await clock.advance(0)
    controller.abort(new Error('enough'))
    await store.held[0]?.pass()
    await clock.advance(1_000)
    expect([first.state, many.state]).toEqual(['resolved', 'resolved'])
    expect(many.value).toMatchObject(entries.map(() => ({ status: 'failed', error: { message: 'enough' } })))
    expect(store.requests.map(({ operation }) => operation)).toEqual(['put'])
  })

  it.each([false, true])(
    'waits for what was sent before its signal, though it had to wait for room: %s',
    async (appendOnly) => {
      const { client, clock, backend } = await opened({ limits: { keysMax: 1, atLimit: 'wait' } })
      const store = backend.collections as HeldItems
      const items = client.collection<Item>('items')
      store.holds = () => true
      void items.put('k', 'x', { text: '' })
      const controller = new AbortController()
      const { signal } = controller
      const many = watch(items.putMany('k', [{ sort: 'a', item: { text: 'a' } }], { appendOnly, signal }))
      await clock.advance(0)
      await store.held[0]?.pass()
      await clock.advance(0)
      controller.abort(new Error('enough'))
      await clock.advance(0)
      expect([many.state, store.held.length]).toEqual(['open', 1])
      await store.held[0]?.pass()
      await clock.advance(0)
      expect(many.value).toEqual([{ status: 'written' }])
    },
  )
})

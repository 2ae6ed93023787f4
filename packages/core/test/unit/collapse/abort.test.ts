import { describe, expect, test, vi } from 'vitest'
import { sum } from '../../../src/index.js'
import { codeOf, opened, watch, watchAll } from '../../doubles/opened.js'

/** A signal that knows how many listeners it has. */
function countedSignal(): { controller: AbortController; signal: AbortSignal; readonly listenerCount: number } {
  const controller = new AbortController()
  const { signal } = controller
  const added = vi.spyOn(signal, 'addEventListener')
  const removed = vi.spyOn(signal, 'removeEventListener')
  return {
    controller,
    signal,
    get listenerCount() {
      return added.mock.calls.length - removed.mock.calls.length
    },
  }
}

const reason = new Error('the caller has gone')

describe('the abort of a write', () => {
  test('of one caller among many ends the waiting of that caller only', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const { controller, signal } = countedSignal()
    backend.holds.write = true
    const first = watch(posts.write('k', { views: 1 }, { signal }))
    const others = [
      posts.write('k', { views: 2 }),
      posts.write('k', { views: 4 }, { signal }),
      posts.write('k', { views: 8 }),
    ]
    const watched = watchAll(others)
    controller.abort(reason)
    await clock.advance(0)
    expect([first, ...watched].map(({ state }) => state)).toEqual(['rejected', 'open', 'rejected', 'open'])
    expect([first.error, watched[1]?.error]).toEqual([reason, reason])
    expect(backend.heldWrites[0]?.call.signal.aborted).toBe(false)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([others[0], others[2]])
    expect(await posts.read('k')).toEqual({ views: 15 })
  })

  test('before the call takes nothing in', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    const signal = AbortSignal.abort(reason)
    await expect(posts.write('k', { views: 1 }, { signal })).rejects.toBe(reason)
    await expect(posts.write('k', { views: 1 }, { signal, ack: 'buffered' })).rejects.toBe(reason)
    backend.holds.write = true
    const first = posts.write('k', { views: 1 })
    await expect(posts.write('k', { views: 1 }, { signal })).rejects.toBe(reason)
    backend.heldWrites[0]?.pass()
    await first
    expect(await posts.read('k')).toEqual({ views: 1 })
    expect(backend.writes).toHaveLength(1)
  })

  test('while it waits at a bound gives up its place, and takes nothing in', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1, waitersMax: 1 } })
    const posts = client.records('post', { views: sum() })
    const { controller, signal } = countedSignal()
    backend.holds.write = true
    const first = posts.write('a', { views: 1 })
    const waiting = watch(posts.write('b', { views: 1 }, { signal }))
    expect(await codeOf(posts.write('c', { views: 1 }))).toBe('LIMIT_REACHED')
    controller.abort(reason)
    await clock.advance(0)
    expect(waiting.error).toBe(reason)
    const inItsPlace = posts.write('c', { views: 1 })
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all([first, inItsPlace])
    expect(backend.writes.map(({ shard }) => shard.key)).toEqual(['a', 'c'])
    expect(await codeOf(posts.write('b', { views: 1 }, { signal }))).not.toBe('resolved')
  })

  test('after it has settled changes nothing, and no listener is left on the signal', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1 } })
    const posts = client.records('post', { views: sum() })
    const counted = countedSignal()
    const { signal } = counted
    backend.holds.write = true
    const writings = [
      posts.write('a', { views: 1 }, { signal }),
      posts.write('a', { views: 1 }, { signal }),
      posts.write('b', { views: 1 }, { signal }),
      posts.write('b', { views: 1 }, { signal, ack: 'buffered' }),
      posts.write('a', { views: Number.NaN }, { signal }).catch(() => undefined),
    ]
    expect(counted.listenerCount).toBeGreaterThan(0)
    backend.holds.write = false
    backend.heldWrites[0]?.pass()
    await Promise.all(writings)
    await clock.advance(0)
    expect(counted.listenerCount).toBe(0)
    counted.controller.abort(reason)
    expect(await posts.read('a')).toEqual({ views: 2 })
  })
})

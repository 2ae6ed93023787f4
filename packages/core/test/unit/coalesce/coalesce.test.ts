import { describe, expect, test } from 'vitest'
import { BackendError, latest, sum } from '../../../src/index.js'
import { codeOf, opened, watch, watchAll } from '../../doubles/opened.js'

describe('reads of one key at the same time', () => {
  test('make two requests: one leaves in the very call, one waits for it and serves all others', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const first = posts.read('k')
    expect(backend.reads).toHaveLength(1)
    const [a, b] = [posts.read('k'), posts.read('k')]
    expect(a).toBe(b)
    const others = watchAll(Array.from({ length: 100 }, () => posts.read('k')))
    await clock.advance(0)
    expect(backend.reads).toHaveLength(1)
    backend.heldReads[0]?.pass()
    await first
    await clock.advance(0)
    expect(backend.reads).toHaveLength(2)
    backend.heldReads[1]?.pass()
    expect(await a).toBe(await b)
    expect(others.every(({ state }) => state === 'resolved')).toBe(true)
    expect(backend.reads).toHaveLength(2)
  })

  test('never miss a write that was acknowledged before they began', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const early = posts.read('k')
    await backend.heldReads[0]?.store()
    await posts.write('k', { views: 1 })
    const late = posts.read('k')
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    expect(await early).toEqual({ views: 0 })
    expect(await late).toEqual({ views: 1 })
  })

  test('fail with their own flight only', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const first = watch(posts.read('k'))
    const second = watch(posts.read('k'))
    const other = watch(posts.read('other'))
    backend.heldReads[1]?.pass()
    for (let i = 0; i < 100 && first.state === 'open'; i++) {
      backend.heldReads.at(-1)?.fail(new BackendError('invalid', 'No.'))
      backend.heldReads[0]?.fail(new BackendError('invalid', 'No.'))
      await clock.advance(100)
      if (second.state !== 'open') break
    }
    backend.holds.read = false
    expect(first.state).toBe('rejected')
    expect(first.error).toMatchObject({ code: 'READ_FAILED', key: 'k' })
    backend.heldReads.at(-1)?.pass()
    await clock.advance(0)
    expect([second.state, other.state]).toEqual(['resolved', 'resolved'])
  })

  test('of two records are two reads', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    const titles = client.records('title', { title: latest<string>() })
    await Promise.all([posts.read('k'), titles.read('k')])
    expect(backend.reads.map(({ fields }) => fields.map(({ name }) => name))).toEqual([['views'], ['title']])
  })

  test('one after the other make a request each', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    await posts.read('k')
    await posts.read('k')
    expect(backend.reads).toHaveLength(2)
  })
})

const reason = new Error('the caller has gone')

describe('the abort of a read', () => {
  test("is the caller's own", async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const [running, waiting] = [new AbortController(), new AbortController()]
    backend.holds.read = true
    const reads = watchAll([
      posts.read('k', { signal: running.signal }),
      posts.read('k', { signal: waiting.signal }),
      posts.read('k'),
      posts.read('k', { signal: waiting.signal, allowPartial: true }),
    ])
    running.abort(reason)
    waiting.abort(reason)
    await clock.advance(0)
    expect(reads.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'open', 'rejected'])
    expect(reads[0]?.error).toBe(reason)
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reads[2]).toMatchObject({ state: 'resolved', value: { views: 0 } })
  })

  test('before the call makes no request', async () => {
    const { client, backend } = await opened()
    const posts = client.records('post', { views: sum() })
    for (const options of [{}, { pending: true }, { allowPartial: true as const }])
      await expect(posts.read('k', { ...(options as object), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(backend.reads).toEqual([])
  })

  test.each([{}, { pending: true }, { allowPartial: true as const }])(
    'while it waits at a bound gives up its place and makes no request (%j)',
    async (options) => {
      const { client, backend, clock } = await opened({ limits: { keysMax: 1, waitersMax: 1 } })
      const posts = client.records('post', { views: sum() })
      const controller = new AbortController()
      backend.holds.read = true
      const first = posts.read('a')
      const queued = watch(posts.read('b', { ...(options as object), signal: controller.signal }))
      expect(await codeOf(posts.read('c'))).toBe('LIMIT_REACHED')
      controller.abort(reason)
      await clock.advance(0)
      expect(queued.error).toBe(reason)
      const inItsPlace = posts.read('c')
      backend.holds.read = false
      backend.heldReads[0]?.pass()
      await Promise.all([first, inItsPlace])
      await clock.advance(0)
      expect(backend.reads.map(({ shards }) => shards[0]?.key)).toEqual(['a', 'c'])
    },
  )
})

describe('at limits.keysMax', () => {
  test('a read of another key waits, and one of a key that is under way joins it', async () => {
    const { client, backend, clock } = await opened({ limits: { keysMax: 1 } })
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const reads = watchAll(['a', 'b', 'a', 'b', 'c'].map((key) => posts.read(key)))
    await clock.advance(0)
    expect(backend.reads).toHaveLength(1)
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    await clock.advance(0)
    expect(reads.map(({ state }) => state)).toEqual(Array(5).fill('resolved'))
    expect(backend.reads.map(({ shards }) => shards[0]?.key)).toEqual(['a', 'a', 'b', 'b', 'c'])
  })

  test("with atLimit: 'reject' it is refused, and writes have a bound of their own", async () => {
    const { client, backend } = await opened({ limits: { keysMax: 1, atLimit: 'reject' } })
    const posts = client.records('post', { views: sum() })
    backend.holds.read = true
    const first = posts.read('a')
    await expect(posts.read('b')).rejects.toMatchObject({ code: 'LIMIT_REACHED', limit: 'limits.keysMax', key: 'b' })
    await posts.write('b', { views: 1 })
    backend.holds.read = false
    backend.heldReads[0]?.pass()
    await first
    expect(await posts.read('b')).toEqual({ views: 1 })
  })
})

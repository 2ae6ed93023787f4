import { BackendError, type CollectionStore, type FailureKind } from '@spillway/core'
import { afterEach, describe, expect, test } from 'vitest'

import { feedApi } from './feed-api.js'
import { cursorKey, memoryWith, numbered, type OpenedApi, openApi } from './opened-api.js'

const path = '/feeds/a/events'
const limits = { requestTimeoutMs: 40, writeTimeoutMs: 50 }
let api: OpenedApi

afterEach(() => api.close())

/** A promise, and what resolves it. */
function gate() {
  const resolvers: (() => void)[] = []
  const opened = new Promise<void>((resolve) => resolvers.push(resolve))
  return { opened, open: () => resolvers[0]?.() }
}

/** Carries a put out, and then says that it failed. */
function failingPuts(kind: FailureKind, fails: (object: unknown) => boolean) {
  return memoryWith((inner) => ({
    async put(put, call) {
      if (!fails(put.value['object'])) return inner.put(put, call)
      if (kind === 'unknown') await inner.put(put, call)
      throw new BackendError(kind, 'as the test wants it')
    },
  }))
}

/** A request that is refused for now. */
function failing(): Promise<never> {
  return Promise.reject(new BackendError('unavailable', 'as the test wants it'))
}

describe('a store that fails', () => {
  test('one event of many is told, and the others are in', async () => {
    const backend = failingPuts('invalid', (object) => object === 'page 1')
    api = await openApi({ backend, limits })
    const { status, body } = await api.post<{ results: readonly { id: string }[] }>(path, numbered(3))
    expect(status).toBe(207)
    expect(body.results).toMatchObject([{ status: 201 }, { status: 500, error: 'WRITE_REJECTED' }, { status: 201 }])
    const [first, second, third] = body.results
    expect(await api.get(`${path}/${second?.id}`)).toMatchObject({ status: 404 })
    expect((await api.exported('/feeds/a/export')).map(({ id }) => id)).toEqual([first?.id, third?.id])
  })

  test('leaves it unknown whether an event is in, and its id finds out', async () => {
    api = await openApi({ backend: failingPuts('unknown', () => true), limits })
    const { status, body } = await api.post<{ id: string }>(path, numbered(1)[0])
    expect({ status, body }).toMatchObject({ status: 500, body: { error: 'WRITE_UNKNOWN' } })
    expect(await api.get(`${path}/${body.id}`)).toMatchObject({ status: 200, body: { object: 'page 0' } })
  })

  test('for now makes a write worth another try, and a read', async () => {
    const backend = memoryWith(() => ({ put: failing, page: failing, get: failing }))
    api = await openApi({ backend, limits, gather: { shardTimeoutMs: 50 } })
    const later = { status: 503, body: { error: 'READ_FAILED' } }
    for (const read of [path, `${path}/x`, '/feeds/a/export']) {
      const answer = await api.get(read)
      expect(answer).toMatchObject(later)
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    const answer = await api.post(path, numbered(1)[0])
    expect(answer).toMatchObject({ status: 503, body: { error: 'WRITE_REJECTED' } })
    expect(answer.headers.get('retry-after')).toBe('1')
  })
})

describe('a server that is full', () => {
  test('says so, and when to come again', async () => {
    const began = gate()
    const may = gate()
    const backend = memoryWith((inner) => ({
      async put(put, call) {
        began.open()
        await may.opened
        return inner.put(put, call)
      },
    }))
    api = await openApi({ backend, limits: { keysMax: 1, atLimit: 'reject' } })
    const first = api.post(path, numbered(1)[0])
    await began.opened
    const second = await api.post('/feeds/b/events', numbered(1)[0])
    expect(second).toMatchObject({ status: 503, body: { error: 'LIMIT_REACHED' } })
    expect(second.headers.get('retry-after')).toBe('1')
    may.open()
    expect(await first).toMatchObject({ status: 201 })
    expect(await api.post('/feeds/b/events', numbered(1)[0])).toMatchObject({ status: 201 })
  })
})

/** A store whose pages come until the `stuckAt`-th, which comes only when nobody wants it any more. */
function stuckPages(stuckAt: number) {
  const reached = gate()
  const aborted = gate()
  const counts = { pages: 0 }
  const page = (inner: CollectionStore): CollectionStore['page'] => {
    return async (asked, call) => {
      counts.pages += 1
      if (counts.pages < stuckAt) return inner.page(asked, call)
      reached.open()
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
      aborted.open()
      throw call.signal.reason
    }
  }
  return {
    backend: memoryWith((inner) => ({ page: page(inner) })),
    counts,
    reached: reached.opened,
    aborted: aborted.opened,
  }
}

/** Waits for its store, and keeps a feed in one shard. */
const patient = {
  sharding: { fanoutMax: 1 },
  limits: { requestTimeoutMs: 60_000, writeTimeoutMs: 60_000 },
  gather: { shardTimeoutMs: 60_000 },
}

describe('an export', () => {
  test('whose client goes away ends the request to the store, and makes no other', async () => {
    const { backend, counts, reached, aborted } = stuckPages(3)
    api = await openApi({ backend, ...patient })
    for (let i = 0; i < 3; i++) await api.post(path, numbered(1_000))
    const controller = new AbortController()
    const answer = await fetch(`${api.url}/feeds/a/export`, { signal: controller.signal })
    const first = await answer.body?.getReader().read()
    expect(first?.done).toBe(false)
    await reached
    controller.abort()
    await aborted
    expect(counts.pages).toBe(3)
    await api.client.close() // waits for reads that are under way
    expect(counts.pages).toBe(3)
  })

  test('is read as its client takes it', async () => {
    const counts = { pages: 0 }
    const backend = memoryWith((inner) => ({
      page(asked, call) {
        counts.pages += 1
        return inner.page(asked, call)
      },
    }))
    api = await openApi({ backend })
    for (let i = 0; i < 4; i++) await api.post(path, numbered(1_000))
    const answer = await feedApi(api.client, cursorKey).request('/feeds/a/export') // without a socket, which takes much by itself
    const reader = answer.body?.getReader()
    for (let i = 0; i < 10; i++) await reader?.read()
    const { pages } = counts
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(counts.pages).toBe(pages)
    let lines = 10
    while ((await reader?.read())?.done === false) lines += 1
    expect(lines).toBe(4_000)
    expect(counts.pages).toBeGreaterThan(pages + 2)
  })
})

describe('a server that closes', () => {
  test('answers what has come in, and accepts nothing more', async () => {
    const began = gate()
    const may = gate()
    const backend = memoryWith((inner) => ({
      async put(put, call) {
        began.open()
        await may.opened
        return inner.put(put, call)
      },
    }))
    api = await openApi({ backend, ...patient })
    const answer = api.post(path, numbered(1)[0])
    await began.opened
    const closed = api.close(60_000)
    await expect(fetch(`${api.url}/hot`)).rejects.toThrow('fetch failed')
    may.open()
    expect(await answer).toMatchObject({ status: 201 })
    await closed
  })

  test('cuts off what takes longer than its grace', async () => {
    const { backend, reached, aborted } = stuckPages(1)
    api = await openApi({ backend, ...patient })
    const answer = fetch(`${api.url}/feeds/a/export`)
    answer.catch(() => undefined) // looked at below
    await reached
    await api.close(1)
    await expect(answer).rejects.toThrow('fetch failed')
    await aborted
    expect(api.client.counters().reads.failedCalls).toBe(0) // nobody was waiting for it
  })
})

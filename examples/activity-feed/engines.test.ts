import { pause, waitUntil } from '@spillway/testkit'
import { expect, test } from 'vitest'

import { editsByChannel } from './edits.js'
import type { FeedEvent } from './feed-event.js'
import { openApi, type OpenedApi, type PageBody, type ShownEvent } from './opened-api.js'
import { stores } from './open-store.js'

interface Results {
  readonly results: readonly { readonly id: string; readonly status: number }[]
}

const feed = '/feeds/%23en.wikipedia'

/** Posts an array of them and gives them back as pages show them. */
async function post(api: OpenedApi, events: readonly FeedEvent[]): Promise<readonly ShownEvent[]> {
  const { status, body } = await api.post<Results>(`${feed}/events`, events)
  expect(status).toBe(201)
  return events.map((event, i) => ({ id: body.results[i]?.id ?? '', ...event }))
}

async function itemsOf(api: OpenedApi, path: string | null): Promise<readonly ShownEvent[]> {
  return (await api.pages(path ?? '')).flatMap(({ items }) => items)
}

const spread = {
  routing: { refreshMs: 100, leaseMs: 500 }, // short, so that a feed is spread within a second
  // A pattern counts from the first write on; on a fast machine its heat alone would ask for more.
  sharding: { fanoutMax: 4, rules: [{ match: /^feed:#en/, fanout: 4 }] },
  limits: { requestTimeoutMs: 5_000 }, // engine and test share a machine
}

test.each([
  ['memory', 4_000],
  ['redis', 2_000],
  ['dynamodb', 400],
] as const)(
  'on %s, %i edits of a hot feed come back as they were posted, though it is spread meanwhile',
  async (name, count) => {
    const store = await stores[name](undefined)
    const api = await openApi({ backend: store.backend, ...spread })
    try {
      let isSpread = false
      const shards: boolean[] = []
      api.client.on('route-changed', ({ phase, write }) => (isSpread = phase === 'active' && write === 4))
      api.client.on('flush', ({ shardIndex }) => (shards[shardIndex] = true))
      const events = editsByChannel().get('#en.wikipedia')?.slice(0, count) ?? []
      const step = count / 40
      const shown = [...(await post(api, events.slice(0, step)))]
      const older = (await api.get<PageBody>(`${feed}/events?limit=5`)).body.next
      const newer = (await api.get<PageBody>(`${feed}/events?limit=5&order=ascending`)).body.next
      expect({ isSpread, shards }).toEqual({ isSpread: false, shards: [true] })

      for (let from = step; from < count; from += step) {
        if (from === count / 2) await waitUntil('the feed is spread', () => isSpread, 30_000)
        else if (!isSpread) await pause(20)
        shown.push(...(await post(api, events.slice(from, from + step))))
      }
      expect(shards).toEqual([true, true, true, true])

      expect(await itemsOf(api, newer)).toEqual(shown.slice(5))
      expect(await itemsOf(api, older)).toEqual(shown.slice(0, step - 5).toReversed())
      expect(await itemsOf(api, `${feed}/events?limit=100`)).toEqual(shown.toReversed())
      expect(await api.exported(`${feed}/export`)).toEqual(shown)

      for (const { id } of shown.slice(0, 10)) await api.get(`${feed}/events/${id}`, { method: 'DELETE' })
      expect(await api.exported(`${feed}/export`)).toEqual(shown.slice(10))
    } finally {
      await api.close()
      await store.close()
    }
  },
)

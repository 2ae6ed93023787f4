import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { pause, waitUntil } from '@spillway/testkit'
import { expect, test } from 'vitest'

import type { FeedEvent } from './feed-event.js'
import { openApi, type OpenedApi, type PageBody, type ShownEvent } from './opened-api.js'
import { stores } from './open-store.js'

interface Edit {
  readonly time: string
  readonly channel: string
  readonly page: string
  readonly user: string
  readonly delta: number
}

interface Results {
  readonly results: readonly { readonly id: string; readonly status: number }[]
}

const feed = '/feeds/%23en.wikipedia'

/** The first edits of the English Wikipedia in the log. */
function edits(count: number): readonly FeedEvent[] {
  const log = gunzipSync(readFileSync(join(import.meta.dirname, '../demo/data/wikiticker.jsonl.gz'))).toString()
  return log
    .split('\n', 40_000)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Edit)
    .filter(({ channel }) => channel === '#en.wikipedia')
    .slice(0, count)
    .map(({ time, page, user, delta }) => ({
      actor: user,
      verb: 'edited',
      object: page.slice(0, 200),
      details: { time, delta },
    }))
}

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
  sharding: { rules: [{ match: /^feed:#en/, fanout: 4 }] }, // a pattern counts from the first write on
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
      const shards = new Set<number>()
      api.client.on('route-changed', ({ phase, write }) => (isSpread = phase === 'active' && write === 4))
      api.client.on('flush', ({ shardIndex }) => shards.add(shardIndex))
      const events = edits(count)
      const step = count / 40
      const shown = [...(await post(api, events.slice(0, step)))]
      const older = (await api.get<PageBody>(`${feed}/events?limit=5`)).body.next
      const newer = (await api.get<PageBody>(`${feed}/events?limit=5&order=ascending`)).body.next
      expect({ isSpread, shards: [...shards] }).toEqual({ isSpread: false, shards: [0] })

      for (let from = step; from < count; from += step) {
        if (from === count / 2) await waitUntil('the feed is spread', () => isSpread, 30_000)
        else if (!isSpread) await pause(20)
        shown.push(...(await post(api, events.slice(from, from + step))))
      }
      expect([...shards].toSorted()).toEqual([0, 1, 2, 3])

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

// Problem: a feed that everybody posts to, or pages through, is one hot key.
// Scheme: each feed is a key of a collection, each event an item under an id that orders by time. Spillway spreads the feeds that
//   are hot, and puts the order together again on the read; nothing here knows about it.
// Invariants: what was answered with 201 is on every later page of its range, once; a cursor is of use for the very query that it
//   came from; an export reads no further than its client does.
// Cost: one request to the store for each event, and one or two for a page of a feed that is not spread.

import { ReadableStream } from 'node:stream/web'

import type { Client, Collection, RangeOptions } from '@spillway/core'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'

import { EventIds } from './event-ids.js'
import { eventsOf, type FeedEvent, jsonOf } from './feed-event.js'
import { problemOf } from './problem.js'

type Feeds = Collection<FeedEvent>
type Entry = { readonly sort: string; readonly item: FeedEvent }

const bodyBytesMax = 1024 * 1024

/** The routes. `cursorKey` authenticates cursors: 16 bytes or more, secret, and the same in all servers of a fleet. */
export function feedApi(client: Client, cursorKey: string): Hono {
  const feeds: Feeds = client.collection('feed', { prefix: 'feed:', cursorKey })
  const ids = new EventIds()
  const app = new Hono()
  const tooLarge = { error: 'BODY_TOO_LARGE', expected: `at most ${bodyBytesMax} bytes` }
  app.use(bodyLimit({ maxSize: bodyBytesMax, onError: (c) => c.json(tooLarge, 413) }))

  app.post('/feeds/:feed/events', async (c) => {
    const body = jsonOf(await c.req.text())
    const entries = eventsOf(body).map((item) => ({ sort: ids.next(), item }))
    const results = await post(feeds, c.req.param('feed'), entries)
    if (Array.isArray(body)) return c.json({ results }, results.every(({ status }) => status === 201) ? 201 : 207)
    const [{ status, ...result }] = results as [PostResult]
    if (status === 503) c.header('Retry-After', '1')
    if (status === 201) c.header('Location', `${new URL(c.req.url).pathname}/${result.id}`)
    return c.json(result, status)
  })

  app.get('/feeds/:feed/events', async (c) => {
    const { limit = '50', cursor } = c.req.query()
    const options = { ...rangeOf(c, 'descending'), limit: Number(limit), cursor }
    const page = await feeds.page(c.req.param('feed'), options)
    return c.json({ items: page.items.map(shown), next: nextUrl(c.req.url, page.cursor) })
  })

  app.get('/feeds/:feed/events/:id', async (c) => {
    const { feed, id } = c.req.param()
    const item = await feeds.get(feed, id, { signal: c.req.raw.signal })
    return item === undefined ? c.json({ error: 'NOT_FOUND' }, 404) : c.json(shown({ sort: id, item }))
  })

  app.delete('/feeds/:feed/events/:id', async (c) => {
    const { feed, id } = c.req.param()
    await feeds.delete(feed, id)
    return c.body(null, 204)
  })

  app.get('/feeds/:feed/export', async (c) => {
    const entries = feeds.iterate(c.req.param('feed'), rangeOf(c, 'ascending'))
    const first = await entries.next() // what cannot be read at all is an error, not an answer that breaks off
    return c.body(ReadableStream.from(linesOf(first, entries)), 200, { 'Content-Type': 'application/x-ndjson' })
  })

  app.get('/hot', (c) => c.json(client.hotKeys()))

  app.notFound((c) => c.json({ error: 'NOT_FOUND' }, 404))
  app.onError((error, c) => {
    const { status, ...problem } = problemOf(error)
    if (status === 500 && !c.req.raw.signal.aborted) console.error(error)
    if (status === 503) c.header('Retry-After', '1')
    return c.json(problem, status)
  })
  return app
}

/** What became of one event. The id is told in any case: where the outcome is unknown, GET says whether the event is in. */
type PostResult = { readonly id: string; readonly status: 201 | ReturnType<typeof problemOf>['status'] }

/** Not `appendOnly`, which would send batches to DynamoDB: readers may delete what they see while the rest is on its way. */
async function post(feeds: Feeds, feed: string, entries: readonly Entry[]): Promise<readonly PostResult[]> {
  const outcomes = await feeds.putMany(feed, entries)
  return entries.map(({ sort: id }, i) => {
    const outcome = outcomes[i]
    return outcome?.status === 'failed' ? { id, ...problemOf(outcome.error) } : { id, status: 201 }
  })
}

/** Bounds are the beginnings of ids: `2026-11-22` is as good as a full one. The collection checks what was given. */
function rangeOf(c: Context, orderDefault: string): RangeOptions<'string'> {
  const { from, to, order = orderDefault } = c.req.query()
  return { from, to, order: order as RangeOptions<'string'>['order'], signal: c.req.raw.signal }
}

function shown({ sort, item }: Entry) {
  return { id: sort, ...item }
}

/** The same query with a cursor, relative to this server; null at the end. */
function nextUrl(url: string, cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  const next = new URL(url)
  next.searchParams.set('cursor', cursor)
  return next.pathname + next.search
}

async function* linesOf(first: IteratorResult<Entry, unknown>, rest: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  if (first.done === true) return
  const encoder = new TextEncoder()
  const line = (entry: Entry) => encoder.encode(`${JSON.stringify(shown(entry))}\n`)
  yield line(first.value)
  for await (const entry of rest) yield line(entry)
}

import { memory } from '@spillway/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { FeedEvent } from './feed-event.js'
import { numbered, type OpenedApi, openApi, type PageBody, type ShownEvent } from './opened-api.js'

interface Results {
  readonly results: readonly { readonly id: string; readonly status: number }[]
}

const feed = '/feeds/%23en.wikipedia'
const path = `${feed}/events`
const hello: FeedEvent = { actor: 'ann', verb: 'edited', object: 'Talk:Ä/ö', details: { delta: -3, tags: ['a', null] } }
let api: OpenedApi

beforeEach(async () => {
  api = await openApi()
})
afterEach(() => api.close())

/** Posts so many and gives them back as pages show them. */
async function posted(count: number, to = path): Promise<readonly ShownEvent[]> {
  const events = numbered(count)
  const { body } = await api.post<Results>(to, events)
  return body.results.map(({ id }, i) => ({ id, ...(events[i] as FeedEvent) }))
}

function itemsOf(pages: readonly PageBody[]): readonly ShownEvent[] {
  return pages.flatMap(({ items }) => items)
}

/** The cursor behind the first event. */
async function cursorBehindFirst(): Promise<string> {
  const { body } = await api.get<PageBody>(`${path}?limit=1`)
  return new URL(body.next ?? '', api.url).searchParams.get('cursor') ?? ''
}

describe('an event', () => {
  test('is stored, and stands where its location says', async () => {
    const { status, headers, body } = await api.post<{ id: string }>(path, hello)
    expect(status).toBe(201)
    const { id } = body
    expect(id).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z-\w{4}-/)
    expect(headers.get('location')).toBe(`${path}/${id}`)
    expect((await api.get(`${path}/${id}`)).body).toEqual({ id, ...hello })
    expect((await api.get<PageBody>(path)).body).toEqual({ items: [{ id, ...hello }], next: null })
    expect((await api.get<PageBody>('/feeds/en.wikipedia/events')).body.items).toEqual([])
  })

  test('that is deleted is gone, and may be deleted again', async () => {
    const [first, second, third] = await posted(3)
    for (let i = 0; i < 2; i++)
      expect(await api.get(`${path}/${second?.id}`, { method: 'DELETE' })).toMatchObject({
        status: 204,
        body: undefined,
      })
    expect(await api.get(`${path}/${second?.id}`)).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
    expect(itemsOf(await api.pages(`${path}?limit=1`))).toEqual([third, first])
  })

  test('of an array has an answer of its own, and ids ascend', async () => {
    const { status, body } = await api.post<Results>(path, numbered(1_000))
    expect(status).toBe(201)
    const ids = body.results.map(({ id }) => id)
    expect(body.results.every((result) => result.status === 201)).toBe(true)
    expect(new Set(ids).size).toBe(1_000)
    expect(ids.toSorted()).toEqual(ids)
  })
})

describe('pages', () => {
  test.each([1, 7, 25, 26])('of %i lead through all of a feed, newest first or oldest first', async (limit) => {
    const events = await posted(25)
    await posted(3, '/feeds/other/events')
    for (const [order, expected] of [
      ['', events.toReversed()],
      ['&order=descending', events.toReversed()],
      ['&order=ascending', events],
    ] as const) {
      const pages = await api.pages(`${path}?limit=${limit}${order}`)
      expect(itemsOf(pages)).toEqual(expected)
      expect(pages.every(({ items }) => items.length <= limit)).toBe(true)
      expect(pages[0]?.items).toHaveLength(Math.min(limit, 25))
    }
  })

  test('go on behind the last one while events come and go', async () => {
    const events = await posted(6)
    const first = await api.get<PageBody>(`${path}?limit=2`)
    await posted(4)
    await api.get(`${path}/${events[5]?.id}`, { method: 'DELETE' })
    await api.get(`${path}/${events[2]?.id}`, { method: 'DELETE' })
    expect(first.body.items).toEqual([events[5], events[4]])
    expect(itemsOf(await api.pages(first.body.next ?? ''))).toEqual([events[3], events[1], events[0]])
  })

  test('of a range begin with its first id and end before its last, both ways', async () => {
    const events = await posted(9)
    const range = `from=${events[2]?.id}&to=${events[7]?.id}&limit=2`
    expect(itemsOf(await api.pages(`${path}?${range}&order=ascending`))).toEqual(events.slice(2, 7))
    expect(itemsOf(await api.pages(`${path}?${range}`))).toEqual(events.slice(2, 7).toReversed())
    const day = events[0]?.id.slice(0, 10)
    expect((await api.get<PageBody>(`${path}?from=${day}`)).body.items).toHaveLength(9)
    expect((await api.get<PageBody>(`${path}?to=${day}`)).body.items).toEqual([])
  })
})

describe('a cursor', () => {
  const refused = {
    status: 400,
    body: { error: 'INVALID_ARGUMENT', argument: 'cursor', expected: expect.stringContaining('unchanged') as string },
  }

  test('is refused once any character of it was changed, or the end cut off', async () => {
    await posted(3)
    const cursor = await cursorBehindFirst()
    for (let i = 0; i < cursor.length; i++) {
      const changed = `${cursor.slice(0, i)}${cursor[i] === 'A' ? 'B' : 'A'}${cursor.slice(i + 1)}`
      expect(await api.get(`${path}?limit=1&cursor=${changed}`)).toMatchObject(refused)
    }
    for (const bad of ['', 'x', cursor.slice(0, -1), `${cursor}A`])
      expect(await api.get(`${path}?limit=1&cursor=${bad}`)).toMatchObject(refused)
  })

  test('is refused by another feed, order and range, but not with another limit', async () => {
    const events = await posted(3)
    await posted(3, '/feeds/other/events')
    const cursor = await cursorBehindFirst()
    expect(await api.get(`/feeds/other/events?cursor=${cursor}`)).toMatchObject(refused)
    expect(await api.get(`${path}?order=ascending&cursor=${cursor}`)).toMatchObject(refused)
    expect(await api.get(`${path}?from=2020&cursor=${cursor}`)).toMatchObject(refused)
    const rest = await api.get<PageBody>(`${path}?limit=9&cursor=${cursor}`)
    expect(rest.body).toEqual({ items: [events[1], events[0]], next: null })
  })

  test('of one server is good at another that has its key, and refused by one that has not', async () => {
    const backend = memory()
    const servers = await Promise.all([
      openApi({ backend }),
      openApi({ backend }),
      openApi({ backend }, 'another secret!!'),
    ])
    try {
      const [one, two, three] = servers
      const { body } = await one.post<Results>(path, numbered(3))
      const { next } = (await one.get<PageBody>(`${path}?limit=2`)).body
      expect(itemsOf(await two.pages(next ?? '')).map(({ id }) => id)).toEqual([body.results[0]?.id])
      expect(await three.get(next ?? '')).toMatchObject(refused)
    } finally {
      await Promise.all(servers.map((each) => each.close()))
    }
  })
})

describe('an export', () => {
  test('has every event on a line of its own, oldest first', async () => {
    const events = [...(await posted(1_000)), ...(await posted(1_000)), ...(await posted(500))]
    const { headers } = await fetch(`${api.url}${feed}/export`)
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    expect(await api.exported(`${feed}/export`)).toEqual(events)
    expect(await api.exported(`${feed}/export?order=descending&from=${events[2_400]?.id}`)).toEqual(
      events.slice(2_400).toReversed(),
    )
  })

  test('of an empty feed is empty', async () => {
    expect(await api.exported('/feeds/nobody/export')).toEqual([])
  })
})

describe('what is refused', () => {
  const text = 'a string of 1 to 200 characters'

  test.each([
    ['{"a', 'body', 'JSON'],
    ['', 'body', 'JSON'],
    [[], 'events', '1 to 1000 of them'],
    [numbered(1_001), 'events', '1 to 1000 of them'],
    ['7', 'events[0]', 'an object with actor, verb, object'],
    [[hello, null], 'events[1]', 'an object with actor, verb, object'],
    [{ verb: 'b', object: 'c' }, 'events[0].actor', text],
    [{ ...hello, verb: '' }, 'events[0].verb', text],
    [[hello, { ...hello, object: 'x'.repeat(201) }], 'events[1].object', text],
    [{ ...hello, details: [] }, 'events[0].details', 'an object'],
    [{ ...hello, id: 'mine' }, 'events[0].id', 'left out, or a part of details'],
    [
      '[{"actor":"a","verb":"b","object":"c","details":{"n":"\\ud800"}}]',
      'events[0].details.n',
      'a well-formed string',
    ],
    [{ ...hello, details: { text: 'x'.repeat(400_000) } }, 'events[0]', expect.stringMatching(/^at most \d+ bytes$/)],
  ])('a body such as %.40j', async (body: unknown, argument: string, expected: unknown) => {
    const error = 'INVALID_ARGUMENT'
    expect(await api.post(path, body)).toMatchObject({ status: 400, body: { error, argument, expected } })
    expect((await api.get<PageBody>(path)).body.items).toEqual([])
  })

  test.each([
    [`${path}?limit=0`, 'limit'],
    [`${path}?limit=1001`, 'limit'],
    [`${path}?limit=ten`, 'limit'],
    [`${path}?order=up`, 'order'],
    [`${path}?from=`, 'from'],
    [`${feed}/export?to=${'x'.repeat(1_025)}`, 'to'],
    [`/feeds/${'x'.repeat(2_004)}/events`, 'feed'],
    [`/feeds/${'x'.repeat(2_004)}/export`, 'feed'],
    ['/feeds/a~spillway~b/events', 'feed'],
    [`${path}/${'x'.repeat(1_025)}`, 'id'],
  ])('a query such as %.40s', async (query, argument) => {
    const body = { error: 'INVALID_ARGUMENT', argument, expected: expect.any(String) as string }
    expect(await api.get(query)).toMatchObject({ status: 400, body })
  })

  test('a body of more than a megabyte, whether it says its length or not', async () => {
    const body = ' '.repeat(1024 * 1024 + 1)
    const tooLarge = { status: 413, body: { error: 'BODY_TOO_LARGE' } }
    expect(await api.post(path, body)).toMatchObject(tooLarge)
    const stream = new Blob([body]).stream()
    expect(await api.get(path, { method: 'POST', body: stream, duplex: 'half' })).toMatchObject(tooLarge)
  })

  test.each(['/', '/feeds', '/feeds/a', '/feeds/a/events/b/c'])('a path such as %s', async (unknown) => {
    expect(await api.get(unknown)).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
  })
})

import {
  type Backend,
  type Client,
  type ClientOptions,
  type CollectionStore,
  createClient,
  memory,
} from '@spillway/core'

import { feedApi } from './feed-api.js'
import type { FeedEvent } from './feed-event.js'
import { startServer } from './start-server.js'

/** An event as the API gives it. */
export interface ShownEvent extends FeedEvent {
  readonly id: string
}

/** An answer of the API. */
export interface Answer<Body> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

/** A page, as the API gives it. */
export interface PageBody {
  readonly items: readonly ShownEvent[]
  readonly next: string | null
}

/** The API of a client of its own, over HTTP. */
export interface OpenedApi {
  readonly client: Client
  readonly url: string
  /** Asks for a path; the body is taken as JSON. */
  get<Body>(path: string, init?: RequestInit): Promise<Answer<Body>>
  /** Posts what is made JSON of, but for a text, which is sent as it is. */
  post<Body>(path: string, body: unknown): Promise<Answer<Body>>
  /** Follows `next` from a path to the end. */
  pages(path: string): Promise<readonly PageBody[]>
  /** The lines of an export. */
  exported(path: string): Promise<readonly ShownEvent[]>
  /** Ends server and client. Requests have `graceMs` to be answered. */
  close(graceMs?: number): Promise<void>
}

/** Signs the cursors of tests. */
export const cursorKey = 'a secret of tests'

/** Opens one. */
export async function openApi(options: Partial<ClientOptions> = {}, secret = cursorKey): Promise<OpenedApi> {
  const client = await createClient({ backend: memory(), ...options })
  const server = await startServer(feedApi(client, secret), 0)
  const { url } = server
  const get = async <Body>(path: string, init?: RequestInit): Promise<Answer<Body>> => {
    const answer = await fetch(url + path, init)
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    }
  }
  return {
    client,
    url,
    get,
    post: (path, body) => get(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
    async pages(path) {
      const pages: PageBody[] = []
      for (let next: string | null = path; next !== null;) {
        const { status, body }: Answer<PageBody> = await get(next)
        if (status !== 200) throw new Error(`${next}: ${status} ${JSON.stringify(body)}`)
        pages.push(body)
        next = body.next
      }
      return pages
    },
    async exported(path) {
      const text = await (await fetch(url + path)).text()
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as ShownEvent)
    },
    async close(graceMs = 0) {
      await server.close(graceMs)
      await client.close()
    },
  }
}

/** A store in memory some of whose requests are answered otherwise. */
export function memoryWith(otherwise: (inner: CollectionStore) => Partial<CollectionStore>): Backend {
  const backend = memory()
  const inner = backend.collections as CollectionStore
  const collections: CollectionStore = {
    limits: inner.limits,
    put: (put, call) => inner.put(put, call),
    delete: (deletion, call) => inner.delete(deletion, call),
    get: (read, call) => inner.get(read, call),
    page: (page, call) => inner.page(page, call),
    ...otherwise(inner),
  }
  return { ...backend, collections }
}

/** So many events, each with its number. */
export function numbered(count: number): readonly FeedEvent[] {
  return Array.from({ length: count }, (_unused, i) => ({ actor: 'ann', verb: 'edited', object: `page ${i}` }))
}

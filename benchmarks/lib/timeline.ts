import { type Backend, type ClientOptions, type Collection, createClient } from '@spillway/core'

/** An entry of a timeline, some 200 bytes with its sort value. */
export interface Post {
  readonly author: string
  readonly text: string
  readonly likes: number
}

/** How many items every key holds, in order of their sort values. */
const itemCount = 4_096

/** Items of a page. */
const pageItems = 50

/** The sort values of all items, in order. */
export const sorts: readonly string[] = Array.from(
  { length: itemCount },
  (_, i) => `2026-11-22T09:00:00.${String(i).padStart(9, '0')}`,
)

/** Items under their sort values. */
export const posts: readonly { readonly sort: string; readonly item: Post }[] = sorts.map((sort, i) => ({
  sort,
  item: { author: `user-${(i * 48_271) % 9_973}`, text: `${i} ${'lorem ipsum '.repeat(10)}`, likes: i % 100 },
}))

/** So many pages follow each other without meeting the end. */
const pageCount = Math.floor(itemCount / pageItems)

/** Where the page of a part begins: the first ones from the start of the key on, in a circle. */
function pageStart(part: number): number {
  return (part % pageCount) * pageItems
}

/** What the page of a part holds. */
export function pageSorts(part: number): readonly string[] {
  return sorts.slice(pageStart(part), pageStart(part) + pageItems)
}

/** Has keys spread over as many shards as their number says, which is 1 of a key that is left alone, and fills them. */
export async function fillSpread(backend: Backend, keys: ReadonlyMap<string, number>): Promise<void> {
  await spread(backend, new Map([...keys].filter(([, shardCount]) => shardCount > 1)))
  const client = await createClient({ backend, ...options })
  const timeline = client.collection<Post>('timeline')
  for (const key of keys.keys()) {
    const outcomes = await timeline.putMany(key, posts, { appendOnly: true })
    for (const outcome of outcomes) if (outcome.status === 'failed') throw outcome.error
  }
  await client.close()
}

async function spread(backend: Backend, fanouts: Map<string, number>): Promise<void> {
  const rules = [...fanouts].map(([match, fanout]) => ({ match, fanout }))
  const client = await createClient({ backend, ...options, sharding: { rules } })
  await new Promise<void>((resolve) => {
    client.on('route-changed', ({ key, write }) => {
      if (fanouts.get(key) === write) fanouts.delete(key)
      if (fanouts.size === 0) resolve()
    })
  })
  await client.close()
}

/** Default options but for patience with a busy machine, and that no key grows beyond its shards. */
const options: Omit<ClientOptions, 'backend'> = {
  limits: { requestTimeoutMs: 10_000 },
  gather: { shardTimeoutMs: 10_000 },
  sharding: { fanoutMax: 1 },
}

/** A collection read by a client of its own. */
export async function timelineOn(backend: Backend): Promise<Collection<Post>> {
  return (await createClient({ backend, ...options })).collection<Post>('timeline')
}

/** A collection of a client with default options, but for patience with a busy machine. */
export async function coldTimelineOn(backend: Backend): Promise<Collection<Post>> {
  return (await createClient({ backend, limits: { requestTimeoutMs: 10_000 } })).collection<Post>('timeline')
}

/** Reads a page as an application does. */
export async function spillwayPage(timeline: Collection<Post>, key: string, part: number): Promise<string[]> {
  const { items } = await timeline.page(key, { from: sorts[pageStart(part)] as string, limit: pageItems })
  return items.map(({ sort }) => sort)
}

/** Reads everything as an application does. */
export async function spillwayIteration(timeline: Collection<Post>, key: string): Promise<string[]> {
  const got: string[] = []
  for await (const { sort } of timeline.iterate(key)) got.push(sort)
  return got
}

/** What is read of a key by hand: a run of items from a sort value on, or behind it. */
export type ReadRun = (start: RunStart, limit: number) => Promise<readonly string[]>

/** Where a run begins. */
export interface RunStart {
  readonly sort: string
  readonly isIncluded: boolean
}

/** A page by hand. */
export function handPage(readRun: ReadRun, part: number): Promise<readonly string[]> {
  return readRun({ sort: sorts[pageStart(part)] as string, isIncluded: true }, pageItems)
}

/** Everything by hand: runs of 1,000 until one is short. */
export async function handIteration(readRun: ReadRun): Promise<readonly string[]> {
  const got: string[] = []
  let start: RunStart = { sort: sorts[0] as string, isIncluded: true }
  for (;;) {
    const run = await readRun(start, handRunItems)
    got.push(...run)
    if (run.length < handRunItems) return got
    start = { sort: run.at(-1) as string, isIncluded: false }
  }
}

/** About as many as Spillway reads ahead at most, 1,024. */
const handRunItems = 1_000

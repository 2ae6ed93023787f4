import { writeFileSync } from 'node:fs'

import { machineMs } from '../time/elapsed.js'
import { pause } from '../time/wait.js'
import type { ChaosClient, ChaosDirectory, ChaosEntry } from './chaos-client.js'
import type { ChaosKeys, ChaosOrders } from './chaos-orders.js'

/** A record as it was read back. */
export interface StoredRecord {
  readonly key: string
  readonly count: number
  readonly ids: readonly string[]
  readonly peak: number | undefined
  readonly last: string | undefined
}

/** A key's items as they were read back, in order: sort value, and which operation put it. */
export interface StoredItems {
  readonly key: string
  readonly entries: readonly (readonly [sort: string, id: string])[]
  /** The same from pages, from the last item on. */
  readonly paged: readonly (readonly [sort: string, id: string])[]
}

/** Everything that was written, as a fresh client reads it. */
export interface Stored {
  readonly records: readonly StoredRecord[]
  readonly items: readonly StoredItems[]
}

/** What a reader has to say. */
export interface ReadBack {
  /** As it was read at once. */
  readonly atOnce: Stored
  /** As it was read again when every key was cold. */
  readonly atRest: Stored
  /** Routes that were not merged back in time, as they stand in the directory. */
  readonly restless: readonly string[]
  /** How long it took until all were at rest. */
  readonly restMs: number
}

const readersMax = 8
const pageLimit = 90
const restPatienceMs = 60_000
const restPauseMs = 250

/** Where a reader writes down what it has read back, beside its ledger. */
export function backPath(ledgerPath: string): string {
  return `${ledgerPath}.back`
}

/** Reads back what the orders name, twice, and writes it down. */
export async function readAllBack(client: ChaosClient, { keys, path }: ChaosOrders): Promise<void> {
  if (keys === undefined) throw new RangeError('a reader is told which keys to read')
  const atOnce = await readAll(client, keys)
  const beganMs = machineMs()
  const restless = await rest(client.directory)
  const restMs = machineMs() - beganMs
  const back: ReadBack = { atOnce, atRest: await readAll(client, keys), restless, restMs }
  writeFileSync(backPath(path), JSON.stringify(back))
}

async function readAll({ records, items }: ChaosClient, keys: ChaosKeys): Promise<Stored> {
  return {
    records: await each(keys.records, async (key) => {
      const { count, ids, peak, last } = await records.read(key)
      return { key, count, ids: [...ids], peak, last }
    }),
    items: await each(keys.items, async (key) => {
      const entries: ChaosEntry[] = []
      for await (const entry of items.iterate(key)) entries.push(entry)
      const paged: ChaosEntry[] = []
      let cursor: string | undefined
      do {
        const from = cursor !== undefined && { cursor }
        const page = await items.page(key, { order: 'descending', limit: pageLimit, ...from })
        paged.push(...page.items)
        cursor = page.cursor
      } while (cursor !== undefined)
      return { key, entries: pairsOf(entries), paged: pairsOf(paged) }
    }),
  }
}

function pairsOf(entries: readonly ChaosEntry[]): readonly (readonly [sort: string, id: string])[] {
  return entries.map(({ sort, item }) => [sort, item.id] as const)
}

async function each<T>(keys: readonly string[], read: (key: string) => Promise<T>): Promise<readonly T[]> {
  const found: T[] = []
  const left = keys.entries()
  await Promise.all(
    Array.from({ length: readersMax }, async () => {
      for (const [i, key] of left) found[i] = await read(key)
    }),
  )
  return found
}

/** Waits until every key is cold, as one that nobody writes any more must be in the end; answers with routes that do not come to it. */
async function rest(directory: ChaosDirectory): Promise<readonly string[]> {
  const call = { signal: new AbortController().signal }
  const endMs = machineMs() + restPatienceMs
  for (;;) {
    const { text = '{}' } = await directory.read(call)
    const { routes = [] } = JSON.parse(text) as { routes?: readonly unknown[][] }
    const restless = routes.filter(([, phase]) => phase !== 'cold')
    if (restless.length === 0 || machineMs() > endMs) return restless.map((route) => JSON.stringify(route))
    await pause(restPauseMs)
  }
}

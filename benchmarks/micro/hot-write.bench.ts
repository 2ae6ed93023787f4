// What write() to a hot key costs: a change merges into an open window, 1,000 callers a window. Floors: a map look-up and an
// addition, with one shared promise that every caller awaits, and without any promise where nobody awaits. Beside
// dataloader, whose batch function merges what it is given, and a batcher as one writes it by hand: an array of changes
// with a resolver each, merged once a turn. Rows differ in the key: one string object (V8 has its hash), or a new
// string of the same text for each call, as it comes out of a request.

import { memory, sum } from '@spillway/core'
import DataLoader from 'dataloader'

import { Deferred } from '../../packages/core/src/internal/deferred.js'
import { awaitedByEveryCaller, notAwaited } from '../lib/drivers.js'
import { newStrings, sameString } from '../lib/fresh-keys.js'
import { heat, hotClient } from '../lib/hot-client.js'
import { compare } from '../lib/report.js'
import type { Contender } from '../lib/rounds.js'
import { type StubBackend, stubBackend } from '../lib/stub-backend.js'

const hotKey = 'user:00004827100000001'
const callerCount = 1_000
const options = { rounds: 41, batches: 40 }
/** What every caller writes, an object of its own each time. */
interface Change {
  readonly edits: number
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const comparisons = []
  for (const [strings, keys] of [
    ['the same string', sameString(hotKey, callerCount)],
    ['new strings', newStrings([hotKey], callerCount)],
  ] as const) {
    comparisons.push(
      await compare(
        `write() to a hot key, awaited by every caller, ${strings}`,
        [sharedPromise(keys), await windowed(keys), await windowedInMemory(keys), loaded(keys), batched(keys)],
        [{ contender: 'Spillway', ratioMax: 1.5 }],
        options,
      ),
    )
    comparisons.push(
      await compare(
        `write() to a hot key, not awaited, ${strings}`,
        [added(keys), await windowedUnawaited(keys)],
        [{ contender: 'Spillway', ratioMax: 2 }],
        options,
      ),
    )
  }
  return { callerCount, ...options, comparisons }
}

function sharedPromise(keys: Contender['keys']): Contender {
  interface Entry {
    total: number
    readonly written: Deferred<void>
  }
  const entries = new Map<string, Entry>()
  const store = newStore()
  const write = (key: string, change: Change) => {
    let entry = entries.get(key)
    if (entry === undefined) {
      const written = new Deferred<void>()
      entry = { total: 0, written }
      entries.set(key, entry)
    }
    entry.total += change.edits
    return entry.written.promise
  }
  const flush = () => {
    for (const { total, written } of entries.values()) void store.write(total).then(written.resolve)
    entries.clear()
  }
  return {
    name: 'map look-up, add, shared promise',
    batch: awaitedByEveryCaller((key) => write(key, { edits: 1 }), flush),
    keys,
    after: store.check,
  }
}

function added(keys: Contender['keys']): Contender {
  const entries = new Map<string, { total: number }>()
  const store = newStore()
  const write = (key: string, change: Change) => {
    const entry = entries.get(key)
    if (entry === undefined) entries.set(key, { total: change.edits })
    else entry.total += change.edits
  }
  return {
    name: 'map look-up, add',
    batch: notAwaited((key) => write(key, { edits: 1 })),
    keys,
    after: async () => {
      for (const { total } of entries.values()) await store.write(total)
      entries.clear()
      store.check()
    },
  }
}

async function windowed(keys: Contender['keys']): Promise<Contender> {
  const backend = stubBackend()
  const { client, records } = await hotRecords(backend)
  const batch = awaitedByEveryCaller(
    (key) => records.write(key, { edits: 1 }),
    () => client.flush(),
  )
  return { name: 'Spillway', batch, keys, after: checkTotal(backend) }
}

async function windowedInMemory(keys: Contender['keys']): Promise<Contender> {
  const { client, records } = await hotRecords(memory())
  const batch = awaitedByEveryCaller(
    (key) => records.write(key, { edits: 1 }),
    () => client.flush(),
  )
  return { name: 'Spillway, memory()', batch, keys }
}

async function windowedUnawaited(keys: Contender['keys']): Promise<Contender> {
  const backend = stubBackend()
  const { client, records } = await hotRecords(backend)
  const check = checkTotal(backend)
  return {
    name: 'Spillway',
    batch: notAwaited((key) => records.write(key, { edits: 1 })),
    keys,
    after: async () => {
      await client.flush()
      check()
    },
  }
}

async function hotRecords(backend: StubBackend | ReturnType<typeof memory>) {
  const client = await hotClient(backend)
  const records = client.records('edits', { edits: sum() })
  await heat(client, () => records.write(hotKey, { edits: callerCount / 100 }))
  return { client, records }
}

function loaded(keys: Contender['keys']): Contender {
  const store = newStore()
  const loader = new DataLoader<{ key: string; change: Change }, void>(
    async (loads) => {
      const totals = new Map<string, number>()
      for (const { key, change } of loads) totals.set(key, (totals.get(key) ?? 0) + change.edits)
      await Promise.all([...totals.values()].map((total) => store.write(total)))
      return loads.map(() => undefined)
    },
    { cache: false },
  )
  return {
    name: 'dataloader',
    batch: awaitedByEveryCaller((key) => loader.load({ key, change: { edits: 1 } })),
    keys,
    after: store.check,
  }
}

function batched(keys: Contender['keys']): Contender {
  interface Waiting {
    readonly key: string
    readonly change: Change
    readonly resolve: () => void
  }
  const store = newStore()
  let waiting: Waiting[] = []
  const flush = async () => {
    const batch = waiting
    waiting = []
    const totals = new Map<string, number>()
    for (const { key, change } of batch) totals.set(key, (totals.get(key) ?? 0) + change.edits)
    await Promise.all([...totals.values()].map((total) => store.write(total)))
    for (const { resolve } of batch) resolve()
  }
  const write = (key: string, change: Change) =>
    new Promise<void>((resolve) => {
      if (waiting.length === 0) process.nextTick(() => void flush())
      waiting.push({ key, change, resolve })
    })
  return {
    name: 'batcher by hand',
    batch: awaitedByEveryCaller((key) => write(key, { edits: 1 })),
    keys,
    after: store.check,
  }
}

/** What the others than Spillway write to: as quick as the stub. */
function newStore() {
  const done = Promise.resolve()
  let total = 0
  return {
    write: (amount: number) => {
      total += amount
      return done
    },
    check: () => requireWhole(total),
  }
}

function checkTotal(backend: StubBackend): () => void {
  return () => requireWhole(backend.total)
}

function requireWhole(total: number): void {
  if (total % callerCount !== 0) throw new Error(`changes were lost or doubled: ${total}`)
}

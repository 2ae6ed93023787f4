// What a read() costs that joins others: of 1,000 callers in one turn the first starts a flight and the others share the next.
// Floor: a map look-up that finds a promise. Beside async-cache-dedupe without a cache time, which dedupes what is under way,
// and lru-cache's fetch, emptied after each batch so that its callers share a fetch instead of a cached value. Unlike
// Spillway both let a caller join a fetch that has been sent already, which may miss a write acknowledged meanwhile.

import { createClient, memory, sum } from '@spillway/core'
import { createCache } from 'async-cache-dedupe'
import { LRUCache } from 'lru-cache'

import { awaitedByEveryCaller, notAwaited } from '../lib/drivers.js'
import { newStrings, sameString } from '../lib/fresh-keys.js'
import { compare } from '../lib/report.js'
import type { Contender } from '../lib/rounds.js'
import { stubBackend } from '../lib/stub-backend.js'

const hotKey = 'user:00004827100000001'
const callerCount = 1_000
const options = { rounds: 41, batches: 40 }
/** What all of them read. */
interface Value {
  readonly edits: number
}
const value: Value = Object.freeze({ edits: 1 })
const stored = Promise.resolve(value)

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const comparisons = []
  for (const [strings, keys] of [
    ['the same string', sameString(hotKey, callerCount)],
    ['new strings', newStrings([hotKey], callerCount)],
  ] as const) {
    comparisons.push(
      await compare(
        `read() of one key, awaited by every caller, ${strings}`,
        [sharedPromise(keys), await coalesced(keys), await coalescedInMemory(keys), deduped(keys), fetched(keys)],
        [{ contender: 'Spillway', ratioMax: 1.3 }],
        options,
      ),
      await compare(
        `read() of one key, not awaited, ${strings}`,
        [sharedPromiseUnawaited(keys), await coalescedUnawaited(keys)],
        [],
        options,
      ),
    )
  }
  return { callerCount, ...options, comparisons }
}

/** Callers of a floor find a promise that is there; only the first makes it. */
function floor() {
  const flights = new Map<string, Promise<Value>>()
  const land = (key: string) => (landed: Value) => {
    flights.delete(key)
    return landed
  }
  return (key: string) => {
    const known = flights.get(key)
    if (known !== undefined) return known
    const flight = stored.then(land(key))
    flights.set(key, flight)
    return flight
  }
}

function sharedPromise(keys: Contender['keys']): Contender {
  const read = floor()
  return { name: 'map look-up, same promise', batch: awaitedByEveryCaller((key) => read(key)), keys }
}

function sharedPromiseUnawaited(keys: Contender['keys']): Contender {
  const read = floor()
  return { name: 'map look-up, same promise', batch: notAwaited((key) => read(key)), keys, after: () => read(hotKey) }
}

async function coalesced(keys: Contender['keys']): Promise<Contender> {
  const client = await createClient({ backend: stubBackend() })
  const records = client.records('edits', { edits: sum() })
  return { name: 'Spillway', batch: awaitedByEveryCaller((key) => records.read(key)), keys }
}

async function coalescedInMemory(keys: Contender['keys']): Promise<Contender> {
  const client = await createClient({ backend: memory() })
  const records = client.records('edits', { edits: sum() })
  return { name: 'Spillway, memory()', batch: awaitedByEveryCaller((key) => records.read(key)), keys }
}

async function coalescedUnawaited(keys: Contender['keys']): Promise<Contender> {
  const client = await createClient({ backend: stubBackend() })
  const records = client.records('edits', { edits: sum() })
  return { name: 'Spillway', batch: notAwaited((key) => records.read(key)), keys, after: () => records.read(hotKey) }
}

function deduped(keys: Contender['keys']): Contender {
  const cache = createCache({ ttl: 0 }).define('read', (_key: string) => stored)
  return { name: 'async-cache-dedupe', batch: awaitedByEveryCaller((key) => cache.read(key)), keys }
}

function fetched(keys: Contender['keys']): Contender {
  const cache = new LRUCache<string, Value>({ max: 1_000, fetchMethod: () => stored })
  return {
    name: 'lru-cache fetch',
    batch: awaitedByEveryCaller((key) => cache.fetch(key)),
    keys,
    after: () => cache.clear(),
  }
}

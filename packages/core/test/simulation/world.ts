// A world of several clients over one store, in which every choice comes from a seed, and the ledger that holds it to account.

import {
  type Backend,
  type Client,
  createClient,
  isSpillwayError,
  latest,
  max,
  memory,
  type Records,
  sum,
  union,
} from '../../src/index.js'
import { FakeClock, FaultyBackend, seededRandom } from '../../src/testing.js'

const rules = { n: sum(), ids: union(), top: max(), last: latest<number>() }

/** What a simulated process can do. */
export interface Actor {
  readonly client: Client
  readonly records: Records<typeof rules>
  readonly backend: FaultyBackend
}

type Fate = 'pending' | 'written' | 'rejected' | 'unknown'

/**
 * Every write carries an id of its own in a union, one in a sum, and its id in a maximum: the union says which writes a
 * reader sees and the sum how often each was counted, so a lost write and a doubled one both show at once.
 */
export class World {
  readonly clock = new FakeClock()
  readonly store: Backend
  readonly actors: Actor[] = []
  /** What went wrong; empty when all promises were kept. */
  readonly violations: string[] = []
  readonly counts = { written: 0, rejected: 0, unknown: 0, reads: 0, failedReads: 0, spreadFlushes: 0, growths: 0 }
  readonly #fates = new Map<string, { fate: Fate; readonly key: string }>()
  readonly #seed: number
  #writes = 0

  constructor(seed: number, store: Backend = memory()) {
    this.#seed = seed
    this.store = store
  }

  /** Starts a process. Its way to the store may be wrapped, for a scheduler to interleave. */
  async join(wrap: (backend: Backend) => Backend = (backend) => backend): Promise<Actor> {
    const random = seededRandom(this.#seed * 31 + this.actors.length)
    const backend = new FaultyBackend(this.store, { clock: this.clock, random })
    const client = await createClient({
      backend: wrap(backend),
      clock: this.clock,
      random,
      routing: { refreshMs: 100, leaseMs: 300, retryHorizonMs: 5_000 },
      detection: { hotWritesPerSecond: 20, coolMs: 500 },
      collapse: { windowMs: 40 },
      limits: { requestTimeoutMs: 150, writeTimeoutMs: 700 },
      sharding: { rules: [{ match: 'declared', fanout: 4 }] },
    })
    client.on('flush', ({ shardIndex }) => (this.counts.spreadFlushes += shardIndex > 0 ? 1 : 0))
    client.on('route-changed', ({ phase }) => (this.counts.growths += phase === 'active' ? 1 : 0))
    const actor = { client, records: client.records('simulated', rules), backend }
    this.actors.push(actor)
    return actor
  }

  /** Writes once; resolves when the fate of the write is known and in the ledger. */
  async write(actor: Actor, key: string): Promise<void> {
    const number = (this.#writes += 1)
    const id = `${key}/${number}`
    const entry: { fate: Fate; readonly key: string } = { fate: 'pending', key }
    this.#fates.set(id, entry)
    try {
      await actor.records.write(key, { n: 1, ids: [id], top: number, last: number })
      entry.fate = 'written'
    } catch (error) {
      entry.fate = isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'rejected'
      if (!isSpillwayError(error)) this.violations.push(`write ${id} failed without a type: ${String(error)}`)
    }
    this.counts[entry.fate] += 1
  }

  /** Reads once and holds the answer against the ledger. */
  async read(actor: Actor, key: string): Promise<void> {
    const mustSee = this.#idsOf(key, 'written')
    try {
      const { n, ids, top } = await actor.records.read(key)
      this.counts.reads += 1
      this.#check(key, mustSee, n, ids, top)
    } catch (error) {
      this.counts.failedReads += 1
      if (!isSpillwayError(error)) this.violations.push(`read of ${key} failed without a type: ${String(error)}`)
    }
  }

  #check(key: string, mustSee: readonly string[], n: number, ids: ReadonlySet<string>, top: number | undefined): void {
    for (const id of mustSee) if (!ids.has(id)) this.violations.push(`read of ${key} misses acknowledged write ${id}`)
    if (n !== ids.size) this.violations.push(`read of ${key} counts ${n} for the ${ids.size} writes that it has`)
    for (const id of ids) {
      const entry = this.#fates.get(id)
      if (entry === undefined || entry.key !== key)
        this.violations.push(`read of ${key} has ${id}, which nobody wrote there`)
      if (entry?.fate === 'rejected')
        this.violations.push(`read of ${key} has ${id}, which was rejected as not written`)
    }
    const highest = Math.max(...[...ids].map((id) => Number(id.slice(id.indexOf('/') + 1))))
    if (ids.size > 0 && top !== highest) this.violations.push(`read of ${key} has a maximum of ${top}, not ${highest}`)
  }

  #idsOf(key: string, fate: Fate): readonly string[] {
    return [...this.#fates].flatMap(([id, entry]) => (entry.key === key && entry.fate === fate ? [id] : []))
  }
}

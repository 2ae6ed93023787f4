// A world of several clients over one store of items, in which every choice comes from a seed; a coordinator that grows and merges
// back routes behind their backs; and the ledger that holds what they read to account.

import { type Backend, type Client, type Collection, createClient, isSpillwayError, memory } from '../../src/index.js'
import { decodeDirectory, encodeDirectory } from '../../src/routing/directory.js'
import { activate, announce, drain, finish, settle } from '../../src/routing/phases.js'
import type { Route } from '../../src/routing/route.js'
import { FakeClock, FaultyBackend, seededRandom } from '../../src/testing.js'
import { copyItems } from './copy-items.js'

/** What is put: every item has a number of its own. */
interface Numbered {
  readonly number: number
}

/** What a simulated process can do. */
export interface ItemActor {
  readonly client: Client
  readonly items: Collection<Numbered>
  readonly backend: FaultyBackend
}

/** A put or a delete, and what is known of it. */
interface Operation {
  readonly key: string
  readonly sort: string
  /** Undefined for a delete. */
  readonly number: number | undefined
  readonly beganMs: number
  /** When its outcome was known; Infinity while nobody knows whether it is still under way somewhere. */
  endedMs: number
  fate: 'pending' | 'written' | 'rejected' | 'unknown'
}

const call = { signal: new AbortController().signal }
const leaseMs = 300
const waitMs = leaseMs * 1.1

/** A collection under test, and everything that happens to it. */
export class ItemWorld {
  readonly clock = new FakeClock()
  readonly store: Backend
  readonly actors: ItemActor[] = []
  /** What went wrong; empty when all promises were kept. */
  readonly violations: string[] = []
  readonly counts = { written: 0, rejected: 0, unknown: 0, reads: 0, failedReads: 0, growths: 0, drains: 0, copied: 0 }
  readonly #operations: Operation[] = []
  readonly #since = new Map<string, number>()
  readonly #seed: number
  #numbers = 0

  constructor(seed: number) {
    this.#seed = seed
    this.store = memory({ clock: this.clock, shardsPerReadMax: 1 + (seed % 3) })
  }

  /** Starts a process. Its way to the store may be wrapped, for a scheduler to interleave. */
  async join(wrap: (backend: Backend) => Backend = (backend) => backend): Promise<ItemActor> {
    const random = seededRandom(this.#seed * 31 + this.actors.length)
    const backend = new FaultyBackend(this.store, { clock: this.clock, random })
    const client = await createClient({
      backend: wrap(backend),
      clock: this.clock,
      random,
      routing: { refreshMs: 100, leaseMs, retryHorizonMs: 5_000, sealRetentionMs: 50_000 },
      detection: { hotWritesPerSecond: 20, coolMs: 500 },
      collapse: { windowMs: 40 },
      gather: { shardTimeoutMs: 700 },
      limits: { requestTimeoutMs: 150, writeTimeoutMs: 700, clockSkewMaxMs: 1_000 },
      sharding: { fanoutMax: 1 },
    })
    const actor = { client, items: client.collection<Numbered>('simulated'), backend }
    this.actors.push(actor)
    return actor
  }

  /** Puts or deletes once; resolves when the fate is known and in the ledger. */
  async write(actor: ItemActor, key: string, sort: string, isDelete: boolean): Promise<void> {
    const number = isDelete ? undefined : (this.#numbers += 1)
    const operation: Operation = { key, sort, number, beganMs: this.clock.nowMs(), endedMs: Infinity, fate: 'pending' }
    this.#operations.push(operation)
    try {
      await (number === undefined ? actor.items.delete(key, sort) : actor.items.put(key, sort, { number }))
      operation.fate = 'written'
      operation.endedMs = this.clock.nowMs()
    } catch (error) {
      operation.fate = isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'rejected'
      if (!isSpillwayError(error)) this.violations.push(`a write failed without a type: ${String(error)}`)
    }
    this.counts[operation.fate] += 1
  }

  /** Reads one item and holds the answer against the ledger. */
  async get(actor: ItemActor, key: string, sort: string): Promise<void> {
    await this.#reading(async (beganMs) => {
      const mustSee = this.#acknowledged(key)
      const item = await actor.items.get(key, sort)
      this.#check('get', key, sort, item?.number, mustSee, beganMs)
    })
  }

  /** Reads all items in pages or in one iteration, and holds them against the ledger. */
  async readAll(actor: ItemActor, key: string, order: 'ascending' | 'descending', limit: number): Promise<void> {
    await this.#reading(async (beganMs) => {
      const mustSee = this.#acknowledged(key)
      const seen: (readonly [string, number])[] = []
      if (limit === 0)
        for await (const { sort, item } of actor.items.iterate(key, { order })) seen.push([sort, item.number])
      else {
        let cursor: string | undefined
        do {
          const page = await actor.items.page(key, { order, limit, ...(cursor !== undefined && { cursor }) })
          for (const { sort, item } of page.items) seen.push([sort, item.number])
          cursor = page.cursor
        } while (cursor !== undefined)
      }
      const sorts = seen.map(([sort]) => sort)
      const expected = [...new Set(sorts)].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      if (order === 'descending') expected.reverse()
      if (expected.join() !== sorts.join()) this.violations.push(`${key} was read in the order ${sorts.join()}`)
      const numbers = new Map(seen)
      for (const sort of this.#sortsOf(key)) this.#check('page', key, sort, numbers.get(sort), mustSee, beganMs)
    })
  }

  /** Moves a route on, as some other process would: it grows, or is merged back, a step at a time. */
  async step(key: string, wish: 'grow' | 'merge'): Promise<void> {
    const { text, version } = await this.store.directory.read(call)
    const directory = decodeDirectory(text ?? '')
    const route = directory.routes.get(key)
    const revision = directory.counter + 1
    const next = await this.#nextRoute(key, route, wish, revision, directory.hashSeed)
    if (next === undefined) return
    const routes = new Map(directory.routes).set(key, next)
    const swapped = await this.store.directory.swap(
      version,
      encodeDirectory({ ...directory, counter: revision, routes }),
      call,
    )
    if (swapped !== undefined) this.#since.set(key, this.clock.monotonicMs())
  }

  async #nextRoute(
    key: string,
    route: Route | undefined,
    wish: 'grow' | 'merge',
    revision: number,
    seed: number,
  ): Promise<Route | undefined> {
    const isWaited = this.clock.monotonicMs() - (this.#since.get(key) ?? 0) >= waitMs
    const generation = { number: revision * 1_000, nonce: revision }
    switch (route?.phase) {
      case undefined:
      case 'cold':
        return wish === 'grow' ? announce(route, 2, generation, revision) : undefined
      case 'announced':
        if (isWaited) this.counts.growths += 1
        return isWaited ? activate(route, revision) : undefined
      case 'active':
        if (wish === 'grow') return route.write < 8 ? announce(route, route.write * 2, generation, revision) : undefined
        if (route.write === 1) return undefined
        this.counts.drains += 1
        return drain(route, route.write / 2, revision)
      case 'draining':
        if (!isWaited) return undefined
        this.counts.copied += await copyItems(this.store, key, route, seed)
        return settle(route, revision)
      case 'settled':
        return isWaited ? finish(route, revision) : undefined
      default:
        return route?.phase satisfies undefined
    }
  }

  async #reading(read: (beganMs: number) => Promise<void>): Promise<void> {
    try {
      await read(this.clock.nowMs())
      this.counts.reads += 1
    } catch (error) {
      this.counts.failedReads += 1
      if (!isSpillwayError(error)) this.violations.push(`a read failed without a type: ${String(error)}`)
    }
  }

  #acknowledged(key: string): readonly Operation[] {
    return this.#operations.filter((operation) => operation.key === key && operation.fate === 'written')
  }

  #sortsOf(key: string): ReadonlySet<string> {
    return new Set(this.#operations.flatMap((operation) => (operation.key === key ? [operation.sort] : [])))
  }

  /**
   * What was read must be the doing of an operation that is not older than any that was acknowledged before the read began: one
   * operation is older than another if it had ended before the other began.
   */
  #check(
    how: string,
    key: string,
    sort: string,
    number: number | undefined,
    mustSee: readonly Operation[],
    beganMs: number,
  ): void {
    const own = mustSee.filter((operation) => operation.sort === sort)
    const isOlder = (a: { readonly endedMs: number }) => own.some((b) => a.endedMs < b.beganMs)
    const causes: { readonly endedMs: number; readonly fate: Operation['fate'] }[] = this.#operations.filter(
      (operation) => operation.key === key && operation.sort === sort && operation.number === number,
    )
    if (number === undefined) causes.push({ endedMs: -1, fate: 'written' })
    if (causes.some((cause) => cause.fate !== 'rejected' && !isOlder(cause))) return
    const last = own.toSorted((a, b) => b.beganMs - a.beganMs)[0]
    this.violations.push(
      `${how} of ${key}/${sort} at ${beganMs} gave ${number ?? 'nothing'} after ${last?.number ?? 'a delete'} was acknowledged at ${last?.endedMs}`,
    )
  }
}

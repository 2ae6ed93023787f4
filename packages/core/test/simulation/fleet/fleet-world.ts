// Problem: what a fleet promises must hold for every order of events, and those that break it are too rare to be met by waiting.
// Scheme: several real clients in a world of their own: a store, a network, clocks, and faults, in virtual time. Every choice is
//   drawn from one seed, so a world that breaks a promise can be looked at again. A director wishes that routes grow and are
//   merged back; every other step of theirs is the clients'. Ledgers hold each read to what was acknowledged before it began.
// Invariants: the same seed gives the same world; nothing outside of it is waited for.
// Cost: a few milliseconds a world.
// Source: FoundationDB's simulation (Zhou et al., SIGMOD 2021); docs/simulation.md.

import type { Random } from '../../../src/chance/random.js'
import { isSpillwayError } from '../../../src/index.js'
import { seededRandom } from '../../../src/testing.js'
import { Chronicle } from './chronicle.js'
import { noCounts } from './counts.js'
import { Director } from './director.js'
import { wholeBetween } from './draws.js'
import { ItemLedger, type ItemOperation } from './item-ledger.js'
import { type Endpoint, Network } from './network.js'
import type { ClockSkew } from './process-clock.js'
import { drawProfile } from './draw-profile.js'
import { clockSkewMaxMs, type Profile } from './profile.js'
import { type Fate, RecordLedger, type RecordWrite } from './record-ledger.js'
import type { Said } from './said.js'
import { type Running, SimulatedProcess } from './simulated-process.js'
import { SimulatedStore } from './simulated-store.js'
import { VirtualTime } from './virtual-time.js'

/** A process that can be asked something. */
type Up = SimulatedProcess & { readonly running: Running }

/** One world, and the ledgers that hold it to account. */
export class FleetWorld {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly profile: Profile
  readonly store: SimulatedStore
  readonly network: Network
  readonly chronicle: Chronicle
  readonly director: Director
  readonly records = new RecordLedger()
  readonly items: ItemLedger
  readonly processes: SimulatedProcess[] = []
  readonly counts = noCounts()
  /** What went wrong first; undefined when all promises were kept. */
  violation: string | undefined
  /** Whether nothing is disturbed any more. */
  isHealed = false
  /** Whether, beyond that, every operation has ended, and there are only reads from now on. */
  isAtRest = false
  /** How many processes are still to crash, or to be replaced. */
  restartsDue = 0
  /** Operations under way, by process: those of one that has crashed never end. */
  readonly #open = new Map<SimulatedProcess, number>()
  readonly #seed: number
  #moment = 0
  #processCount = 0

  constructor(seed: number, isChronicled: boolean) {
    this.#seed = seed
    this.random = seededRandom(seed)
    this.profile = drawProfile(this.random)
    const { shardsPerReadMax, itemsPerPageMax, timings, wallSkewMs, isForgetful } = this.profile
    const { retryHorizonMs, leaseMs } = timings
    this.chronicle = new Chronicle(this.time, isChronicled)
    this.store = new SimulatedStore(this.time, shardsPerReadMax, itemsPerPageMax)
    this.items = new ItemLedger({
      tombstoneMs: 2 * retryHorizonMs + leaseMs + clockSkewMaxMs,
      isWallSkewed: wallSkewMs > 0,
      wasSpread: (key) => this.store.spread.has(key),
    })
    this.network = new Network({
      time: this.time,
      random: this.random,
      store: this.store,
      chronicle: this.chronicle,
      observer: {
        sent: (endpoint, request) => this.#sent(endpoint, request),
        arrived: (request) => this.#arrived(request),
      },
      isForgetful,
      retryHorizonMs,
    })
    this.director = new Director(this.store, this.time, this.random, this.chronicle)
  }

  /** Something has gone wrong; the first that did is what is told. */
  fail(violation: string): void {
    if (this.violation !== undefined) return
    this.violation = `${violation} (at ${this.time.nowMs.toFixed(1)} ms)`
    this.chronicle.note('VIOLATION', violation)
  }

  /** How many operations of living processes have not ended. */
  get openCount(): number {
    let count = 0
    for (const [process, open] of this.#open) if (!process.isDead) count += open
    return count
  }

  /** Those that have started and neither crashed nor stopped. */
  get up(): readonly Up[] {
    return this.processes.filter((one): one is Up => one.running !== undefined && !one.isDead && !one.isStopped)
  }

  /** The store forgets its newest changes of the directory, at most so many; answers with how many. */
  forget(changesMax: number): number {
    const { store, director, profile } = this
    director.look()
    const before = store.directory?.routes
    const count = store.forget(changesMax, profile.timings.retryHorizonMs / 2)
    for (const [key, { phase }] of before ?? []) {
      const wasMergedBack = phase === 'draining' || phase === 'settled' || phase === 'cold'
      const now = store.directory?.routes.get(key)
      if (wasMergedBack && now?.phase === 'active') this.items.drainLost(key, (this.#moment += 1))
    }
    return count
  }

  /** Starts a process, in the place of one that has crashed or as a new one; tries again until it has. */
  start(slot: number): void {
    const name = `process-${(this.#processCount += 1)}`
    const process = new SimulatedProcess(
      name,
      this.time,
      this.#skew(),
      this.#seed * 64 + this.#processCount,
      this.chronicle,
      slot >= this.profile.disturbedCount,
    )
    this.processes[slot] = process
    this.chronicle.note(name, 'starts')
    process.start(this.network.backendOf(process), this.profile).catch((error: unknown) => {
      if (!isSpillwayError(error)) this.fail(`createClient failed without a type: ${String(error)}`)
      if (process.isDead) return
      this.chronicle.note(name, `could not start: ${String(error)}`)
      process.crash()
      this.time.after(100, () => this.start(slot))
    })
  }

  /** Writes once. */
  write(process: Up, key: string): void {
    const write = this.records.begin(key)
    if (this.chronicle.isKept) this.chronicle.note(process.name, `writes ${write.id} to ${key}`)
    const change = { n: 1, ids: [write.id], top: write.number, last: write.number }
    this.#follow(process, process.running.records.write(key, change), write, `write ${write.id}`)
  }

  /** Reads a record and holds it against the ledger. */
  read(process: Up, key: string): void {
    const beganAt = (this.#moment += 1)
    this.#reading(process, `reads ${key}`, async () => {
      const value = await process.running.records.read(key)
      return `${[...value.ids].join(' ') || 'nothing'}\u0000${this.records.check(key, value, beganAt, (this.#moment += 1), false) ?? ''}`
    })
  }

  /** Puts or deletes an item. */
  change(process: Up, key: string, sort: string, isDelete: boolean): void {
    const operation = this.items.begin(process.name, key, sort, isDelete, (this.#moment += 1), this.time.nowMs)
    const { number } = operation
    const what = number === undefined ? `deletes ${key}/${sort}` : `puts ${number} as ${key}/${sort}`
    this.chronicle.note(process.name, what)
    const { items } = process.running
    const done = number === undefined ? items.delete(key, sort) : items.put(key, sort, { number })
    this.#follow(process, done, operation, what)
  }

  /** Reads one item and holds it against the ledger. */
  get(process: Up, key: string, sort: string): void {
    const beganAt = (this.#moment += 1)
    this.#reading(process, `gets ${key}/${sort}`, async () => {
      const item = await process.running.items.get(key, sort)
      return `${item?.number ?? 'nothing'}\u0000${this.items.check(key, sort, item?.number, beganAt, this.store.nowMs) ?? ''}`
    })
  }

  /** Reads all items of a key, in pages of `limit` or in one iteration where that is 0, and holds them against the ledger. */
  scan(process: Up, key: string, order: 'ascending' | 'descending', limit: number): void {
    const beganAt = (this.#moment += 1)
    const { items } = process.running
    this.#reading(process, `scans ${key} ${order}`, async () => {
      const seen: (readonly [string, number])[] = []
      if (limit === 0) for await (const { sort, item } of items.iterate(key, { order })) seen.push([sort, item.number])
      else {
        let cursor: string | undefined
        do {
          const page = await items.page(key, { order, limit, cursor })
          for (const { sort, item } of page.items) seen.push([sort, item.number])
          cursor = page.cursor
        } while (cursor !== undefined)
      }
      return `${seen.map((one) => one.join(':')).join(' ') || 'nothing'}\u0000${this.#scanned(key, order, seen, beganAt) ?? ''}`
    })
  }

  #scanned(
    key: string,
    order: 'ascending' | 'descending',
    seen: readonly (readonly [string, number])[],
    beganAt: number,
  ): string | undefined {
    for (let i = 1; i < seen.length; i++) {
      const [before, after] = [seen[i - 1]![0], seen[i]![0]]
      if (order === 'ascending' ? before >= after : before <= after) return `gave ${after} behind ${before}`
    }
    const numbers = new Map(seen)
    for (const sort of this.items.sortsOf(key)) {
      const number = numbers.get(sort)
      const problem =
        this.items.check(key, sort, number, beganAt, this.store.nowMs) ??
        (this.isAtRest ? this.items.checkAtRest(key, sort, number) : undefined)
      if (problem !== undefined) return `of ${sort} ${problem}`
      numbers.delete(sort)
    }
    return numbers.size === 0 ? undefined : `gave ${[...numbers.keys()].join()}, which nobody put there`
  }

  #follow(process: Up, done: Promise<void>, entry: RecordWrite | ItemOperation, what: string): void {
    this.#count(process, 1)
    const end = (fate: Fate) => {
      this.#count(process, -1)
      entry.fate = fate
      const at = (this.#moment += 1)
      if ('endedAt' in entry && fate !== 'unknown') entry.endedAt = at
      if ('writtenAt' in entry && fate === 'written') entry.writtenAt = at
      if ('seenAt' in entry && fate === 'rejected' && entry.seenAt < at)
        this.fail(`${what} was rejected as not written after a read has seen it`)
      this.counts[fate as 'written'] += 1
      if (this.chronicle.isKept) this.chronicle.note(process.name, `${what}: ${fate}`)
    }
    done.then(
      () => end('written'),
      (error: unknown) => {
        if (!isSpillwayError(error)) this.fail(`${what} failed without a type: ${String(error)}`)
        end(isSpillwayError(error, 'WRITE_UNKNOWN') ? 'unknown' : 'rejected')
      },
    )
  }

  /** `read` answers with what was read and, behind a zero, what is wrong with it. */
  #reading(process: Up, what: string, read: () => Promise<string>): void {
    this.#count(process, 1)
    if (this.chronicle.isKept) this.chronicle.note(process.name, what)
    read().then(
      (text) => {
        const [value, problem] = text.split('\u0000') as [string, string]
        this.#count(process, -1)
        this.counts.reads += 1
        if (this.chronicle.isKept) this.chronicle.note(process.name, `${what}: ${value}`)
        if (problem !== '') this.fail(`${process.name} ${what}: ${problem}`)
      },
      (error: unknown) => {
        this.#count(process, -1)
        this.counts.failedReads += 1
        if (this.chronicle.isKept) this.chronicle.note(process.name, `${what}: ${String(error)}`)
        if (!isSpillwayError(error)) this.fail(`${process.name} ${what} failed without a type: ${String(error)}`)
      },
    )
  }

  #count(process: SimulatedProcess, by: number): void {
    this.#open.set(process, (this.#open.get(process) ?? 0) + by)
  }

  #sent({ name }: Endpoint, { write, put, deletion }: Said): void {
    if (write !== undefined) this.records.sent(write.changes)
    const change = put ?? deletion
    if (change !== undefined) this.items.sent(name, change)
  }

  #arrived({ put, deletion }: Said): void {
    if (put !== undefined) this.items.putArrived(put, (this.#moment += 1))
    if (deletion !== undefined) this.items.deletionArrived(deletion, (this.#moment += 1))
  }

  #skew(): ClockSkew {
    const { isRateSkewed, wallSkewMs } = this.profile
    const drift = () => 1 + (this.random.next() - 0.5) * 0.08
    return {
      rate: isRateSkewed ? drift() : 1,
      wallRate: wallSkewMs > 0 ? drift() : 1,
      wallOffsetMs: wallSkewMs > 0 ? wholeBetween(this.random, -wallSkewMs, wallSkewMs) : 0,
    }
  }
}

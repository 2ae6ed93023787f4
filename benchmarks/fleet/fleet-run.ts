// Problem: what a fleet of ten thousand processes does to a store cannot be tried on one machine in real time.
// Scheme: real clients, one a process, on one virtual clock, over a store whose partitions throttle as DynamoDB's do. They start
//   within two seconds, work through a stream of operations from the third on, each given to a process drawn at random, and
//   then stand idle while what is under way ends.
// Invariants: everything follows from the seed; after a run the store holds what was acknowledged of every key that was hot.
// Cost: some ten microseconds an operation, and as much for each refresh and tick of a process.

import { type Backend, memory, type Random } from '@spillway/core'
import { PartitionedBackend, seededRandom } from '@spillway/core/testing'

import type { Route } from '../../packages/core/src/routing/route.js'
import { outsideReactions } from '../../packages/core/test/simulation/fleet/microtasks.js'
import { VirtualTime } from '../../packages/core/test/simulation/fleet/virtual-time.js'
import { type HeatSpell, heatSpells } from './heat-spells.js'
import { MeteredBackend } from './metered-backend.js'
import type { Stream } from './stream.js'
import { VirtualClock } from './virtual-clock.js'
import { coolMs, type Drivers, type Way } from './ways.js'

const partitionCount = 256
const delayMs = { min: 2, max: 6 }
const beforeMs = 3_000
const afterMs = 2_000
/** What is under way then has been given up. */
const settledMs = 20_000
/** By then a key should be merged back: one that has cooled later is not asked for it. */
const coolingMs = coolMs + 12_000

/** What a run came to. Rates are those of the time in which operations came in. */
export interface Outcome {
  /** Refused attempts, of all attempts to write or read a place of the application's. */
  readonly throttledShare: number
  /** Operations that failed, of all. */
  readonly failedShare: number
  /** 99 of 100 operations took no longer, failed ones left out. */
  readonly p99Ms: number
  /** Capacity units for each operation, all of Spillway's own among them. */
  readonly units: number
  /** Those of them that the directory took. */
  readonly directoryUnits: number
  /** For each read. */
  readonly readRequests: number
  /** Places that a read covered. */
  readonly readPlaces: number
  /** How long each key had been hot when its route became active, undefined for one that was not spread while it was hot. */
  readonly spreadMs: readonly (number | undefined)[]
  /** How long each key had been cold when a read of it covered one place again, undefined for one that was not merged back. */
  readonly mergedMs: readonly (number | undefined)[]
  /** The greatest fanout of any key. */
  readonly fanoutMax: number
  /** Changes of routes, phases included. */
  readonly routeChanges: number
  readonly directoryReadsPerSecond: number
  readonly directorySwapsPerSecond: number
  /** The busiest place's part of the read units of a partition: on average, and in its worst second. */
  readonly directoryShare: number
  readonly directoryShareMax: number
  readonly directoryBytesMax: number
  readonly throttledDirectory: number
  readonly reportsPerSecond: number
  /** Requests of the leader for reports. */
  readonly reportReadsPerSecond: number
}

/** When a key's route was what. */
interface RouteChange {
  readonly atMs: number
  readonly key: string
  readonly route: Route | undefined
}

/** One fleet's run. Everything follows from its arguments. */
export function runFleet(way: Way, stream: Stream, processCount: number, seed: number): Promise<Outcome> {
  return outsideReactions(() => new FleetRun(way, stream, processCount, seed).run())
}

class FleetRun {
  readonly #stream: Stream
  readonly #way: Way
  readonly #processCount: number
  readonly #time = new VirtualTime()
  readonly #random: Random
  readonly #inner: PartitionedBackend
  readonly #backend: MeteredBackend
  readonly #drivers: Drivers
  readonly #acknowledged: Uint32Array
  readonly #waitsMs: number[] = []
  #failed = 0
  #next = 0
  #routes: ReadonlyMap<string, Route> = new Map()
  readonly #changes: RouteChange[] = []

  constructor(way: Way, stream: Stream, processCount: number, seed: number) {
    const clock = new VirtualClock(this.#time)
    this.#way = way
    this.#stream = stream
    this.#processCount = processCount
    this.#random = seededRandom(seed)
    this.#acknowledged = new Uint32Array(stream.keys.length)
    const layout = { partitionCount, seed, delayMs, throttlesDirectory: true, random: seededRandom(seed + 1) }
    this.#inner = new PartitionedBackend(recordsOnly(memory({ clock })), { clock, ...layout })
    this.#backend = new MeteredBackend(this.#inner, {
      nowMs: () => this.#time.nowMs,
      onRoutes: (routes) => this.#noteRoutes(routes),
      keepsReports: way.keepsReports,
    })
    this.#drivers = way.start({ clock, random: seededRandom(seed + 2), backend: this.#backend, processCount })
  }

  run(): Outcome {
    const { durationMs } = this.#stream
    this.#time.run(beforeMs)
    const before = this.#seen()
    this.#operate()
    this.#time.run(durationMs)
    const after = this.#seen()
    this.#time.run(afterMs)
    this.#time.run(settledMs, () => this.#waitsMs.length + this.#failed === this.#stream.timesMs.length)
    const spells = heatSpells(this.#stream)
    this.#check(spells)
    return { ...this.#traffic(before, after), ...this.#heat(spells), ...this.#directory(before, after) }
  }

  #seen() {
    return { ...this.#backend.metered, counters: this.#inner.counters }
  }

  /** Begins what is due, and comes again. */
  #operate(): void {
    const { timesMs, keyIndexes, reads, keys } = this.#stream
    const nowMs = this.#time.nowMs - beforeMs
    let nextMs = timesMs[this.#next]
    for (; nextMs !== undefined && nextMs <= nowMs; nextMs = timesMs[this.#next]) {
      const keyIndex = keyIndexes[this.#next] ?? 0
      const isRead = reads[this.#next] === 1
      this.#next += 1
      const process = Math.floor(this.#random.next() * this.#processCount)
      const key = keys[keyIndex] ?? ''
      const done = isRead ? this.#drivers.read(process, key) : this.#drivers.write(process, key)
      const beganMs = this.#time.nowMs
      done.then(
        () => {
          if (!isRead) this.#acknowledged[keyIndex] = (this.#acknowledged[keyIndex] ?? 0) + 1
          this.#waitsMs.push(this.#time.nowMs - beganMs)
        },
        () => (this.#failed += 1),
      )
    }
    if (nextMs !== undefined) this.#time.after(nextMs - nowMs, () => this.#operate())
  }

  #noteRoutes(routes: ReadonlyMap<string, Route>): void {
    const atMs = this.#time.nowMs - beforeMs
    for (const [key, route] of routes)
      if (this.#routes.get(key)?.revision !== route.revision) this.#changes.push({ atMs, key, route })
    for (const key of this.#routes.keys()) if (!routes.has(key)) this.#changes.push({ atMs, key, route: undefined })
    this.#routes = routes
  }

  #check(spells: readonly HeatSpell[]): void {
    for (const key of new Set(spells.map((spell) => spell.key))) {
      let stored: number | undefined
      void this.#drivers.read(0, key).then((n) => (stored = n))
      this.#time.run(settledMs, () => stored !== undefined)
      const acknowledged = this.#acknowledged[this.#stream.keys.indexOf(key)]
      if (stored !== acknowledged)
        throw new Error(`${this.#way.name}: ${acknowledged} writes to ${key} acknowledged, ${stored} stored`)
    }
  }

  #traffic(before: Seen, after: Seen) {
    const { timesMs, reads } = this.#stream
    const readCount = reads.reduce((count, isRead) => count + isRead, 0)
    const unitsOf = ({ counters }: Seen) => counters.unitsWritten + counters.unitsRead
    const waitsMs = Float64Array.from(this.#waitsMs).toSorted()
    return {
      throttledShare: (after.throttledPlaces - before.throttledPlaces) / (after.places - before.places),
      failedShare: this.#failed / timesMs.length,
      p99Ms: waitsMs[Math.floor(waitsMs.length * 0.99)] ?? Number.NaN,
      units: (unitsOf(after) - unitsOf(before)) / timesMs.length,
      directoryUnits: this.#directoryUnits().flat().reduce(add, 0) / timesMs.length,
      readRequests: (after.readRequests - before.readRequests) / readCount,
      readPlaces: (after.readPlaces - before.readPlaces) / readCount,
    }
  }

  #heat(spells: readonly HeatSpell[]) {
    const { durationMs } = this.#stream
    const spread = spells.filter(({ key, beganMs }) => (this.#routeAt(key, beganMs)?.write ?? 1) === 1)
    const merged = spells.filter(
      ({ key, endedMs }) => endedMs + coolingMs <= durationMs + afterMs && (this.#routeAt(key, endedMs)?.read ?? 1) > 1,
    )
    const since = (fromMs: number, key: string, untilMs: number, isIt: (route: Route | undefined) => boolean) => {
      const found = this.#changes.find(
        (change) => change.key === key && change.atMs >= fromMs && change.atMs < untilMs && isIt(change.route),
      )
      return found && found.atMs - fromMs
    }
    return {
      spreadMs: spread.map(({ key, beganMs, endedMs }) =>
        since(beganMs, key, endedMs, (route) => route?.phase === 'active' && route.write > 1),
      ),
      mergedMs: merged.map(({ key, endedMs }) =>
        since(endedMs, key, Infinity, (route) => route === undefined || route.read === 1),
      ),
      fanoutMax: this.#changes.reduce((most, { route }) => Math.max(most, route?.write ?? 1), 1),
      routeChanges: this.#changes.length,
    }
  }

  #routeAt(key: string, atMs: number): Route | undefined {
    return this.#changes.findLast((change) => change.key === key && change.atMs <= atMs)?.route
  }

  #directory(before: Seen, after: Seen) {
    const seconds = this.#stream.durationMs / 1_000
    const perSecond = (name: 'directoryReads' | 'directorySwaps' | 'reports' | 'reportReads') =>
      (after[name] - before[name]) / seconds
    const { readUnitsPerSecond } = this.#backend.capabilities.partition
    const places = this.#directoryUnits()
    return {
      directoryReadsPerSecond: perSecond('directoryReads'),
      directorySwapsPerSecond: perSecond('directorySwaps'),
      directoryShare: Math.max(0, ...places.map((units) => units.reduce(add, 0) / seconds / readUnitsPerSecond)),
      directoryShareMax: Math.max(0, ...places.flat()) / readUnitsPerSecond,
      directoryBytesMax: after.directoryBytesMax,
      throttledDirectory: after.throttledDirectory - before.throttledDirectory,
      reportsPerSecond: perSecond('reports'),
      reportReadsPerSecond: perSecond('reportReads'),
    }
  }

  /** Read units by place and second, of the time in which operations come in. */
  #directoryUnits(): readonly number[][] {
    const [from, to] = [beforeMs / 1_000, (beforeMs + this.#stream.durationMs) / 1_000]
    return [...this.#backend.metered.directoryUnits.values()].map((units) =>
      Array.from({ length: to - from }, (_, second) => units[from + second] ?? 0),
    )
  }
}

type Seen = MeteredBackend['metered'] & { readonly counters: PartitionedBackend['counters'] }

/** No process of these keeps collections. */
function recordsOnly({ name, capabilities, directory, records }: Backend): Backend {
  return { name, capabilities, directory, records }
}

function add(a: number, b: number): number {
  return a + b
}

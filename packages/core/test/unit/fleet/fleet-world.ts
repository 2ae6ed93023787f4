import type { Backend, Capabilities, Random, RecordStore } from '../../../src/index.js'
import { memory } from '../../../src/index.js'
import { Fleet, type FleetRouting } from '../../../src/fleet/fleet.js'
import type { Directory } from '../../../src/routing/directory.js'
import { activate, announce, drain, foresee, finish, settle } from '../../../src/routing/phases.js'
import type { Route } from '../../../src/routing/route.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'

export const refreshMs = 1_000
export const leaseMs = 3_000
export const tickMs = 50
/** Of a partition of `memory()`. */
export const unitsPerSecondMax = 1_000
/** What a shard is planned for by default. */
export const planned = 700

const timings = { leaseMs, retryHorizonMs: 300_000, sealRetentionMs: 86_400_000 }

/** What a test says of its fleet. */
export interface WorldOptions {
  readonly processCount: number
  readonly seed?: number
  readonly coolMs?: number
  readonly fanoutMax?: number
  readonly store?: RecordStore
  readonly capabilities?: Partial<Capabilities>
  readonly requestTimeoutMs?: number
}

/** A directory that all share, and a process's copy of it. */
class SimpleDirectory {
  directory: Directory = { madeMs: 0, counter: 0, timings, hashSeed: 1, routes: new Map() }
  swapCount = 0
}

export class SimpleRouting implements FleetRouting {
  readonly #shared: SimpleDirectory
  readonly #clock: FakeClock
  readonly #seen = new Map<string, { readonly revision: number; readonly sinceMs: number }>()
  #copy: Directory
  /** Swaps fail as long as this is set. */
  failure: Error | undefined

  constructor(shared: SimpleDirectory, clock: FakeClock) {
    this.#shared = shared
    this.#clock = clock
    this.#copy = shared.directory
  }

  refresh(): void {
    this.#copy = this.#shared.directory
    for (const [key, { revision }] of this.#copy.routes)
      if (this.#seen.get(key)?.revision !== revision)
        this.#seen.set(key, { revision, sinceMs: this.#clock.monotonicMs() })
  }

  latest(): { readonly directory: Directory } {
    return { directory: this.#copy }
  }

  seenForMs(key: string, revision: number): number {
    const seen = this.#seen.get(key)
    return seen?.revision === revision ? this.#clock.monotonicMs() - seen.sinceMs : 0
  }

  async swap(change: (directory: Directory) => Directory | undefined): Promise<boolean> {
    await Promise.resolve()
    if (this.failure !== undefined) throw this.failure
    const before = this.#copy
    const after = change(before)
    if (after === undefined) return true
    this.#shared.swapCount += 1
    const isBeaten = this.#shared.directory !== before
    if (!isBeaten) this.#shared.directory = after
    this.refresh()
    return !isBeaten
  }
}

export interface Process {
  readonly fleet: Fleet
  readonly routing: SimpleRouting
  readonly refreshPhaseMs: number
  readonly id: string
  isPaused: boolean
}

/** Fleets that share a store, a clock and a directory; a coordinator's steps are taken as soon as they may be. */
export class FleetWorld {
  readonly clock = new FakeClock()
  readonly backend: Backend = memory({ clock: this.clock })
  readonly shared = new SimpleDirectory()
  readonly processes: Process[] = []
  readonly errors: unknown[] = []
  readonly random: Random
  /** What was done to routes, and when. */
  readonly steps: { readonly atMs: number; readonly key: string; readonly step: string; readonly fanout: number }[] = []
  readonly #options: WorldOptions
  readonly #sinceMs = new Map<string, number>()

  constructor(options: WorldOptions) {
    this.#options = options
    this.random = seededRandom(options.seed ?? 1)
    for (let i = 0; i < options.processCount; i++) this.add()
  }

  /** Another process joins. */
  add(): Process {
    const { coolMs = 60_000, fanoutMax = 64, store = this.backend.records, capabilities } = this.#options
    const { requestTimeoutMs = 1_000 } = this.#options
    const id = `process-${this.processes.length}`
    const routing = new SimpleRouting(this.shared, this.clock)
    const fleet = new Fleet({
      store,
      capabilities: { ...this.backend.capabilities, ...capabilities },
      routing,
      clock: this.clock,
      random: seededRandom(Math.floor(this.random.next() * 2 ** 32)),
      id,
      leaseMs,
      requestTimeoutMs,
      options: { fanoutMax, targetUtilization: 0.7, coolMs },
      onError: (error) => this.errors.push(error),
    })
    const refreshPhaseMs = Math.floor(this.random.next() * (refreshMs / tickMs)) * tickMs
    const process = { fleet, routing, refreshPhaseMs, id, isPaused: false }
    this.processes.push(process)
    return process
  }

  get routes(): ReadonlyMap<string, Route> {
    return this.shared.directory.routes
  }

  leaders(): readonly Process[] {
    return this.processes.filter(({ fleet }) => fleet.leads())
  }

  /** Lets time pass; before each tick `write` counts what each process wrote since the last one. */
  async run(ms: number, write: (process: Process, index: number) => void = nothing): Promise<void> {
    const endMs = this.clock.nowMs() + ms
    while (this.clock.nowMs() < endMs) {
      for (const [i, process] of this.processes.entries()) {
        if (process.isPaused) continue
        write(process, i)
        if (this.clock.nowMs() % refreshMs === process.refreshPhaseMs) process.routing.refresh()
        process.fleet.tick(this.clock.nowMs())
      }
      this.#moveRoutes()
      await this.clock.advance(tickMs)
    }
  }

  #moveRoutes(): void {
    for (const { fleet, routing } of this.leaders()) {
      for (const [key, fanout] of fleet.wishes()) {
        const route = this.routes.get(key)
        const mayGrow = route === undefined || route.phase === 'active' || route.phase === 'cold'
        if (mayGrow && fanout > (route?.write ?? 1))
          this.#step(key, 'announce', announce(route, fanout, { number: this.#next(), nonce: 0 }, this.#next()), fanout)
      }
      for (const [key, fanout] of fleet.shrinks()) {
        const route = this.routes.get(key)
        if (route?.phase === 'active')
          this.#step(key, 'drain', drain(foreseen(route, fanout), fanout, this.#next()), fanout)
      }
      routing.refresh()
    }
    for (const [key, route] of this.routes) {
      if (this.clock.nowMs() - (this.#sinceMs.get(key) ?? 0) < leaseMs * 1.1) continue
      if (route.phase === 'announced') this.#step(key, 'activate', activate(route, this.#next()), route.read)
      if (route.phase === 'draining') this.#step(key, 'settle', settle(route, this.#next()), route.write)
      if (route.phase === 'settled') this.#step(key, 'finish', finish(route, this.#next()), route.write)
    }
  }

  #step(key: string, step: string, route: Route, fanout: number): void {
    const routes = new Map(this.routes).set(key, route)
    this.shared.directory = { ...this.shared.directory, counter: route.revision, routes }
    this.#sinceMs.set(key, this.clock.nowMs())
    this.steps.push({ atMs: this.clock.nowMs(), key, step, fanout })
  }

  #next(): number {
    return this.shared.directory.counter + 1
  }
}

function nothing(): void {}

/** Whole numbers that are `perTick` on average. */
export function counted(random: Random, perTick: number): number {
  return Math.floor(perTick) + (random.next() < perTick % 1 ? 1 : 0)
}

/** As a lease before the drain. */
function foreseen(route: Route, fanout: number): Route {
  return route.writeHistory.includes(fanout) ? route : foresee(route, fanout, route.revision)
}

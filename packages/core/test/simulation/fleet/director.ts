import type { Random } from '../../../src/chance/random.js'
import { randomUint32 } from '../../../src/chance/random.js'
import { encodeDirectory } from '../../../src/routing/directory.js'
import { announce, drain, foresee } from '../../../src/routing/phases.js'
import type { Route } from '../../../src/routing/route.js'
import type { Chronicle } from './chronicle.js'
import { wholeBetween } from './draws.js'
import type { SimulatedStore } from './simulated-store.js'
import type { VirtualTime } from './virtual-time.js'

const epochMs = 1_700_000_000_000

/** More than clocks differ. */
const clockDriftFactor = 1.2

/** Wishes that routes grow and are merged back, as a process would that decides about them; every other step is left to the clients. */
export class Director {
  growthCount = 0
  drainCount = 0
  readonly #store: SimulatedStore
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #chronicle: Chronicle
  /** The last route that each key was known to have. */
  readonly #known = new Map<string, Route>()
  /** Since when it has seen a revision of a key's route. */
  readonly #shown = new Map<string, { readonly revision: number; readonly sinceMs: number }>()

  constructor(store: SimulatedStore, time: VirtualTime, random: Random, chronicle: Chronicle) {
    this.#store = store
    this.#time = time
    this.#random = random
    this.#chronicle = chronicle
  }

  /** Looks at all routes: what was lost since must come back before a key is touched again. */
  look(): void {
    for (const [key, route] of this.#store.directory?.routes ?? []) {
      const known = this.#known.get(key)
      if (known === undefined || known.revision < route.revision) this.#known.set(key, route)
    }
  }

  /** Announces more shards for a key that is cold or active. */
  grow(key: string, fanoutMax: number): void {
    const { directory } = this.#store
    const route = directory?.routes.get(key)
    if (directory === undefined || this.#isLost(key, route)) return
    if (route !== undefined && route.phase !== 'cold' && route.phase !== 'active') return
    const doublingsMin = Math.log2(route?.write ?? 1) + 1
    const doublingsMax = Math.log2(fanoutMax)
    if (doublingsMin > doublingsMax) return
    const fanout = 2 ** wholeBetween(this.#random, doublingsMin, doublingsMax)
    const number = Math.max(directory.counter + 1, Math.floor(epochMs + this.#time.nowMs))
    this.growthCount += 1
    this.#swap(key, announce(route, fanout, { number, nonce: randomUint32(this.#random) }, number + 1))
  }

  /** Begins to merge an active key back, to any lower fanout. */
  mergeBack(key: string, fanout?: number): void {
    const { directory } = this.#store
    const route = directory?.routes.get(key)
    if (directory === undefined || route === undefined || this.#isLost(key, route)) return
    if (route.phase !== 'active' || route.write === 1) return
    const lower = fanout ?? 2 ** wholeBetween(this.#random, 0, Math.log2(route.write) - 1)
    if (!route.writeHistory.includes(lower)) {
      this.#swap(key, foresee(route, lower, directory.counter + 1))
      return
    }
    if (lower !== 1 && !this.#isSeenByAll(key, route, directory.timings.leaseMs)) return
    this.drainCount += 1
    this.#swap(key, drain(route, lower, directory.counter + 1))
  }

  /** Whether every process has seen this revision, or lets its lease end. */
  #isSeenByAll(key: string, { revision }: Route, leaseMs: number): boolean {
    const shown = this.#shown.get(key)
    if (shown?.revision === revision) return this.#time.nowMs - shown.sinceMs >= leaseMs * clockDriftFactor
    this.#shown.set(key, { revision, sinceMs: this.#time.nowMs })
    return false
  }

  /** What has not come back by now never will: nobody was left who knew it. */
  giveUpLost(): void {
    this.#known.clear()
  }

  /** Changes the directory without any effect, so that whoever swaps now is beaten. */
  contend(): void {
    const { directory, document } = this.#store
    if (directory === undefined) return
    this.#store.swap(document.version, encodeDirectory({ ...directory, counter: directory.counter + 1 }))
    this.#chronicle.note('director', 'changes the counter')
  }

  #swap(key: string, route: Route): void {
    const { directory, document } = this.#store
    if (directory === undefined) return
    const routes = new Map(directory.routes).set(key, route)
    const counter = Math.max(directory.counter, route.revision)
    this.#store.swap(document.version, encodeDirectory({ ...directory, counter, routes }))
    this.#known.set(key, route)
    const { phase, read, write, revision } = route
    if (this.#chronicle.isKept)
      this.#chronicle.note('director', `${key} is ${phase}, read ${read}, write ${write} (${revision})`)
  }

  /** A failover has taken what was known of the key, and nobody has brought it back yet. */
  #isLost(key: string, route: Route | undefined): boolean {
    this.look()
    const known = this.#known.get(key)
    return known !== undefined && known.phase !== 'cold' && (route === undefined || route.revision < known.revision)
  }
}

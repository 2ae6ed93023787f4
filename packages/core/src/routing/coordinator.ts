// Problem: a hot key's route must grow although no process is in charge and any may crash between two steps.
// Scheme: every client proposes what it sees to be needed and takes every step that is due, each by one compare-and-swap of
//   the directory. Of several that try, one wins; the others fetch what it did.
// Invariants: a route becomes active only by a client that has itself seen it announced for 1.1 leases, counted from the
//   answer that showed it (rule announce-wait), and has stamped shard 0 with it where the store may forget; every growth
//   draws a new generation (rule generation).
// Cost: two swaps a growth, and a stamp; no request while nothing is due, nor more than the back-off allows while swaps are refused. The
//   directory is encoded once for all wishes of a tick, and not at all for wishes once it is full.
// Source: docs/routing.md

import { randomUint32 } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import { type Directory, directoryBytes, routeBytes } from './directory.js'
import { activate, announce } from './phases.js'
import type { Route } from './route.js'
import type { Routing } from './routing.js'
import { Stamping, type StampingParts } from './stamping.js'

/** The rate of clocks may differ by so much between machines. */
const clockDriftFactor = 1.1

/** How many wishes of patterns are held between two swaps, and how many keys are told of that found the directory full. */
const wishesMax = 1_024

const noRoutes: ReadonlyMap<string, Route> = new Map()

/** What the coordinator is built from. */
export interface CoordinatorParts extends StampingParts {
  readonly routing: Routing
  readonly leaseMs: number
  readonly directoryBytesMax: number
}

/** Moves routes on. */
export class Coordinator {
  readonly #parts: CoordinatorParts
  /** By key, the most important first. */
  #wishes: ReadonlyMap<string, number> = new Map()
  /** What patterns wish for: after everything else, and in the order in which the keys were written. */
  readonly #patternWishes = new Map<string, number>()
  readonly #stamping: Stamping
  /** The directory that had no room for the first wish, and who has been told of since. */
  #full: { readonly directory: Directory; readonly told: Set<string> } | undefined
  #swapping: Promise<void> | undefined
  #refusals = 0
  #notBeforeMs = 0

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#stamping = new Stamping(parts)
  }

  /** Asks for at least `fanout` shards for a key that a pattern matches, when there is room after the wishes of `step`. */
  wantByPattern(key: string, fanout: number): void {
    if (this.#patternWishes.size < wishesMax) this.#patternWishes.set(key, fanout)
  }

  /** Takes the steps that are due: `wishes` are fanouts by key, of which the first win when the directory is full. Does nothing while an earlier swap is under way. */
  step(wishes: ReadonlyMap<string, number>): void {
    this.#wishes = wishes
    this.#stampDue()
    if (this.#swapping !== undefined || !this.#isAnythingDue()) return
    this.#swapping = this.#takeSteps().finally(() => {
      this.#swapping = undefined
    })
  }

  /** Resolves when no swap and no stamp is under way. */
  async idle(): Promise<void> {
    await Promise.all([this.#swapping, this.#stamping.idle()])
  }

  /** Under a lease only: what an old snapshot shows as announced may be active by now, in another generation. */
  #stampDue(): void {
    const { routing, clock } = this.#parts
    const routes = routing.currentAt(clock.nowMs())?.directory.routes ?? noRoutes
    const due = new Map<string, Route>()
    for (const [key, route] of routes) if (this.#isDue(key, route)) due.set(key, route)
    this.#stamping.want(due)
  }

  async #takeSteps(): Promise<void> {
    const { routing, events } = this.#parts
    try {
      this.#noteSwap(await routing.swap((directory) => this.#advance(directory)))
    } catch (error) {
      this.#noteSwap(false)
      if (events.hasListeners('directory-failed')) events.emit('directory-failed', { error })
    }
  }

  #noteSwap(isSwapped: boolean): void {
    const { clock, random } = this.#parts
    this.#refusals = isSwapped ? 0 : this.#refusals + 1
    if (!isSwapped) this.#notBeforeMs = clock.monotonicMs() + backoffMs(this.#refusals, random)
  }

  #isAnythingDue(): boolean {
    const { routing, clock } = this.#parts
    const directory = routing.latest()?.directory
    if (directory === undefined || clock.monotonicMs() < this.#notBeforeMs) return false
    if (this.#mayAnyGrow(directory)) return true
    for (const [key, route] of directory.routes) if (this.#mayActivate(key, route)) return true
    return false
  }

  #mayAnyGrow(directory: Directory): boolean {
    if (this.#full?.directory === directory) {
      this.#patternWishes.clear()
      for (const [key, fanout] of this.#wishes) if (mayGrow(directory.routes.get(key), fanout)) this.#tellFull(key)
      return false
    }
    for (const [key, fanout] of this.#wishes) if (mayGrow(directory.routes.get(key), fanout)) return true
    for (const [key, fanout] of this.#patternWishes) {
      if (mayGrow(directory.routes.get(key), fanout)) return true
      this.#patternWishes.delete(key)
    }
    return false
  }

  #isDue(key: string, route: Route): boolean {
    return (
      route.phase === 'announced' &&
      this.#parts.routing.seenForMs(key, route.revision) >= this.#parts.leaseMs * clockDriftFactor
    )
  }

  #mayActivate(key: string, route: Route): boolean {
    return this.#isDue(key, route) && this.#stamping.isThere(key, route)
  }

  #advance(directory: Directory): Directory | undefined {
    let { counter } = directory
    const routes = new Map(directory.routes)
    for (const [key, route] of directory.routes) {
      if (this.#mayActivate(key, route)) routes.set(key, activate(route, ++counter))
    }
    if (this.#full?.directory !== directory) counter = this.#grow(directory, counter, routes)
    return counter === directory.counter ? undefined : { ...directory, counter, routes }
  }

  /** Announces as many wishes in `routes` as there is room for, in their order; gives back the counter. */
  #grow(before: Directory, drawn: number, routes: Map<string, Route>): number {
    const { clock, random, directoryBytesMax } = this.#parts
    let counter = drawn
    let bytes = directoryBytes({ ...before, routes })
    for (const [key, fanout] of this.#wishesInOrder()) {
      const route = routes.get(key)
      if (!mayGrow(route, fanout)) continue
      const number = Math.max(counter + 1, clock.wallMs())
      const grown = announce(route, fanout, { number, nonce: randomUint32(random) }, number + 1)
      bytes += routeBytes(key, grown) - (route === undefined ? 0 : routeBytes(key, route))
      if (bytes > directoryBytesMax) {
        // Full as it stands only if there is nothing to swap; else the swap's outcome is looked at in its turn.
        if (counter === before.counter) this.#markFull(before, key)
        break
      }
      routes.set(key, grown)
      counter = number + 1
    }
    return counter
  }

  *#wishesInOrder(): Iterable<readonly [key: string, fanout: number]> {
    for (const [key, fanout] of this.#wishes) yield [key, Math.max(fanout, this.#patternWishes.get(key) ?? 1)]
    yield* this.#patternWishes
  }

  #markFull(directory: Directory, key: string): void {
    this.#full = { directory, told: new Set() }
    this.#tellFull(key)
  }

  #tellFull(key: string): void {
    const { events, directoryBytesMax } = this.#parts
    const told = this.#full?.told
    if (told === undefined || told.has(key) || told.size >= wishesMax) return
    told.add(key)
    if (events.hasListeners('directory-full')) events.emit('directory-full', { key, bytesMax: directoryBytesMax })
  }
}

/** Growth starts from a cold or an active route; in between, the step that is under way is finished first. */
function mayGrow(route: Route | undefined, fanout: number): boolean {
  if (route === undefined) return fanout > 1
  return (route.phase === 'active' || route.phase === 'cold') && fanout > route.write
}

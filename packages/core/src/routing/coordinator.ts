// Problem: a hot key's route must grow, and shrink when the key has cooled, although no process is in charge and any may crash
//   between two steps.
// Scheme: every client proposes what it sees to be needed and takes every step that is due, each by one compare-and-swap of
//   the directory. Of several that try, one wins; the others fetch what it did. Whoever took the step before, and the leader, take
//   the next one at once; the others one to three leases later, if it was not taken: so a thousand clients do not all try.
// Invariants: a route moves on only by a client that has itself seen its phase for 1.1 leases, counted from the answer that
//   showed it (rules announce-wait and drain-wait), and has stamped shard 0 with it where the store may forget; every growth
//   draws a new generation (rule generation); a cold route is dropped once nobody can remember it as anything else.
// Cost: two swaps a growth, and a stamp, and for one from a single shard a question to stores that may refuse; three or four swaps and two stamps a merging back; no request while nothing is due, nor more than
//   the back-off allows while swaps are refused. The directory is encoded once for all wishes of a tick, and not at all for
//   wishes once it is full.
// Source: docs/routing.md

import { randomUint32 } from '../chance/random.js'
import { backoffMs } from '../internal/backoff.js'
import { type Directory, directoryBytes, routeBytes } from './directory.js'
import { MergingBack, type MergingBackParts, patientLeases } from './merging-back.js'
import { activate, announce, drain, finish, foresee, settle } from './phases.js'
import type { Route } from './route.js'
import type { Routing } from './routing.js'
import { SpreadChecks } from './spread-checks.js'
import { Stamping, type StampingParts } from './stamping.js'

/** The rate of clocks may differ by so much between machines. */
const clockDriftFactor = 1.1

/** How many wishes of patterns are held between two swaps, and how many keys are told of that found the directory full. */
const wishesMax = 1_024

const noRoutes: ReadonlyMap<string, Route> = new Map()

/** What the coordinator is built from. */
export interface CoordinatorParts extends StampingParts, MergingBackParts {
  readonly routing: Routing
  readonly leaseMs: number
  readonly retryHorizonMs: number
  readonly directoryBytesMax: number
}

/** What a client would like to be changed. */
export interface Wishes {
  /** Fanouts by key, at least so many, the most important first: the first win when the directory is full. */
  readonly growths: ReadonlyMap<string, number>
  /** Fanouts by key that have been enough for long. */
  readonly shrinks: ReadonlyMap<string, number>
  /** Whether this client leads the fleet. */
  readonly isLeading: boolean
}

const noWishes: Wishes = { growths: new Map(), shrinks: new Map(), isLeading: false }

/** Moves routes on. */
export class Coordinator {
  readonly #parts: CoordinatorParts
  #wishes = noWishes
  /** What patterns wish for: after everything else, and in the order in which the keys were written. */
  readonly #patternWishes = new Map<string, number>()
  readonly #checks: SpreadChecks
  readonly #stamping: Stamping
  readonly #mergingBack: MergingBack
  /** How long another client is left to take a step: another time for each, so that they do not all try at once. */
  readonly #patienceMs: number
  readonly #mergePatienceMs: number
  /** By key: the revision of the latest step that this client has taken itself. */
  readonly #own = new Map<string, number>()
  /** The same of the swap under way. */
  #taken = new Map<string, number>()
  /** Which routes left no room for the first wish, and who has been told of since. */
  #full: { readonly routes: string; readonly told: Set<string> } | undefined
  #swapping: Promise<void> | undefined
  #waitsBegun = 0
  #refusals = 0
  #notBeforeMs = 0

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
    this.#checks = new SpreadChecks(parts)
    this.#stamping = new Stamping(parts)
    this.#mergingBack = new MergingBack(parts)
    this.#patienceMs = parts.leaseMs * (1 + 2 * parts.random.next())
    this.#mergePatienceMs = parts.leaseMs * Math.max(1, patientLeases + Math.log2(1 - parts.random.next()))
  }

  /** Asks for at least `fanout` shards for a key that a pattern matches, when there is room after the wishes of `step`. */
  wantByPattern(key: string, fanout: number): void {
    if (this.#patternWishes.size < wishesMax) this.#patternWishes.set(key, fanout)
  }

  /** Takes the steps that are due. Takes no other while an earlier swap is under way. */
  step(wishes: Wishes): void {
    this.#wishes = wishes
    this.#prepareDue()
    if (this.#checks.isNeeded) this.#askFirst()
    if (this.#swapping !== undefined || !this.#isAnythingDue()) return
    this.#swapping = this.#takeSteps().finally(() => {
      this.#swapping = undefined
    })
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all([this.#swapping, this.#checks.idle(), this.#stamping.idle(), this.#mergingBack.idle()])
  }

  /** Under a lease only: what an old snapshot shows as announced may be active by now, in another generation. */
  #prepareDue(): void {
    const { routing, clock } = this.#parts
    this.#beginAnewWithWaits()
    const routes = routing.currentAt(clock.nowMs())?.directory.routes ?? noRoutes
    const [stamped, merged] = [new Map<string, Route>(), new Map<string, Route>()]
    let isLate = false
    for (const [key, route] of routes) {
      isLate ||= this.#mustSpreadOut(key, route)
      if (!this.#isDue(key, route, this.#parts.leaseMs)) continue
      if (!isOnItsWay(route) && !this.#isForeseen(key, route)) continue
      stamped.set(key, route)
      if (isOnItsWay(route) && route.phase !== 'announced' && this.#mayMerge(key, route)) merged.set(key, route)
    }
    if (isLate) routing.spreadOut()
    this.#stamping.want(stamped)
    this.#mergingBack.want(merged)
  }

  /** What is let through is announced at a later step. */
  #askFirst(): void {
    const directory = this.#parts.routing.latest()?.directory
    if (directory === undefined || this.#isFull(directory)) return
    const unspread = [...this.#wishesInOrder()].filter(([key, fanout]) => {
      const route = directory.routes.get(key)
      return mayGrow(route, fanout) && !isSpread(route)
    })
    this.#checks.want(unspread.map(([key]) => key))
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
    if (isSwapped) this.#noteTaken()
    this.#refusals = isSwapped ? 0 : this.#refusals + 1
    if (!isSwapped) this.#notBeforeMs = clock.monotonicMs() + backoffMs(this.#refusals, random)
  }

  #noteTaken(): void {
    const routes = this.#parts.routing.latest()?.directory.routes ?? noRoutes
    for (const [key, revision] of this.#own) if (routes.get(key)?.revision !== revision) this.#own.delete(key)
    for (const [key, revision] of this.#taken) this.#own.set(key, revision)
  }

  #isAnythingDue(): boolean {
    const { routing, clock } = this.#parts
    const directory = routing.latest()?.directory
    if (directory === undefined || clock.monotonicMs() < this.#notBeforeMs) return false
    if (this.#mayAnyGrow(directory)) return true
    for (const [key, route] of directory.routes) if (this.#mayMoveOn(key, route)) return true
    return false
  }

  #mayAnyGrow(directory: Directory): boolean {
    if (this.#isFull(directory)) {
      this.#patternWishes.clear()
      for (const [key, fanout] of this.#wishes.growths)
        if (mayGrow(directory.routes.get(key), fanout)) this.#tellFull(key)
      return false
    }
    for (const [key, fanout] of this.#wishes.growths)
      if (this.#mayGrow(key, directory.routes.get(key), fanout)) return true
    for (const [key, fanout] of this.#patternWishes) {
      const route = directory.routes.get(key)
      if (this.#mayGrow(key, route, fanout)) return true
      // The next write wishes anew.
      if (!mayGrow(route, fanout) || this.#checks.isRefused(key)) this.#patternWishes.delete(key)
    }
    return false
  }

  #mayGrow(key: string, route: Route | undefined, fanout: number): boolean {
    return mayGrow(route, fanout) && (isSpread(route) || this.#checks.isPassed(key))
  }

  /** What was done while a change was lost does not count: somebody may have acted upon what was shown meanwhile. */
  #beginAnewWithWaits(): void {
    const { waitsBegun } = this.#parts.routing
    if (waitsBegun === this.#waitsBegun) return
    this.#waitsBegun = waitsBegun
    this.#stamping.reset()
    this.#mergingBack.reset()
  }

  /** Merging back may take long: of those who might help, twice as many do with every lease. */
  #mayMerge(key: string, route: Route): boolean {
    if (!this.#stamping.isThere(key, route)) return false
    const { routing, leaseMs } = this.#parts
    const waitMs = leaseMs * clockDriftFactor + this.#mergePatienceMs
    return this.#isOurs(key, route.revision) || routing.seenForMs(key, route.revision) >= waitMs
  }

  /** Whether this client is about to wait, or nobody has taken a step for so long that it should. */
  #mustSpreadOut(key: string, route: Route): boolean {
    const { routing, leaseMs } = this.#parts
    if (routing.seenForMs(key, route.revision) > 0) return false
    if (this.#isOurs(key, route.revision)) return true
    return isOnItsWay(route) && routing.shownForMs(key, route.revision) >= leaseMs + this.#patienceMs
  }

  #isOurs(key: string, revision: number): boolean {
    return this.#wishes.isLeading || this.#own.get(key) === revision
  }

  /** Whether this client has seen this revision for `waitMs`, and some leases more where another client should take the step. */
  #isDue(key: string, route: Route, waitMs: number): boolean {
    const patienceMs = this.#isOurs(key, route.revision) ? 0 : this.#patienceMs
    return this.#parts.routing.seenForMs(key, route.revision) >= waitMs * clockDriftFactor + patienceMs
  }

  #mayMoveOn(key: string, route: Route): boolean {
    const { leaseMs, retryHorizonMs } = this.#parts
    switch (route.phase) {
      case 'announced':
        return this.#isDue(key, route, leaseMs) && this.#stamping.isThere(key, route)
      case 'active':
        return this.#mayShrink(key, route)
      case 'draining':
        return this.#mergingBack.isDone(key, route)
      case 'settled':
        return this.#mergingBack.isDone(key, route) && this.#stamping.isThere(key, route)
      case 'cold':
        return this.#isDue(key, route, retryHorizonMs)
      default:
        return route.phase satisfies never
    }
  }

  /** What the route comes to, undefined for one that is dropped. Only where it may move on. */
  #movedOn(key: string, route: Route, revision: number): Route | undefined {
    switch (route.phase) {
      case 'announced':
        return activate(route, revision)
      case 'active':
        return this.#shrinking(key, route, revision)
      case 'draining':
        return settle(route, revision)
      case 'settled':
        return finish(route, revision)
      case 'cold':
        return undefined
      default:
        return route.phase satisfies never
    }
  }

  /** At once to be foreseen; drained once every client has seen where it leads for a lease. */
  #mayShrink(key: string, route: Route): boolean {
    const fanout = this.#shrunk(key, route)
    if (fanout === undefined) return false
    if (!route.writeHistory.includes(fanout)) return true
    return this.#isDue(key, route, this.#parts.leaseMs) && this.#stamping.isThere(key, route)
  }

  /** Whether it is about to be drained to where readers look already: a store that forgets the drain must remember that. */
  #isForeseen(key: string, route: Route): boolean {
    const fanout = route.phase === 'active' ? this.#shrunk(key, route) : undefined
    return fanout !== undefined && route.writeHistory.includes(fanout)
  }

  #shrinking(key: string, route: Route, revision: number): Route {
    const fanout = this.#shrunk(key, route) ?? route.write
    return route.writeHistory.includes(fanout) ? drain(route, fanout, revision) : foresee(route, fanout, revision)
  }

  /** A fanout below the route's that is wished for, unless this client itself wants more. */
  #shrunk(key: string, { write }: Route): number | undefined {
    const fanout = this.#wishes.shrinks.get(key)
    if (fanout === undefined || fanout >= write) return undefined
    const wanted = Math.max(this.#wishes.growths.get(key) ?? 1, this.#patternWishes.get(key) ?? 1)
    return fanout >= wanted ? fanout : undefined
  }

  #advance(directory: Directory): Directory | undefined {
    this.#beginAnewWithWaits()
    let { counter } = directory
    const routes = new Map(directory.routes)
    this.#taken = new Map()
    for (const [key, route] of directory.routes) {
      if (!this.#mayMoveOn(key, route)) continue
      const next = this.#movedOn(key, route, ++counter)
      if (next === undefined) routes.delete(key)
      else this.#take(routes, key, next)
    }
    if (!this.#isFull(directory)) counter = this.#grow(directory, counter, routes)
    return counter === directory.counter ? undefined : { ...directory, counter, routes }
  }

  /** Announces as many wishes in `routes` as there is room for, in their order; gives back the counter. */
  #grow(before: Directory, drawn: number, routes: Map<string, Route>): number {
    const { clock, random, directoryBytesMax } = this.#parts
    let counter = drawn
    let bytes = directoryBytes({ ...before, routes })
    for (const [key, fanout] of this.#wishesInOrder()) {
      const route = routes.get(key)
      if (!this.#mayGrow(key, route, fanout)) continue
      const number = Math.max(counter + 1, Math.floor(clock.wallMs()))
      const grown = announce(route, fanout, { number, nonce: randomUint32(random) }, number + 1)
      bytes += routeBytes(key, grown) - (route === undefined ? 0 : routeBytes(key, route))
      if (bytes > directoryBytesMax) {
        // Full as it stands only if there is nothing to swap; else the swap's outcome is looked at in its turn.
        if (counter === before.counter) this.#markFull(before, key)
        break
      }
      this.#take(routes, key, grown)
      counter = number + 1
    }
    return counter
  }

  #take(routes: Map<string, Route>, key: string, route: Route): void {
    routes.set(key, route)
    this.#taken.set(key, route.revision)
  }

  *#wishesInOrder(): Iterable<readonly [key: string, fanout: number]> {
    for (const [key, fanout] of this.#wishes.growths) yield [key, Math.max(fanout, this.#patternWishes.get(key) ?? 1)]
    yield* this.#patternWishes
  }

  #isFull(directory: Directory): boolean {
    return this.#full !== undefined && this.#full.routes === versionOf(directory)
  }

  #markFull(directory: Directory, key: string): void {
    this.#full = { routes: versionOf(directory), told: new Set() }
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

/** Changes whenever a route does, and not with the leader's terms. */
function versionOf({ routes }: Directory): string {
  let latest = 0
  for (const { revision } of routes.values()) latest = Math.max(latest, revision)
  return `${routes.size}/${latest}`
}

/** Between two phases in which it may stay. */
function isOnItsWay({ phase }: Route): boolean {
  return phase !== 'active' && phase !== 'cold'
}

/** Its store has let it be spread once. */
function isSpread(route: Route | undefined): route is Route {
  return route !== undefined && route.phase !== 'cold'
}

/** Growth starts from a cold or an active route; in between, the step that is under way is finished first. */
function mayGrow(route: Route | undefined, fanout: number): boolean {
  if (route === undefined) return fanout > 1
  return (route.phase === 'active' || route.phase === 'cold') && fanout > route.write
}

// Problem: many processes must agree where a key's shards are, and a cold key must not pay for it with a request.
// Scheme: every process holds a snapshot of one small directory and refreshes it in the background. A snapshot may be acted
//   upon under its lease; past it, operations wait for a refresh and fail with `ROUTE_UNAVAILABLE` when none comes in time.
// Invariants: one directory request at a time, so that an older answer never replaces a newer one; a revision's age counts
//   from the moment its *answer* arrived, by the monotonic clock; a lease counts from the moment its fetch *began*; a document
//   that lacks what this process remembers is never acted upon: it is healed first, under the old snapshot's lease.
// Cost: one fetch at start and one every `refreshMs`; nothing for a key but a look-up in a map that is empty while all is cold.
// Source: docs/routing.md; Gray and Cheriton, «Leases» (SOSP 1989).

import type { Backend, RouteStamp } from '../backend/backend.js'
import { BackendError } from '../backend/backend-error.js'
import { callWithin } from '../backend/call.js'
import { type Random, randomUint32 } from '../chance/random.js'
import { DirectoryMismatchError, RouteUnavailableError } from '../errors/route-error.js'
import type { ResolvedRoutingOptions } from '../resolved-options.js'
import type { Events } from '../telemetry/events.js'
import type { Clock, Timer } from '../time/clock.js'
import { checkTimings, decodeDirectory, type Directory, encodeDirectory } from './directory.js'
import { DirectoryCopies, firstPlace } from './directory-copies.js'
import { counterGap, heal, isSameMaking } from './heal.js'
import { isSameRoute, type Route, shardOf } from './route.js'
import { isForgotten, routeOf } from './route-stamp.js'
import { Snapshot } from './snapshot.js'

/** How often a fetch that finds something missing writes it and looks again; every round that is lost to another client brings what that one wrote. */
const roundsMax = 5

/** So often a swap of forgotten routes is tried against others, each of whom writes back what it knows to be missing. */
const restoresMax = 32

/** So many forgotten routes go in one swap. */
const restoredMax = 64

/** What routing is built from. */
export interface RoutingParts {
  readonly backend: Backend
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly options: ResolvedRoutingOptions
  readonly requestTimeoutMs: number
}

/** When this process was shown a revision of a route. */
interface Seen {
  readonly route: Route
  readonly sinceMs: number
  /** From when on every copy of the directory is known to have it. */
  everywhereMs: number | undefined
}

/** This process's view of the directory, kept fresh. */
export class Routing {
  readonly #parts: RoutingParts
  readonly #copies: DirectoryCopies
  readonly #seen = new Map<string, Seen>()
  #snapshot: Snapshot | undefined
  /** When the fetch or swap began that showed the snapshot's document last. */
  #shownMs = 0
  /** What reads have found to be missing, by key; gone once it was looked after. */
  readonly #forgotten = new Map<string, RouteStamp>()
  #restoring: Promise<void> | undefined
  #busy: Promise<void> | undefined
  #spreadingOut: Promise<void> | undefined
  #spreadNotBeforeMs = 0
  #waitsBegun = 0
  /** The counter of the directory that all copies are known to have. */
  #everywhereCounter: number | undefined
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: RoutingParts) {
    this.#parts = parts
    this.#copies = new DirectoryCopies(parts.backend.directory, parts.options.directoryCopies, parts.random)
  }

  /** Fetches the directory, or makes it, and keeps it fresh from then on. Rejects with `DIRECTORY_MISMATCH` when options differ from its header. */
  async start(): Promise<void> {
    await this.refresh()
    this.#arm()
  }

  /** Ends the background refresh. Resolves when no directory request is under way: within its time-out. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.clear()
    await Promise.all([this.#busy?.catch(ignoreHere), this.#spreadingOut])
  }

  /** The snapshot if its lease holds at `nowMs`; undefined once it is over. */
  currentAt(nowMs: number): Snapshot | undefined {
    const snapshot = this.#snapshot
    return snapshot !== undefined && snapshot.isValidAt(nowMs) ? snapshot : undefined
  }

  /** The snapshot whether its lease holds or not: for showing, never for acting. */
  latest(): Snapshot | undefined {
    return this.#snapshot
  }

  /** A snapshot under a lease, after as many refreshes as it takes. Rejects with `ROUTE_UNAVAILABLE` after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<Snapshot> {
    const { clock, options } = this.#parts
    const giveUpMs = clock.nowMs() + timeoutMs
    let cause: unknown
    do {
      const snapshot = this.currentAt(clock.nowMs())
      if (snapshot !== undefined) return snapshot
      try {
        await this.refresh()
      } catch (error) {
        cause = error
        await new Promise<void>((resolve) => clock.setTimer(resolve, options.refreshMs / 4))
      }
    } while (!this.#isClosed && clock.nowMs() < giveUpMs)
    throw new RouteUnavailableError(cause)
  }

  /** Fetches the directory; joins a request that is under way. */
  refresh(): Promise<void> {
    return this.#exclusively(() => this.#fetchOwn())
  }

  /** Changes whenever all waits of a lease have begun anew, and what was done in them is to be done again. */
  get waitsBegun(): number {
    return this.#waitsBegun
  }

  /** Whether it has been closed. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** A copy that cannot be read is no reason to stand still. */
  async #fetchOwn(): Promise<void> {
    try {
      await this.#fetch(this.#copies.ownPlace)
    } catch (error) {
      if (this.#copies.ownPlace === firstPlace || error instanceof DirectoryMismatchError) throw error
      await this.#fetch(firstPlace)
    }
  }

  /** For how long this process has seen this revision of the key's route; 0 when it has not. */
  shownForMs(key: string, revision: number): number {
    const seen = this.#seen.get(key)
    return seen?.route.revision === revision ? this.#parts.clock.monotonicMs() - seen.sinceMs : 0
  }

  /** For how long, to this process's knowledge, every place of the directory has shown this revision of the key's route, or a later one: what a wait of a lease counts. */
  seenForMs(key: string, revision: number): number {
    const seen = this.#seen.get(key)
    if (seen?.route.revision !== revision || seen.everywhereMs === undefined) return 0
    return this.#parts.clock.monotonicMs() - seen.everywhereMs
  }

  /** Sees to it that all copies of the directory have what this process was shown, so that waits may begin. Does nothing where they have. */
  spreadOut(): void {
    const { clock, options } = this.#parts
    if (this.#spreadingOut !== undefined || this.#isClosed || clock.monotonicMs() < this.#spreadNotBeforeMs) return
    if (!this.#copies.isMany || this.#snapshot?.directory.counter === this.#everywhereCounter) return
    this.#spreadNotBeforeMs = clock.monotonicMs() + options.refreshMs
    this.#spreadingOut = this.#writeCopies()
      .catch((error: unknown) => this.#tellFailure(error)) // tried again while somebody waits for it
      .finally(() => {
        this.#spreadingOut = undefined
      })
  }

  /**
   * Swaps the directory for what `change` makes of it. Another client's change wins over this one's and is fetched instead:
   * then the answer is false. It is true also where `change` gives nothing, or the client is closed.
   */
  async swap(change: (directory: Directory) => Directory | undefined): Promise<boolean> {
    while (this.#busy !== undefined) await this.#busy.catch(ignoreHere)
    let isBeaten = false
    await this.#exclusively(async () => {
      if (this.#copies.isMany) await this.#fetch(firstPlace) // what is swapped is what stands there
      const before = this.#snapshot
      const directory = before === undefined || this.#isClosed ? undefined : change(before.directory)
      if (before === undefined || directory === undefined) return
      const beganMs = this.#parts.clock.nowMs()
      const text = encodeDirectory(directory)
      const version = await this.#put(before.version, text)
      isBeaten = version === undefined
      if (version === undefined) await this.#fetch(firstPlace)
      else this.#adopt(directory, text, version, beganMs)
    })
    if (!isBeaten) {
      this.#spreadNotBeforeMs = 0
      this.spreadOut()
    }
    return !isBeaten
  }

  /** Writes back a route that the directory has forgotten; `stamp` was read from the key's shard 0. All that wait go in one swap. Rejects with `BackendError`. */
  restore(key: string, stamp: RouteStamp): Promise<void> {
    this.#forgotten.set(key, stamp)
    this.#restoring ??= this.#restoreAll().finally(() => {
      this.#forgotten.clear()
      this.#restoring = undefined
    })
    return this.#restoring
  }

  async #restoreAll(): Promise<void> {
    await this.refresh() // most often this process's snapshot is only old
    for (let round = 1; round <= restoresMax && !this.#isClosed; round++) {
      const missing = this.#stillForgotten()
      if (missing.length === 0) return
      // What was read may stand on a primary alone; nothing is built upon it before the store has acknowledged it.
      const { records } = this.#parts.backend
      await Promise.all(
        missing.map(([key, stamp]) =>
          this.#request(async (call) => records.stampRoute?.(shardOf(key, undefined, 0), stamp, call)),
        ),
      )
      await this.swap((directory) => this.#withForgotten(directory))
    }
    if (this.#stillForgotten().length > 0)
      throw new BackendError('unavailable', `Other clients changed the directory ${restoresMax} times meanwhile.`)
  }

  #stillForgotten(): readonly (readonly [string, RouteStamp])[] {
    const directory = this.#snapshot?.directory
    if (directory === undefined) return []
    return [...this.#forgotten].filter(([key, stamp]) => isForgotten(directory, key, stamp)).slice(0, restoredMax)
  }

  #withForgotten(directory: Directory): Directory | undefined {
    const missing = this.#stillForgotten()
    if (missing.length === 0) return undefined
    const routes = new Map(directory.routes)
    let { counter } = directory
    for (const [key, stamp] of missing) {
      routes.set(key, routeOf(key, stamp))
      counter = Math.max(counter, stamp.revision)
    }
    return { ...directory, healCount: (directory.healCount ?? 0) + 1, counter: counter + counterGap, routes }
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#busy !== undefined) return this.#busy
    const done = () => {
      this.#busy = undefined
    }
    this.#busy = work().finally(done)
    return this.#busy
  }

  async #fetch(place: number): Promise<void> {
    const { clock, options } = this.#parts
    for (let round = 1; round <= roundsMax; round++) {
      if (this.#isClosed) return
      const beganMs = clock.nowMs()
      const { text, version } = await this.#request((call) => this.#copies.at(place).read(call))
      if (text !== undefined && this.#snapshot?.isOf(text, place === firstPlace ? version : undefined) === true) {
        this.#snapshot.extendTo(beganMs + options.leaseMs)
        this.#shownMs = beganMs
        return
      }
      const shown = text === undefined || version === undefined ? undefined : decodeDirectory(text)
      if (shown !== undefined) checkTimings(shown, options)
      if (place !== firstPlace && shown !== undefined && this.#isLate(shown)) return this.#fetchFirst(place)
      const missing = this.#missingFrom(shown)
      if (shown !== undefined && missing === undefined) {
        this.#adopt(shown, text as string, version as string, beganMs)
        return
      }
      // A copy that lacks something is only late, or new; what the first place lacks is lost.
      if (place !== firstPlace) return this.#fetchFirst(place)
      await this.#put(version, encodeDirectory(missing ?? this.#newDirectory()))
    }
    throw new BackendError('unavailable', `The directory did not show in ${roundsMax} rounds what was written to it.`)
  }

  /** Whether a copy is older than what this process was shown last. */
  #isLate(shown: Directory): boolean {
    const known = this.#snapshot?.directory
    return known !== undefined && isSameMaking(known, shown) && shown.counter < known.counter
  }

  /** And brings a place up to date that was late: else every fetch would go to both. */
  async #fetchFirst(late: number): Promise<void> {
    await this.#fetch(firstPlace)
    const directory = this.#snapshot?.directory
    if (directory === undefined) return
    await this.#copies
      .bringUpToDate(directory, encodeDirectory(directory), (request) => this.#request(request), late)
      .catch(ignoreHere) // what is there has been fetched
  }

  async #writeCopies(): Promise<void> {
    const directory = this.#snapshot?.directory
    const waitsBegun = this.#waitsBegun
    if (directory === undefined) return
    await this.#copies.bringUpToDate(directory, encodeDirectory(directory), (request) => this.#request(request))
    // A route of an old revision that was lost has come back meanwhile: these copies have been written without it.
    if (waitsBegun !== this.#waitsBegun) return
    this.#everywhereCounter = directory.counter
    const everywhereMs = this.#parts.clock.monotonicMs()
    for (const seen of this.#seen.values())
      if (seen.route.revision <= directory.counter) seen.everywhereMs ??= everywhereMs
  }

  /** A memory from before the retry horizon proves nothing: what it lacks may have been merged back and dropped since. */
  #missingFrom(shown: Directory | undefined): Directory | undefined {
    const { clock, options } = this.#parts
    if (this.#snapshot === undefined || clock.nowMs() - this.#shownMs >= options.retryHorizonMs) return undefined
    return heal(this.#snapshot.directory, shown)
  }

  #newDirectory(): Directory {
    const { clock, random, options } = this.#parts
    const { leaseMs, retryHorizonMs, sealRetentionMs, directoryCopies } = options
    const copies = directoryCopies === 1 ? undefined : directoryCopies
    const timings = { leaseMs, retryHorizonMs, sealRetentionMs }
    const madeMs = Math.floor(clock.wallMs())
    return { madeMs, counter: 0, copies, timings, hashSeed: randomUint32(random), routes: new Map() }
  }

  #put(expected: string | undefined, text: string): Promise<string | undefined> {
    decodeDirectory(text) // throws: what this process would refuse to read must not reach the others
    return this.#request((call) => this.#copies.at(firstPlace).swap(expected, text, call))
  }

  #adopt(directory: Directory, text: string, version: string, beganMs: number): void {
    const { clock, events, options } = this.#parts
    this.#shownMs = beganMs
    // Somebody may have been shown the directory without what was lost, and acts upon that for a lease.
    if ((this.#snapshot?.directory.healCount ?? 0) !== (directory.healCount ?? 0)) this.#beginAnew()
    if (this.#snapshot?.renew(directory, text, version, beganMs + options.leaseMs) === true) return
    this.#snapshot = new Snapshot(directory, text, version, beganMs + options.leaseMs)
    const sinceMs = clock.monotonicMs()
    for (const key of this.#seen.keys()) {
      if (!directory.routes.has(key)) this.#seen.delete(key)
    }
    for (const [key, route] of directory.routes) {
      const seen = this.#seen.get(key)
      if (seen !== undefined && isSameRoute(seen.route, route)) continue
      const { phase, read, write, revision } = route
      this.#seen.set(key, { route, sinceMs, everywhereMs: this.#copies.isMany ? undefined : sinceMs })
      if (events.hasListeners('route-changed')) events.emit('route-changed', { key, phase, read, write, revision })
    }
  }

  #beginAnew(): void {
    this.#waitsBegun += 1
    this.#everywhereCounter = undefined
    const sinceMs = this.#parts.clock.monotonicMs()
    for (const [key, { route }] of this.#seen)
      this.#seen.set(key, { route, sinceMs, everywhereMs: this.#copies.isMany ? undefined : sinceMs })
  }

  #request<T>(request: Parameters<typeof callWithin<T>>[2]): Promise<T> {
    return callWithin(this.#parts.clock, this.#parts.requestTimeoutMs, request)
  }

  #tellFailure(error: unknown): void {
    const { events } = this.#parts
    if (events.hasListeners('directory-failed')) events.emit('directory-failed', { error })
  }

  #arm(): void {
    if (this.#isClosed) return
    const { clock, options } = this.#parts
    this.#timer = clock.setTimer(
      () => {
        void this.refresh()
          .catch((error: unknown) => this.#tellFailure(error))
          .finally(() => this.#arm())
      },
      options.refreshMs,
      { isBackground: true },
    )
  }
}

/** Whoever made the request is told of its failure. */
function ignoreHere(): void {}

// Problem: a hot key's route must grow although no process is in charge and any may crash between two steps.
// Scheme: every client proposes what it sees to be needed and takes every step that is due, each by one compare-and-swap of
//   the directory. Of several that try, one wins; the others fetch what it did.
// Invariants: a route becomes active only by a client that has itself seen it announced for 1.1 leases, counted from the
//   answer that showed it (rule announce-wait); every growth draws a new generation (rule generation).
// Cost: two swaps a growth; no request while nothing is due.
// Source: docs/routing.md

import type { Random } from '../chance/random.js'
import { randomUint32 } from '../chance/random.js'
import { byteLength } from '../internal/byte-length.js'
import type { Events } from '../telemetry/events.js'
import type { Clock } from '../time/clock.js'
import { type Directory, encodeDirectory } from './directory.js'
import { activate, announce } from './phases.js'
import type { Route } from './route.js'
import type { Routing } from './routing.js'

/** The rate of clocks may differ by so much between machines. */
const clockDriftFactor = 1.1

/** How many wishes are held; hotter ones come first anyway. */
const wishesMax = 1_024

/** What the coordinator is built from. */
export interface CoordinatorParts {
  readonly routing: Routing
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly leaseMs: number
  readonly directoryBytesMax: number
}

/** Moves routes on. */
export class Coordinator {
  readonly #parts: CoordinatorParts
  readonly #wishes = new Map<string, number>()
  #swapping: Promise<void> | undefined

  constructor(parts: CoordinatorParts) {
    this.#parts = parts
  }

  /** Asks for at least `fanout` shards for a key. Wishes made earlier, for hotter keys, come first when the directory is full. */
  want(key: string, fanout: number): void {
    const wished = this.#wishes.get(key)
    if (wished === undefined ? this.#wishes.size < wishesMax : wished < fanout) this.#wishes.set(key, fanout)
  }

  /** Takes the steps that are due; does nothing while an earlier swap is under way. */
  step(): void {
    if (this.#swapping !== undefined || !this.#isAnythingDue()) return
    const { routing, events } = this.#parts
    this.#swapping = routing
      .swap((directory) => this.#advance(directory))
      .then(() => undefined)
      .catch((error: unknown) => {
        if (events.hasListeners('directory-failed')) events.emit('directory-failed', { error })
      })
      .finally(() => {
        this.#swapping = undefined
      })
  }

  /** Resolves when no swap is under way. */
  async idle(): Promise<void> {
    await this.#swapping
  }

  #isAnythingDue(): boolean {
    const directory = this.#parts.routing.latest()?.directory
    if (directory === undefined) return false
    for (const [key, fanout] of this.#wishes) {
      if (mayGrow(directory.routes.get(key), fanout)) return true
      this.#wishes.delete(key)
    }
    for (const [key, route] of directory.routes) if (this.#isDue(key, route)) return true
    return false
  }

  #isDue(key: string, route: Route): boolean {
    return (
      route.phase === 'announced' &&
      this.#parts.routing.seenForMs(key, route.revision) >= this.#parts.leaseMs * clockDriftFactor
    )
  }

  #advance(directory: Directory): Directory | undefined {
    let { counter } = directory
    const routes = new Map(directory.routes)
    for (const [key, route] of directory.routes) {
      if (this.#isDue(key, route)) routes.set(key, activate(route, ++counter))
    }
    for (const [key, fanout] of this.#wishes) {
      this.#wishes.delete(key)
      const before = routes.get(key)
      if (!mayGrow(before, fanout)) continue
      const number = Math.max(counter + 1, this.#parts.clock.wallMs())
      const route = announce(before, fanout, { number, nonce: randomUint32(this.#parts.random) }, number + 1)
      routes.set(key, route)
      if (this.#fits({ ...directory, counter: number + 1, routes })) counter = number + 1
      else this.#takeBack(routes, key, before)
    }
    return counter === directory.counter ? undefined : { ...directory, counter, routes }
  }

  #takeBack(routes: Map<string, Route>, key: string, before: Route | undefined): void {
    const { events, directoryBytesMax } = this.#parts
    if (before === undefined) routes.delete(key)
    else routes.set(key, before)
    if (events.hasListeners('directory-full')) events.emit('directory-full', { key, bytesMax: directoryBytesMax })
  }

  #fits(directory: Directory): boolean {
    return byteLength(encodeDirectory(directory)) <= this.#parts.directoryBytesMax
  }
}

/** Growth starts from a cold or an active route; in between, the step that is under way is finished first. */
function mayGrow(route: Route | undefined, fanout: number): boolean {
  if (route === undefined) return fanout > 1
  return (route.phase === 'active' || route.phase === 'cold') && fanout > route.write
}

// Problem: processes act on routes that may be a lease old, and no acknowledged write may fall between two of them.
// Scheme: a route moves only between neighbouring phases, each of which is safe beside the one before it; a lease lies between.
//
//   cold ──announce──▶ announced ──activate──▶ active ──drain──▶ draining ──settle──▶ settled ──finish──▶ cold / active
//                          ▲                      │
//                          └───── announce ───────┘  (growth)
//
// Where writes were never at the fanout that a drain leads to, the active route foresees it first, a lease before.
//
// Invariants: write ≤ read, both powers of two; reads cover every shard that any valid snapshot may write to; a growth opens
//   its shards in a new generation; draining is never taken back.
// Cost: pure functions on small values.
// Source: docs/routing.md; the schema states of Google's F1 (Rae et al., VLDB 2013).

import { isPowerOfTwo } from '../internal/power-of-two.js'
import type { Generation } from '../operation.js'
import type { Phase, Route } from './route.js'

/** Opens shards up to `fanout` for reads; writes stay where they are. Throws when the route may not grow so now. */
export function announce(route: Route | undefined, fanout: number, generation: Generation, revision: number): Route {
  const before = route ?? cold
  requirePhase(before.phase, 'announce', ['cold', 'active'])
  requireThat(
    isPowerOfTwo(fanout) && fanout > before.write,
    `fanout ${fanout} is not a power of two above ${before.write}`,
  )
  const generations = before.generations.slice(0, Math.log2(before.write))
  while (generations.length < Math.log2(fanout)) generations.push(generation)
  return {
    phase: 'announced',
    read: fanout,
    write: before.write,
    generations,
    writeHistory: before.writeHistory,
    revision,
  }
}

/** Lets writes go where reads already look. Only after a whole lease of `announced`: rule announce-wait. */
export function activate(route: Route, revision: number): Route {
  requirePhase(route.phase, 'activate', ['announced'])
  return { ...route, phase: 'active', write: route.read, writeHistory: [...route.writeHistory, route.read], revision }
}

/**
 * Lets readers and deletes look for items also where a drain to `fanout` will put them. Who still held the route without it
 * would miss them: so the drain comes a whole lease later.
 */
export function foresee(route: Route, fanout: number, revision: number): Route {
  requirePhase(route.phase, 'foresee', ['active'])
  requireBelow(route, fanout)
  return { ...route, writeHistory: [...route.writeHistory, fanout], revision }
}

/** Takes writes back to `fanout` shards, one of the route's `writeHistory`; the others are sealed and absorbed before the route settles. */
export function drain(route: Route, fanout: number, revision: number): Route {
  requirePhase(route.phase, 'drain', ['active'])
  requireBelow(route, fanout)
  requireThat(route.writeHistory.includes(fanout), `fanout ${fanout} is not among ${route.writeHistory.join(', ')}`)
  return { ...route, phase: 'draining', write: fanout, revision }
}

/** Ends a drain once every shard from `write` on is sealed and absorbed. Keeps their generations: what is left of them can still be found. */
export function settle(route: Route, revision: number): Route {
  requirePhase(route.phase, 'settle', ['draining'])
  return {
    ...route,
    phase: 'settled',
    read: route.write,
    writeHistory: route.writeHistory.filter((w) => w <= route.write),
    revision,
  }
}

/** Makes a settled route an ordinary one again, a lease later. */
export function finish(route: Route, revision: number): Route {
  requirePhase(route.phase, 'finish', ['settled'])
  return {
    ...route,
    phase: route.write === 1 ? 'cold' : 'active',
    generations: route.generations.slice(0, Math.log2(route.write)),
    writeHistory: route.write === 1 ? [1] : route.writeHistory,
    revision,
  }
}

const cold: Route = { phase: 'cold', read: 1, write: 1, generations: [], writeHistory: [1], revision: 0 }

function requireBelow({ write }: Route, fanout: number): void {
  requireThat(isPowerOfTwo(fanout) && fanout < write, `fanout ${fanout} is not a power of two below ${write}`)
}

function requirePhase(phase: Phase, step: string, allowed: readonly Phase[]): void {
  requireThat(allowed.includes(phase), `${step} may follow ${allowed.join(' or ')}, not ${phase}`)
}

function requireThat(isMet: boolean, what: string): void {
  if (!isMet) throw new RangeError(`route: ${what}`)
}

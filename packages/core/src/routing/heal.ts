// Problem: a store may forget its newest change (a failover), or the whole directory; whoever believed it would read a spread
//   key as if it were cold, and miss every write that was acknowledged in its other shards.
// Scheme: a process that remembers a route which it is not shown, or a later revision of it, writes that back before it acts.
//   A route is dropped only after it was cold for the retry horizon, and nobody heals from a memory older than that (routing.ts):
//   so one that is missing has been lost, unless it is remembered as cold.
// Invariants: what is written back holds every key of both, and neither of the two who held the halves finds anything missing
//   in it: so several that heal at once converge, each by one compare-and-swap.
// Cost: nothing while text and version stay; else one comparison a route.
// Source: docs/routing.md, «When the store itself forgets».

import type { Directory } from './directory.js'
import type { Route } from './route.js'

/** How far the counter moves on when something was forgotten, so that no revision is drawn twice that somebody drew in the changes which were lost. */
export const counterGap = 1_000

/** What must be written back before a process that remembers `remembered` acts on `shown`; undefined when `shown` lacks nothing. */
export function heal(remembered: Directory, shown: Directory | undefined): Directory | undefined {
  const healCount = Math.max(remembered.healCount ?? 0, shown?.healCount ?? 0) + 1
  if (shown === undefined) return { ...remembered, healCount, counter: remembered.counter + counterGap }
  const age = compareMaking(remembered, shown)
  const routes = new Map(shown.routes)
  let isWhole = age >= 0
  for (const [key, ours] of remembered.routes) {
    const theirs = shown.routes.get(key)
    // A key whose route was cold has been dropped since, which is as good.
    if (theirs === undefined ? ours.phase === 'cold' : !(age === 0 ? isLater(ours, theirs) : age < 0)) continue
    routes.set(key, ours)
    isWhole = false
  }
  if (isWhole) return undefined
  const { madeMs, hashSeed } = age < 0 ? remembered : shown
  return {
    ...shown,
    madeMs,
    hashSeed,
    healCount,
    counter: Math.max(remembered.counter, shown.counter) + counterGap,
    routes,
  }
}

/**
 * Below 0 when `one` was made first, 0 when both are of one making. Whoever is shown no directory makes one, and its revisions
 * say nothing about another's: the elder has its way with the header and with keys that both have, since what was
 * acknowledged lies where it says.
 */
function compareMaking(one: Directory, other: Directory): number {
  return one.madeMs - other.madeMs || one.hashSeed - other.hashSeed
}

/** Whether two directories go back to the same beginning. */
export function isSameMaking(one: Directory, other: Directory): boolean {
  return compareMaking(one, other) === 0
}

/** Revisions come from one counter; only where a change was lost can two routes have the same. */
function isLater(route: Route, other: Route): boolean {
  if (route.revision !== other.revision) return route.revision > other.revision
  const [mine, theirs] = [route.generations.at(-1), other.generations.at(-1)]
  if (mine === undefined || theirs === undefined) return mine !== undefined
  return mine.number === theirs.number ? mine.nonce > theirs.nonce : mine.number > theirs.number
}

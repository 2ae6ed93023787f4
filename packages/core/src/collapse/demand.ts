// Problem: a throttled key lets no more through than its partitions serve, so what its writes consume says nothing about how
//   many shards it needs.
// Scheme: a flight counts as demand when its partition first refuses it, as the least that it could consume, and for the rest
//   when it has landed. A change that joins the window behind a refused flight counts when it joins, if it would have left in
//   a flight of its own.
// Invariants: each flight that was, or would have been, counts once, at about the time when it would have left; so the sum over
//   the fleet is the load that is offered after collapsing, and nothing is left over to be counted when a backlog drains. What
//   was not refused counts what it consumed. Attempts that were not answered, or refused for another reason than a
//   partition's, are no demand.
// Cost: a comparison a flight, and one a change.
// Source: docs/fleet.md

/** A flight is followed by the next no sooner than about this: a request takes some milliseconds. */
export const flightMsMin = 10

/** Units of demand that are left to be counted when a flight has ended. */
export function demandLeft(unitsConsumed: number, isCounted: boolean): number {
  return isCounted ? Math.max(0, unitsConsumed - 1) : unitsConsumed
}

import type { KeyHeat } from './detection/heat.js'
import type { Route } from './routing/route.js'
import type { Snapshot } from './routing/snapshot.js'

/** A key that is hot now, as this client sees it. */
export interface HotKey extends KeyHeat {
  /** How many shards its writes go to. */
  readonly fanout: number
  /** Where its route stands; `cold` while it has none. */
  readonly phase: Route['phase']
  /** The share of its shards' write capacity that this client leaves free: 1 is all of it, below 0 is more than there is. */
  readonly headroom: number
}

/** Joins heat with routes. */
export function showHotKeys(
  heats: readonly KeyHeat[],
  snapshot: Snapshot | undefined,
  writeUnitsPerSecondMax: number,
): readonly HotKey[] {
  return heats.map((heat) => {
    const route = snapshot?.route(heat.key)
    const fanout = route?.write ?? 1
    return {
      ...heat,
      fanout,
      phase: route?.phase ?? 'cold',
      headroom: 1 - heat.writeUnitsPerSecond / (fanout * writeUnitsPerSecondMax),
    }
  })
}

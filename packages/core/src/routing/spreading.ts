import type { ShardingRule } from '../options.js'
import type { ResolvedShardingOptions } from '../resolved-options.js'
import type { Coordinator } from './coordinator.js'
import { fanoutFor } from './fanout.js'
import type { Route } from './route.js'
import type { Routing } from './routing.js'

/** What is known of a hot key's writes. */
export interface WriteHeat {
  readonly key: string
  /** Capacity units that this client's writes to the key consume a second. */
  readonly writeUnitsPerSecond: number
  /** Whether throttles of late speak for the key being hot itself. */
  readonly isWriteThrottled: boolean
}

/** What the whole fleet's heat calls for, as far as this client leads it. */
export interface FleetWishes {
  /** Fanouts by key that are needed, hottest first. */
  wishes(): ReadonlyMap<string, number>
  /** Fanouts by key that have been enough for long. */
  shrinks(): ReadonlyMap<string, number>
  /** Whether this client leads. */
  leads(): boolean
  /** A key is declared to be hot. */
  declared(key: string, fanout: number): void
}

/** What decides about spreading. */
export interface SpreadingParts {
  readonly routing: Routing
  readonly coordinator: Coordinator
  readonly fleet: FleetWishes
  readonly options: ResolvedShardingOptions
  readonly leaseMs: number
  readonly writeUnitsPerSecondMax: number
}

/** Wishes for fanouts: from heat, from throttles and from declared rules. */
export class Spreading {
  readonly #parts: SpreadingParts
  readonly #patterns: readonly ShardingRule[]
  readonly #declared: readonly (readonly [key: string, fanout: number])[]

  constructor(parts: SpreadingParts) {
    this.#parts = parts
    const { rules } = parts.options
    this.#patterns = rules.some(({ match }) => typeof match !== 'string') ? rules : []
    this.#declared = rules.flatMap(({ match, fanout }, i) =>
      typeof match === 'string' && !rules.slice(0, i).some((rule) => matches(rule, match))
        ? [[match, fanout] as const]
        : [],
    )
  }

  /** Makes the wishes of declared keys and those that heat calls for, hottest first, and lets the coordinator take the steps that are due. */
  decide(hottestFirst: readonly WriteHeat[]): void {
    const { coordinator, fleet, options, writeUnitsPerSecondMax } = this.#parts
    const bounds = { unitsPerShard: writeUnitsPerSecondMax * options.targetUtilization, fanoutMax: options.fanoutMax }
    const wishes = new Map(this.#declared)
    for (const [key, fanout] of fleet.wishes()) wishes.set(key, Math.max(fanout, wishes.get(key) ?? 1))
    for (const { key, writeUnitsPerSecond, isWriteThrottled } of hottestFirst) {
      const route = this.#parts.routing.latest()?.route(key)
      const isThrottled = isWriteThrottled && this.#hasSettledIn(key, route)
      const fanout = fanoutFor({ writeUnitsPerSecond, isThrottled, writeFanout: route?.write ?? 1 }, bounds)
      if (fanout > Math.max(route?.write ?? 1, wishes.get(key) ?? 1)) wishes.set(key, fanout)
    }
    coordinator.step({ growths: wishes, shrinks: fleet.shrinks(), isLeading: fleet.leads() })
  }

  /** A key is written: the first rule that matches it declares its fanout. Costs nothing while no rule is a pattern. */
  declare(key: string): void {
    for (const rule of this.#patterns) {
      if (!matches(rule, key)) continue
      this.#parts.coordinator.wantByPattern(key, rule.fanout)
      this.#parts.fleet.declared(key, rule.fanout)
      return
    }
  }

  /** Throttles say nothing about a fanout that other clients have not taken up yet. */
  #hasSettledIn(key: string, route: Route | undefined): boolean {
    return route === undefined || this.#parts.routing.seenForMs(key, route.revision) >= this.#parts.leaseMs
  }
}

function matches({ match }: ShardingRule, key: string): boolean {
  return typeof match === 'string' ? match === key : match.test(key)
}

import type { Random } from '../chance/random.js'
import type { ShardingRule } from '../options.js'
import type { ResolvedShardingOptions } from '../resolved-options.js'
import type { Coordinator } from './coordinator.js'
import { fanoutFor } from './fanout.js'
import type { Route } from './route.js'
import type { Routing } from './routing.js'
import type { Clock } from '../time/clock.js'

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
  /** Whether another client leads. */
  isLedByAnother(): boolean
  /** A key is declared to be hot. */
  declared(key: string, fanout: number): void
}

/** What decides about spreading. */
export interface SpreadingParts {
  readonly routing: Routing
  readonly coordinator: Coordinator
  readonly fleet: FleetWishes
  readonly options: ResolvedShardingOptions
  readonly clock: Clock
  readonly random: Random
  readonly leaseMs: number
  readonly writeUnitsPerSecondMax: number
}

/** Wishes for fanouts: from heat, from throttles and from declared rules. Where another client leads, they are left to it for a while. */
export class Spreading {
  readonly #parts: SpreadingParts
  readonly #patterns: readonly ShardingRule[]
  /** Since when keys are wished for that are left to the leader. */
  readonly #wishedSinceMs = new Map<string, number>()
  readonly #patienceMs: number
  readonly #declared: readonly (readonly [key: string, fanout: number])[]

  constructor(parts: SpreadingParts) {
    this.#parts = parts
    this.#patienceMs = parts.leaseMs * (1 + parts.random.next())
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
    for (const [key, fanout] of this.#declared) fleet.declared(key, fanout)
    for (const [key, fanout] of fleet.wishes()) wishes.set(key, Math.max(fanout, wishes.get(key) ?? 1))
    for (const { key, writeUnitsPerSecond, isWriteThrottled } of hottestFirst) {
      const route = this.#parts.routing.latest()?.route(key)
      const isThrottled = isWriteThrottled && this.#hasSettledIn(key, route)
      const fanout = fanoutFor({ writeUnitsPerSecond, isThrottled, writeFanout: route?.write ?? 1 }, bounds)
      if (fanout > Math.max(route?.write ?? 1, wishes.get(key) ?? 1)) wishes.set(key, fanout)
    }
    if (fleet.isLedByAnother()) this.#keepPatient(wishes)
    else this.#wishedSinceMs.clear()
    coordinator.step({ growths: wishes, shrinks: fleet.shrinks(), isLeading: fleet.leads() })
  }

  /** Takes out what has not been wished for long enough: a thousand clients that see the same must not all swap the directory. */
  #keepPatient(wishes: Map<string, number>): void {
    const nowMs = this.#parts.clock.monotonicMs()
    for (const key of this.#wishedSinceMs.keys()) if (!wishes.has(key)) this.#wishedSinceMs.delete(key)
    for (const key of wishes.keys()) {
      const sinceMs = this.#wishedSinceMs.get(key) ?? nowMs
      this.#wishedSinceMs.set(key, sinceMs)
      if (nowMs - sinceMs < this.#patienceMs) wishes.delete(key)
    }
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

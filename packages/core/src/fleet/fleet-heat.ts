// Problem: draws are few, so estimates of a key's rate err by a tenth or more; a key must be spread a second after it has become
//   hot, and must not come and go because an estimate does, or because the key does.
// Scheme: a key grows when an epoch's estimate, less 1.3 times its own standard error, is more than its shards are planned for,
//   or when two epochs in a row are above it. It may shrink to the fanout that has been enough for twice its smoothed rate
//   throughout `coolMs`, and no sooner than `coolMs` after its route's last change.
// Invariants: at most one merge of a key in `coolMs` and two leases, which is what the steps of a merge take; none while the
//   key is hot for a moment in every `coolMs`. Whoever has not seen every epoch's reports begins its `coolMs` anew.
// Cost: one pass over the keys that were drawn, once an epoch. What is kept: the hottest 1,024 keys above a shard's plan, and
//   a dozen numbers for each key that is spread.
// Source: docs/fleet.md

import { nextPowerOfTwo } from '../internal/power-of-two.js'
import { fanoutFor } from '../routing/fanout.js'
import type { Route } from '../routing/route.js'
import type { EpochReports } from './heat-report.js'

/** So many standard errors. With 32 draws for a shard's plan it asks for 40: once in 10,000 epochs at 0.7 of the plan. */
const certainty = 1.3

/** What an epoch counts in the smoothed rate. */
const epochWeight = 1 / 4

/** A key shrinks only to what is enough for its rate so many times. */
const reserve = 2

/** So many epochs may be left out before what was seen is forgotten. */
const gapMax = 3

/** How many keys are kept that were above a shard's plan. */
const keysMax = 1_024

/** A fanout is at most 1,024. */
const fanoutBitsMax = 10

/** What decisions are made by. */
export interface HeatBounds {
  /** What one shard may be planned to consume a second. */
  readonly unitsPerShard: number
  /** See `ShardingOptions.fanoutMax`. */
  readonly fanoutMax: number
  /** See `ShardingOptions.coolMs`. */
  readonly coolMs: number
  /** A declaration counts for so long. */
  readonly declaredMs: number
  readonly epochMs: number
}

/** What is known of a key that is spread. */
interface Cooling {
  smoothedUnits: number
  /** When a fanout of 1, 2, 4, … was last not enough. */
  readonly shortMs: number[]
}

interface Declared {
  readonly fanout: number
  readonly sinceMs: number
}

/** The fleet's heat by key, as its leader knows it from the epochs' reports. */
export class FleetHeat {
  readonly #bounds: HeatBounds
  #epoch = Number.NEGATIVE_INFINITY
  #notedMs = Number.NEGATIVE_INFINITY
  #above: ReadonlyMap<string, number> = new Map()
  #wishes: ReadonlyMap<string, number> = new Map()
  readonly #cooling = new Map<string, Cooling>()
  readonly #declared = new Map<string, Declared>()

  constructor(bounds: HeatBounds) {
    this.#bounds = bounds
  }

  /** Forgets everything: another process has led meanwhile. */
  reset(): void {
    this.#epoch = Number.NEGATIVE_INFINITY
    this.#above = new Map()
    this.#wishes = new Map()
    this.#cooling.clear()
    this.#declared.clear()
  }

  /** Takes in an epoch's reports, read at `nowMs`, with the fanouts that this process itself knows to be declared. */
  note(epoch: number, nowMs: number, reports: EpochReports, own: ReadonlyMap<string, number>, routes: Routes): void {
    const isGap = epoch <= this.#epoch || epoch - this.#epoch > gapMax
    if (isGap) this.reset()
    this.#decideGrowth(reports, routes, epoch === this.#epoch + 1)
    this.#epoch = epoch
    this.#notedMs = nowMs
    this.#noteDeclared(nowMs, [...reports.declared, ...own], routes)
    for (const key of this.#cooling.keys()) if (!isSpread(routes.get(key))) this.#cooling.delete(key)
    for (const [key, route] of routes)
      if (isSpread(route)) this.#noteCooling(key, nowMs, reports.unitsByKey.get(key)?.units ?? 0)
  }

  /** Fanouts that the last epoch calls for, hottest first. */
  wishes(): ReadonlyMap<string, number> {
    return this.#wishes
  }

  /** Fanouts below the present ones that have been enough throughout the last `coolMs`. */
  shrinks(
    nowMs: number,
    routes: Routes,
    seenForMs: (key: string, revision: number) => number,
  ): ReadonlyMap<string, number> {
    const { epochMs, declaredMs } = this.#bounds
    const coolMs = Math.max(this.#bounds.coolMs, declaredMs) // whoever declares the key has been heard
    const shrinks = new Map<string, number>()
    if (nowMs - this.#notedMs > gapMax * epochMs) return shrinks
    for (const [key, { shortMs }] of this.#cooling) {
      const route = routes.get(key)
      if (route?.phase !== 'active') continue
      const isForeseen = route.writeHistory.at(-1) !== route.write
      if (!isForeseen && seenForMs(key, route.revision) < coolMs) continue
      const bits = this.#bitsEnough(shortMs, nowMs, coolMs)
      // While the key is still cooling, one merge a little later does for two.
      if (bits !== this.#bitsEnough(shortMs, nowMs, coolMs / 2)) continue
      if (2 ** bits < route.write) shrinks.set(key, 2 ** bits)
    }
    return shrinks
  }

  /** The logarithm of the least fanout that has been enough for so long, and is. */
  #bitsEnough(shortMs: readonly number[], nowMs: number, forMs: number): number {
    const bits = shortMs.findIndex((ms) => nowMs - ms >= forMs && ms < this.#notedMs)
    return bits < 0 ? fanoutBitsMax : bits
  }

  #decideGrowth({ unitsByKey }: EpochReports, routes: Routes, isNext: boolean): void {
    const { unitsPerShard, fanoutMax, epochMs } = this.#bounds
    const above = new Map<string, number>()
    const wishes = new Map<string, number>()
    const hottestFirst = [...unitsByKey]
      .filter(([, { units }]) => units >= this.#plannedUnits(1))
      .toSorted(([, a], [, b]) => b.units - a.units)
    for (const [key, { units, variance }] of hottestFirst.slice(0, keysMax)) {
      const writeFanout = routes.get(key)?.write ?? 1
      const planned = this.#plannedUnits(writeFanout)
      if (units < planned) continue
      above.set(key, units)
      const isCertain = units - certainty * Math.sqrt(variance) >= planned
      const before = isNext ? (this.#above.get(key) ?? 0) : 0
      if (!isCertain && before < planned) continue
      const writeUnitsPerSecond = ((isCertain ? units : Math.min(units, before)) * 1_000) / epochMs
      const fanout = fanoutFor({ writeUnitsPerSecond, isThrottled: false, writeFanout }, { unitsPerShard, fanoutMax })
      if (fanout > writeFanout) wishes.set(key, fanout)
    }
    this.#above = above
    this.#wishes = wishes
  }

  #plannedUnits(fanout: number): number {
    const { unitsPerShard, epochMs } = this.#bounds
    return (fanout * unitsPerShard * epochMs) / 1_000
  }

  #noteDeclared(nowMs: number, declared: Iterable<readonly [string, number]>, routes: Routes): void {
    for (const [key, { sinceMs }] of this.#declared)
      if (nowMs - sinceMs > this.#bounds.declaredMs || !isSpread(routes.get(key))) this.#declared.delete(key)
    for (const [key, fanout] of declared) {
      if (!isSpread(routes.get(key)) || fanout < (this.#declared.get(key)?.fanout ?? 1)) continue
      this.#declared.set(key, { fanout, sinceMs: nowMs })
    }
  }

  #noteCooling(key: string, nowMs: number, units: number): void {
    let cooling = this.#cooling.get(key)
    if (cooling === undefined) {
      cooling = { smoothedUnits: units, shortMs: Array.from({ length: fanoutBitsMax + 1 }, () => nowMs) }
      this.#cooling.set(key, cooling)
    }
    cooling.smoothedUnits += (units - cooling.smoothedUnits) * epochWeight
    const needed = nextPowerOfTwo((reserve * cooling.smoothedUnits) / this.#plannedUnits(1))
    const bits = Math.log2(Math.max(needed, this.#declared.get(key)?.fanout ?? 1))
    for (let bit = 0; bit < bits && bit <= fanoutBitsMax; bit++) cooling.shortMs[bit] = nowMs
  }
}

type Routes = ReadonlyMap<string, Route>

function isSpread(route: Route | undefined): boolean {
  return route !== undefined && route.write > 1
}

// Problem: say which keys are hot now, on the way of every operation, in constant memory, without a clock or a second map
// on that way; and keep apart what the application asks for and what reaches the backend, since the one decides about
// collapsing and the other about spreading.
// Scheme: a heat table for writes and one for reads count every logical operation. A request that consumed more than one
// unit adds the excess to the same count, so that few but expensive operations are found, too. Keys from a quarter of the
// threshold on, and throttled keys with traffic of their own, are tracked: their requests, units and throttles are
// counted exactly, each apart (heat-gauge.ts). At the tick, a key's heat is its logical rate or its units, whichever is higher; a throttle
// that implicates the key lifts it to the threshold (throttle-signal.ts); hysteresis turns heat into hot and cold.
// Invariants: a key that is hot by its rate has at least half the threshold for certain, whatever its estimate's error. State
// changes only in tick(). Memory is bounded by bytesMax whatever the keys; if more keys deserve to be tracked than fit, hot
// ones and hotter ones go first. Decay is by the time handed to tick(), never by the number of operations.
// Cost: a logical operation costs one add to a table. A request costs a Map lookup, and an add if it was expensive. A
// surge to R with threshold T is noticed after halfLifeMs·log2(R/(R-T)) and at most one tick: 234 ms for R = 2.5 T.
// The relative deviation of an estimate is sqrt(ln 2/(2·halfLife·R)) for arrivals at random: 3.7 % at 1,000 a second.
// Source: heat-table.ts, forward-decay.ts and throttle-signal.ts name theirs.

import type { Random } from '../chance/random.js'
import type { ResolvedDetectionOptions } from './detection-options.js'
import { HeatGauge } from './heat-gauge.js'
import { sides, type Heat, type HeatChange, type KeyHeat, type Side } from './heat.js'
import { nextHeatState } from './hysteresis.js'
import { isHotOn, type TrackedKey } from './tracked-keys.js'

export type { ResolvedDetectionOptions } from './detection-options.js'
export type { Heat, HeatChange, KeyHeat } from './heat.js'

/** Tracked from this part of the threshold on, so that the physical rates have settled once the key is hot. */
const trackedFraction = 1 / 4
/** Tracked no longer below this part: half of the above, so that a key does not come and go. */
const droppedFraction = trackedFraction / 2
/** Cold below this part of the threshold. */
const coolFraction = 1 / 2
/** A tracked key yields its place only to one that is hotter by this factor, so that two do not take turns. */
const displacingFactor = 1.25

/** Finds hot keys. Has no clock and no timer: its owner calls {@link Detection.tick} every `tickMs`. */
export class Detection {
  readonly #options: ResolvedDetectionOptions
  readonly #gauge: HeatGauge
  #hotKeys: readonly KeyHeat[] = []

  /** Starts with every key cold at `nowMs`. `random` seeds the tables. */
  constructor(options: ResolvedDetectionOptions, random: Random, nowMs: number) {
    this.#options = options
    this.#gauge = new HeatGauge(options, trackedFraction, random, nowMs)
  }

  /** Counts `logical` writes that the application asked for: one at a time or a whole window at once. Allocates nothing. */
  countWrites(key: string, logical: number): void {
    this.#gauge.countLogical('write', key, logical)
  }

  /** Counts `logical` reads that the application asked for. Allocates nothing. */
  countReads(key: string, logical: number): void {
    this.#gauge.countLogical('read', key, logical)
  }

  /** Counts write requests to the backend and the capacity units that all of them consumed. */
  countWriteRequests(key: string, requests: number, units: number): void {
    this.#gauge.countRequests('write', key, requests, units)
  }

  /** Counts read requests to the backend and the capacity units that all of them consumed. */
  countReadRequests(key: string, requests: number, units: number): void {
    this.#gauge.countRequests('read', key, requests, units)
  }

  /**
   * Counts a throttled request of the key. `namesKeyRange` says that a partition's limit was the reason: only then is it
   * evidence, and only for a key with traffic of its own.
   */
  countThrottle(key: string, side: Side, namesKeyRange: boolean): void {
    this.#gauge.countThrottle(side, key, namesKeyRange)
  }

  /** Moves on to `nowMs` and decides anew. Returns the keys that turned hot or cold, in no particular order. */
  tick(nowMs: number): readonly HeatChange[] {
    const { tracked: keys } = this.#gauge
    this.#gauge.tick(nowMs)
    const changes: HeatChange[] = []
    this.#trackCandidates(changes)
    for (const tracked of keys.values()) {
      for (const side of sides) this.#decide(tracked, side, nowMs, changes)
      if (!isHotAnywhere(tracked) && this.#gauge.loadOf(tracked) < droppedFraction) keys.drop(tracked)
    }
    this.#hotKeys = this.#rankHotKeys()
    return changes
  }

  /** Whether the key's writes are hot, so that they are collapsed over a window. One Map lookup. */
  isHot(key: string): boolean {
    const tracked = this.#gauge.tracked.get(key)
    return tracked !== undefined && isHotOn(tracked, 'write')
  }

  /** The key's rates; undefined for a key of which nothing is known. */
  heat(key: string): Heat | undefined {
    return this.#gauge.heatOf(key)
  }

  /** The keys that are hot for writes, for reads or both, as of the last tick: the one furthest above its threshold first. */
  hotKeys(): readonly KeyHeat[] {
    return this.#hotKeys
  }

  /** Tracks what the tables list. Where there is no room, the key of the least load yields: a cold one before a hot one. */
  #trackCandidates(changes: HeatChange[]): void {
    const { tracked: keys } = this.#gauge
    let hardestToYieldFirst: TrackedKey[] | undefined
    for (const { key, load } of this.#gauge.candidates()) {
      if (load < trackedFraction) break
      while (keys.get(key) === undefined && keys.track(key) === undefined) {
        hardestToYieldFirst ??= this.#hardestToYieldFirst()
        const easiest = hardestToYieldFirst.at(-1)
        if (easiest === undefined || !this.#yields(easiest, load)) return
        hardestToYieldFirst.pop()
        this.#drop(easiest, changes)
      }
    }
  }

  #hardestToYieldFirst(): TrackedKey[] {
    const ranks = [...this.#gauge.tracked.values()].map((tracked) => ({ tracked, load: this.#gauge.loadOf(tracked) }))
    return ranks.toSorted((a, b) => hotFirst(a.tracked, b.tracked) || b.load - a.load).map(({ tracked }) => tracked)
  }

  /** A key that is hot yields only to one that will be hot. */
  #yields(tracked: TrackedKey, load: number): boolean {
    return load >= this.#gauge.loadOf(tracked) * displacingFactor && (load >= 1 || !isHotAnywhere(tracked))
  }

  #drop(tracked: TrackedKey, changes: HeatChange[]): void {
    for (const side of sides) {
      if (isHotOn(tracked, side)) changes.push({ key: tracked.key, side, state: 'cold' })
    }
    this.#gauge.tracked.drop(tracked)
  }

  #decide(tracked: TrackedKey, side: Side, nowMs: number, changes: HeatChange[]): void {
    const { coolMs, hotWritesPerSecond, hotReadsPerSecond } = this.#options
    const hotPerSecond = side === 'write' ? hotWritesPerSecond : hotReadsPerSecond
    const thresholds = { hotPerSecond, coldPerSecond: hotPerSecond * coolFraction, coolMs }
    const wasHot = isHotOn(tracked, side)
    const { heatPerSecond } = this.#gauge.read(tracked.key, tracked, side)
    tracked.states[side] = nextHeatState(tracked.states[side], heatPerSecond, thresholds, nowMs)
    const isHot = isHotOn(tracked, side)
    if (isHot !== wasHot) changes.push({ key: tracked.key, side, state: isHot ? 'hot' : 'cold' })
  }

  #rankHotKeys(): readonly KeyHeat[] {
    const ranks: { load: number; heat: KeyHeat }[] = []
    for (const tracked of this.#gauge.tracked.values()) {
      const heat = isHotAnywhere(tracked) ? this.#gauge.heatOf(tracked.key) : undefined
      if (heat === undefined) continue
      const load = this.#gauge.loadOf(tracked)
      ranks.push({ load, heat: { key: tracked.key, ...heat, share: this.#gauge.shareOf(heat) } })
    }
    return ranks.toSorted((a, b) => b.load - a.load).map(({ heat }) => heat)
  }
}

function isHotAnywhere(tracked: TrackedKey): boolean {
  return sides.some((side) => isHotOn(tracked, side))
}

function hotFirst(a: TrackedKey, b: TrackedKey): number {
  return Number(isHotAnywhere(b)) - Number(isHotAnywhere(a))
}

import type { Random } from '../chance/random.js'
import type { ResolvedDetectionOptions } from './detection-options.js'
import { ForwardDecay } from './forward-decay.js'
import { sides, type Heat, type Side } from './heat.js'
import { HeatTable } from './heat-table.js'
import { isImplicated, victimFraction } from './throttle-signal.js'
import { isHotOn, TrackedKeys, type TrackedKey } from './tracked-keys.js'

/** Each table's part of the memory. The rest tracks keys: 45 in 64 KB. */
const tableShare = 3 / 8

/** The counters of one side. */
interface Counters {
  readonly table: HeatTable
  readonly hotPerSecond: number
  /** All logical operations, decayed forwards. */
  total: number
}

/** What is known about a key on one side, a second. */
export interface Reading {
  /** Operations that the application asked for. */
  readonly logicalPerSecond: number
  /** How far above the truth `logicalPerSecond` may be. */
  readonly errorPerSecond: number
  /** What counts against the threshold; 0 for a key that is not tracked. */
  readonly heatPerSecond: number
  /** Whether throttles of late speak against the key. */
  readonly isThrottled: boolean
}

/** Counts everything and reads it per key; decides nothing. */
export class HeatGauge {
  /** The keys whose physical rates are counted. */
  readonly tracked: TrackedKeys
  readonly #counters: Readonly<Record<Side, Counters>>
  readonly #decay: ForwardDecay

  /** Empty at `nowMs`. Keys are listed from `listedFraction` of their side's threshold on. */
  constructor(options: ResolvedDetectionOptions, listedFraction: number, random: Random, nowMs: number) {
    const { bytesMax, halfLifeMs, tickMs, hotWritesPerSecond, hotReadsPerSecond } = options
    const counters = (hotPerSecond: number): Counters => {
      const listedPerSecond = hotPerSecond * listedFraction
      const tableOptions = { bytesMax: bytesMax * tableShare, halfLifeMs, tickMs, listedPerSecond }
      return { table: new HeatTable(tableOptions, random, nowMs), hotPerSecond, total: 0 }
    }
    this.#counters = { write: counters(hotWritesPerSecond), read: counters(hotReadsPerSecond) }
    this.#decay = new ForwardDecay(halfLifeMs, tickMs, nowMs)
    this.tracked = new TrackedKeys(bytesMax * (1 - 2 * tableShare), this.#decay)
  }

  /** Counts operations that the application asked for. Allocates nothing. */
  countLogical(side: Side, key: string, logical: number): void {
    const counters = this.#counters[side]
    counters.table.add(key, logical)
    counters.total += logical * this.#decay.gain
  }

  /** Counts requests and their units. What is beyond one unit a request also counts in the table, so that it is found. */
  countRequests(side: Side, key: string, requests: number, units: number): void {
    const excess = Math.max(units - requests, 0)
    if (excess > 0) this.#counters[side].table.add(key, excess)
    const tracked = this.tracked.get(key)
    if (tracked === undefined) return
    this.tracked.count(tracked, side, 'requests', requests)
    this.tracked.count(tracked, side, 'units', units)
    this.tracked.count(tracked, side, 'excessUnits', excess)
  }

  /** Counts a throttle. One of a key range starts to track the key, unless it has next to no traffic of its own. */
  countThrottle(side: Side, key: string, namesKeyRange: boolean): void {
    const { table, hotPerSecond } = this.#counters[side]
    let tracked = this.tracked.get(key)
    if (tracked === undefined && namesKeyRange && table.rate(key) >= hotPerSecond * victimFraction) {
      tracked = this.tracked.track(key)
    }
    if (tracked === undefined) return
    this.tracked.count(tracked, side, 'throttles', 1)
    if (namesKeyRange) this.tracked.count(tracked, side, 'keyRangeThrottles', 1)
  }

  /** Moves on to `nowMs`. */
  tick(nowMs: number): void {
    for (const side of sides) this.#counters[side].table.tick(nowMs)
    const factor = this.#decay.tick(nowMs)
    if (factor === 1) return
    this.tracked.rescale(factor)
    for (const side of sides) this.#counters[side].total *= factor
  }

  /** The keys that the tables list, each with how near it is to its threshold, nearest first. Two entries for a key listed twice. */
  candidates(): { key: string; load: number }[] {
    const candidates: { key: string; load: number }[] = []
    for (const side of sides) {
      const { table, hotPerSecond } = this.#counters[side]
      for (const { key, perSecond } of table.top(Infinity)) candidates.push({ key, load: perSecond / hotPerSecond })
    }
    return candidates.toSorted((a, b) => b.load - a.load)
  }

  /** Reads one side of a key. */
  read(key: string, tracked: TrackedKey | undefined, side: Side): Reading {
    const { table, hotPerSecond, total } = this.#counters[side]
    const { perSecond, errorPerSecond } = table.estimate(key)
    if (tracked === undefined) {
      return { logicalPerSecond: perSecond, errorPerSecond, heatPerSecond: 0, isThrottled: false }
    }
    const unitsPerSecond = this.tracked.perSecond(tracked, side, 'units')
    const logicalPerSecond = Math.max(perSecond - this.tracked.perSecond(tracked, side, 'excessUnits'), 0)
    // Units are exact, so the error matters only where the logical rate is the higher one. Twice what is certain keeps
    // a key with less than half the threshold from being hot by its error.
    const certainPerSecond = Math.max(logicalPerSecond - errorPerSecond, unitsPerSecond)
    const ownPerSecond = Math.min(Math.max(logicalPerSecond, unitsPerSecond), 2 * certainPerSecond)
    const isThrottled = isImplicated({
      keyRangeThrottles: this.tracked.unitsNow(tracked, side, 'keyRangeThrottles'),
      ownPerSecond,
      share: share(logicalPerSecond, this.#decay.perSecond(total)),
      hotPerSecond,
    })
    const heatPerSecond = isThrottled ? Math.max(ownPerSecond, hotPerSecond) : ownPerSecond
    return { logicalPerSecond, errorPerSecond, heatPerSecond, isThrottled }
  }

  /** How near a key is to being hot on either side; 1 is the threshold. */
  loadOf(tracked: TrackedKey): number {
    const load = (side: Side) => this.read(tracked.key, tracked, side).heatPerSecond / this.#counters[side].hotPerSecond
    return Math.max(load('write'), load('read'))
  }

  /** All rates of a key; undefined for a key of which nothing is known. */
  heatOf(key: string): Heat | undefined {
    const tracked = this.tracked.get(key)
    const write = this.read(key, tracked, 'write')
    const read = this.read(key, tracked, 'read')
    if (tracked === undefined && write.logicalPerSecond === 0 && read.logicalPerSecond === 0) return undefined
    const rate = (side: Side, measure: 'requests' | 'units' | 'throttles') =>
      tracked === undefined ? 0 : this.tracked.perSecond(tracked, side, measure)
    return {
      logicalWritesPerSecond: write.logicalPerSecond,
      physicalWritesPerSecond: rate('write', 'requests'),
      writeUnitsPerSecond: rate('write', 'units'),
      logicalReadsPerSecond: read.logicalPerSecond,
      physicalReadsPerSecond: rate('read', 'requests'),
      readUnitsPerSecond: rate('read', 'units'),
      throttlesPerSecond: rate('write', 'throttles') + rate('read', 'throttles'),
      estimateErrorPerSecond: Math.max(write.errorPerSecond, read.errorPerSecond),
      isWriteHot: tracked !== undefined && isHotOn(tracked, 'write'),
      isReadHot: tracked !== undefined && isHotOn(tracked, 'read'),
      isWriteThrottled: write.isThrottled,
      isReadThrottled: read.isThrottled,
    }
  }

  /** A key's part of all logical operations of both sides, 0 to 1. */
  shareOf(heat: Heat): number {
    const { write, read } = this.#counters
    const total = this.#decay.perSecond(write.total + read.total)
    return share(heat.logicalWritesPerSecond + heat.logicalReadsPerSecond, total)
  }
}

/** Estimates are unbiased and may be above the exact total. */
function share(perSecond: number, totalPerSecond: number): number {
  return totalPerSecond > 0 ? Math.min(perSecond / totalPerSecond, 1) : 0
}

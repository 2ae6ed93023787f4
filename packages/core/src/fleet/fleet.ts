// Problem: a key that is cold in every single process may be hot in all of them together, and one that has cooled must be
//   merged back although no process sees that nobody writes it any more.
// Scheme: every process draws units of what it is asked to write (heat-sampler.ts) and reports them once an epoch, a third of a lease, to
//   records of Spillway's own (heat-report.ts). One process, the leader (leadership.ts), adds up the epoch that is over and
//   says which keys should grow or shrink (fleet-heat.ts); the coordinator makes it so.
// Invariants: nothing here delays or fails an operation; at most one report, one reading and one swap are under way.
// Cost: reports a second are at most one an epoch and process, and at most 32 for each `targetUtilization` of a partition that
//   the fleet writes; the leader reads once an epoch and swaps once a lease. Nothing while nothing is written or spread.
// Source: docs/fleet.md

import type { Capabilities, RecordStore } from '../backend/backend.js'
import type { Random } from '../chance/random.js'
import type { Directory } from '../routing/directory.js'
import type { Route } from '../routing/route.js'
import type { Clock } from '../time/clock.js'
import { DeclaredKeys } from './declared-keys.js'
import { FleetHeat } from './fleet-heat.js'
import { HeatReports } from './heat-report.js'
import { type Draws, HeatSampler } from './heat-sampler.js'
import { Leadership, type LeaderRouting } from './leadership.js'

/** Ticks are not much finer. */
const epochMsMin = 250

/** So many draws an epoch for what one shard is planned for: an estimate's standard error is 18 % there, less above. */
const drawsPerShard = 32

/** Reports come in this part of an epoch, so that those of clocks which are a little late still come in time. */
const reportedPart = 3 / 4

/** When an epoch is read: so long after its end, as a part of an epoch. */
const readPart = 1 / 10

/** How many keys one report has. */
const keysMax = 1_024

/** How large a report is at most, if the store takes as much twice. */
const bytesMax = 65_536

/** A declaration counts for so long, in leases, and is repeated twice in that time. */
const declaredLeases = 4

const noWishes: ReadonlyMap<string, number> = new Map()

/** What the fleet needs of routing. */
export interface FleetRouting extends LeaderRouting {
  /** For how long this process has seen this revision of the key's route. */
  seenForMs(key: string, revision: number): number
}

/** What the fleet is built from. */
export interface FleetParts {
  readonly store: RecordStore
  readonly capabilities: Pick<Capabilities, 'changeBytesMax' | 'shardsPerReadMax' | 'reservedMark' | 'partition'>
  readonly routing: FleetRouting
  readonly clock: Clock
  readonly random: Random
  /** Names this process among all others. */
  readonly id: string
  readonly leaseMs: number
  readonly requestTimeoutMs: number
  readonly options: { readonly fanoutMax: number; readonly targetUtilization: number; readonly coolMs: number }
  /** Told what has failed; it is tried again with the next epoch, or the next lease. */
  onError(error: unknown): void
}

/** This process as a part of the fleet, and as its leader. */
export class Fleet {
  readonly #parts: FleetParts
  readonly #epochMs: number
  /** Reports leave so long after an epoch has begun: another time for each process. */
  readonly #phaseMs: number
  /** A drawn unit stands for so many, by default. */
  readonly #interval: number
  readonly #sampler: HeatSampler
  readonly #reports: HeatReports
  readonly #leadership: Leadership
  readonly #heat: FleetHeat
  readonly #declared = new DeclaredKeys()
  readonly #declaredTurnMs: number
  #nextTurnMs: number
  #nextDeclaringMs: number
  #reportedEpoch: number
  #readEpoch = Number.NaN
  #reporting: Promise<void> | undefined
  #reading: Promise<void> | undefined
  #wasLeading = false
  readonly #isInert: boolean
  #closing: Promise<void> | undefined

  constructor(parts: FleetParts) {
    const { random, clock, capabilities, leaseMs, options } = parts
    const unitsPerShard = capabilities.partition.writeUnitsPerSecond * options.targetUtilization
    this.#parts = parts
    this.#isInert = options.fanoutMax === 1
    this.#epochMs = Math.max(epochMsMin, Math.floor(leaseMs / 3))
    this.#phaseMs = random.next() * this.#epochMs * reportedPart
    this.#interval = Math.max(1, Math.round((unitsPerShard * this.#epochMs) / 1_000 / drawsPerShard))
    this.#sampler = new HeatSampler(random, {
      interval: this.#interval,
      keysMax,
      bytesMax: Math.min(bytesMax, capabilities.changeBytesMax / 2),
    })
    this.#reports = new HeatReports({ ...parts, epochMs: this.#epochMs })
    this.#leadership = new Leadership(parts)
    this.#declaredTurnMs = declaredLeases * leaseMs
    this.#heat = new FleetHeat({
      ...options,
      unitsPerShard,
      epochMs: this.#epochMs,
      declaredMs: this.#declaredTurnMs,
    })
    this.#nextTurnMs = clock.nowMs() + this.#declaredTurnMs
    this.#nextDeclaringMs = clock.nowMs() + (random.next() * this.#declaredTurnMs) / 2
    // The first report, too, is about no more than an epoch.
    this.#reportedEpoch = this.#epochAt(clock.wallMs() - this.#phaseMs)
  }

  /** Counts capacity units that a write asks for, refused or not (collapse/demand.ts). Allocates nothing but for one write of some twenty. */
  count(key: string, units: number): void {
    if (!this.#isInert) this.#sampler.count(key, units)
  }

  /** A rule declares a key to be hot: it is not merged back to less, as long as this is said again and again. */
  declared(key: string, fanout: number): void {
    if (this.#isInert || (this.#parts.routing.latest()?.directory.routes.get(key)?.write ?? 1) === 1) return
    this.#declared.declare(key, fanout)
  }

  /** Begins what is due, and waits for nothing. Never throws. */
  tick(nowMs: number): void {
    const directory = this.#parts.routing.latest()?.directory
    if (this.#isInert || this.#closing !== undefined || directory === undefined) return
    const wallMs = this.#parts.clock.wallMs()
    const epoch = this.#epochAt(wallMs)
    const sinceBeganMs = wallMs - epoch * this.#epochMs
    if (nowMs >= this.#nextTurnMs) {
      this.#nextTurnMs = nowMs + this.#declaredTurnMs
      this.#declared.turn()
    }
    if (epoch !== this.#reportedEpoch && sinceBeganMs >= this.#phaseMs) this.#report(epoch, nowMs, directory)
    this.#leadership.tick(nowMs)
    const isLeading = this.#leadership.leadsAt(nowMs)
    if (!isLeading && this.#wasLeading) this.#heat.reset()
    this.#wasLeading = isLeading
    if (isLeading && epoch !== this.#readEpoch && sinceBeganMs >= readPart * this.#epochMs) this.#read(epoch)
  }

  /** Fanouts by key that the fleet's heat calls for, hottest first; none unless this process leads. */
  wishes(): ReadonlyMap<string, number> {
    return this.leads() ? this.#heat.wishes() : noWishes
  }

  /** Fanouts by key that have been enough for long; none unless this process leads. */
  shrinks(): ReadonlyMap<string, number> {
    const { routing, clock } = this.#parts
    const routes = routing.latest()?.directory.routes
    if (routes === undefined || routes.size === 0 || !this.leads()) return noWishes
    return this.#heat.shrinks(clock.nowMs(), routes, (key, revision) => routing.seenForMs(key, revision))
  }

  /** Whether this process leads. */
  leads(): boolean {
    return this.#closing === undefined && this.#leadership.leadsAt(this.#parts.clock.nowMs())
  }

  /** Whether another process leads, to whom decisions may be left. */
  isLedByAnother(): boolean {
    return !this.#isInert && this.#leadership.isLedByAnother()
  }

  /** Whether this process must resign before the directory is left. */
  mustResign(): boolean {
    return this.#leadership.mustResign()
  }

  /** Ends it; a leader resigns, for which it takes at most one more request time-out. Resolves when nothing is under way. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { clock, requestTimeoutMs } = this.#parts
    let timer: ReturnType<Clock['setTimer']> | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = clock.setTimer(resolve, requestTimeoutMs)
    })
    await Promise.race([this.#leadership.close(clock.nowMs()), isLate])
    timer?.clear()
    await Promise.all([this.#reporting, this.#reading])
  }

  #epochAt(wallMs: number): number {
    return Math.floor(wallMs / this.#epochMs)
  }

  #report(epoch: number, nowMs: number, directory: Directory): void {
    this.#reportedEpoch = epoch
    const draws = this.#sampler.take()
    this.#leadership.run(nowMs, this.#shareOf(draws), directory.routes.size > 0)
    const declared = this.#declaredNow(nowMs, directory.routes)
    // What an earlier report has held up would count as heat of another epoch.
    if ((draws === undefined && declared.size === 0) || this.#reporting !== undefined) return
    this.#reporting = this.#reports
      .write(epoch, draws, declared)
      .catch((error: unknown) => this.#parts.onError(error))
      .finally(() => {
        this.#reporting = undefined
      })
  }

  /** How much was drawn, whatever the interval. */
  #shareOf(draws: Draws | undefined): number {
    let count = 0
    for (const drawn of draws?.countByKey.values() ?? []) count += drawn
    return (count * (draws?.interval ?? 0)) / this.#interval
  }

  /** Twice a turn; nobody need be told of keys that are not spread. */
  #declaredNow(nowMs: number, routes: ReadonlyMap<string, Route>): ReadonlyMap<string, number> {
    if (nowMs < this.#nextDeclaringMs) return noWishes
    this.#nextDeclaringMs = nowMs + this.#declaredTurnMs / 2
    return this.#declared.spreadIn(routes)
  }

  #read(epoch: number): void {
    if (this.#reading !== undefined) return
    this.#readEpoch = epoch
    this.#reading = this.#noteEpoch(epoch - 1)
      .catch((error: unknown) => this.#parts.onError(error))
      .finally(() => {
        this.#reading = undefined
      })
  }

  async #noteEpoch(epoch: number): Promise<void> {
    const reports = await this.#reports.read(epoch)
    const { routing, clock } = this.#parts
    const nowMs = clock.nowMs()
    const routes = routing.latest()?.directory.routes
    if (routes === undefined || !this.#leadership.leadsAt(nowMs)) return
    if (reports.unitsByKey.size > 0 || routes.size > 0) this.#leadership.noteNeed(nowMs)
    this.#heat.note(epoch, nowMs, reports, this.#declared.spreadIn(routes), routes)
  }
}

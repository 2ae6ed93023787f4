import type { Backend } from './backend/backend.js'
import type { ThrottleDetail } from './backend/backend-error.js'
import type { Random } from './chance/random.js'
import type { Detection } from './detection/detection.js'
import type { DeadlineList } from './internal/deadline-list.js'
import type { ResolvedOptions } from './resolved-options.js'
import type { Routing } from './routing/routing.js'
import type { SpoolLog } from './spool/spool-log.js'
import type { Counters } from './telemetry/counters.js'
import type { Events } from './telemetry/events.js'
import type { Clock } from './time/clock.js'

/** What the paths of all records of a client share. */
export interface Stages {
  readonly options: ResolvedOptions
  readonly backend: Backend
  readonly clock: Clock
  readonly random: Random
  readonly routing: Routing
  readonly detection: Detection
  /** Of writes, and of reads: a list holds deadlines of one length. */
  readonly deadlines: { readonly writes: DeadlineList; readonly reads: DeadlineList }
  readonly events: Events
  /** A key is written: if a rule declares it to be hot, its route begins to grow. */
  declare(key: string): void
  /** A partition has refused a write for the first time, or holds up one that would have been sent: a unit of demand, at least. */
  refused(key: string): void
  /** Requests of a write, or of several, have ended, and consumed so many capacity units in all, of which `demandUnits` were not told as refused. */
  written(key: string, requests: number, units: number, demandUnits: number): void
  readonly counters: Counters
  /** Keeps buffered changes on disk; undefined when they may be lost with the process. */
  readonly spool: SpoolLog | undefined
  /** The store refused an attempt for lack of capacity: evidence of heat, a count and an event. */
  throttled(key: string, shardIndex: number, side: 'write' | 'read', throttle: ThrottleDetail): void
}

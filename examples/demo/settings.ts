/** What one run of the demo does; every number has a unit in its name and a bound in `arguments.ts`. */
export interface Settings {
  /** The log and its fields; undefined for the log that comes with the demo. */
  readonly data:
    { readonly file: string; readonly keyField: string; readonly timeField: string | undefined } | undefined
  /** What the log is replayed on. */
  readonly backend: BackendId
  /** Where that answers; undefined when it is to be started. */
  readonly address: string | undefined
  /** Which lines of the log are taken, the first being 1; undefined for all. */
  readonly lines: { readonly first: number; readonly last: number } | undefined
  /** How often the log is replayed, one time after another. */
  readonly laps: number
  /** How many entries a second are released, over all clients. */
  readonly rate: number
  /** How many clients there are; each stands for one process of a fleet. */
  readonly clients: number
  /** Spillway's collapse window. */
  readonly windowMs: number
  /** Seeds everything that is drawn by lot: which users are read, suffixes, back-off, latency, lost answers. */
  readonly seed: number
  /** Which strategies run, in this order. */
  readonly strategies: readonly StrategyId[]
  /** Where the results go as JSON; undefined for nowhere. */
  readonly jsonFile: string | undefined
}

/** The engines that there are. */
export type BackendId = 'memory' | 'redis' | 'redis-cluster' | 'dynamodb'

/** The strategies by the letters of the issue. */
export type StrategyId = 'a' | 'b' | 'c'

/** How many calls one client has in flight at most, back-off included: enough that calls which back off do not keep others from beginning. */
export const inFlightMax = 250

/** A read follows every so many writes. */
export const writesPerRead = 10

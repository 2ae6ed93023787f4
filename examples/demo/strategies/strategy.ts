import type { Random } from '@spillway/core'

import type { Outcome } from '../check/expected-totals.js'
import type { UserChange, UserTotals } from '../record.js'
import type { Settings, StrategyId } from '../settings.js'
import type { DemoStore, EngineDescription } from '../store/demo-store.js'

/** One client of a strategy: stands for one process of a fleet. */
export interface StrategyClient {
  /** Writes a change; resolves when the client holds it for written, rejects when it has given up. */
  write(key: string, change: UserChange): Promise<void>
  /** Reads a record. */
  read(key: string): Promise<UserTotals>
}

/** A strategy at work on one store. */
export interface StrategyRun {
  /** As many clients as were asked for. */
  readonly clients: readonly StrategyClient[]
  /** On how many shards a key lies; undefined when the strategy has no such notion. */
  fanoutOf(key: string): number | undefined
  /** Closes all clients. Returns what could not be written, as a line of text, or undefined. */
  close(): Promise<string | undefined>
}

/** What a strategy is opened with. */
export interface StrategyContext {
  /** The store, the same for all clients. */
  readonly store: DemoStore
  /** The demo's settings. */
  readonly settings: Settings
  /** Draws suffixes. */
  readonly random: Random
  /** Must be called when a write to a shard other than the key itself is acknowledged, until it returns true. */
  readonly onSpreadWrite: (key: string) => boolean
}

/** A way to write hot keys. */
export interface Strategy {
  /** Its letter. */
  readonly id: StrategyId
  /** Its name in the table. */
  readonly title: string
  /** What it does, in a line. */
  readonly description: (settings: Settings, engine: EngineDescription) => string
  /** Opens its clients. */
  open(context: StrategyContext): Promise<StrategyRun>
  /** What a failed write means to whoever called it; undefined for an error that no caller should ever see. */
  outcomeOf(error: unknown): Exclude<Outcome, 'done'> | undefined
  /** Whether an error of a read is one that callers have to reckon with, such as a throttle that outlasted the retries. */
  isReadFailure(error: unknown): boolean
}

import type { Backend, ClientOptions, Random } from '@spillway/core'

import type { UserChange, UserTotals } from '../record.js'
import type { StrategyId } from '../settings.js'
import type { StoreCounts } from './store-counts.js'

/** An engine on which one store after the other is opened. */
export interface DemoEngine {
  /** What the opening says of it. */
  readonly description: EngineDescription
  /** Rejects, with what has happened, when the engine ends before it is closed. Never resolves. */
  readonly lost: Promise<never>
  /** Opens a fresh and empty store for a strategy. */
  open(context: StoreContext): Promise<DemoStore>
  /** Takes down what was started; what was only named is left alone. */
  close(): Promise<void>
}

/** What is said of an engine: what of it is real and what is not, in lines of text. */
export interface EngineDescription {
  /** The engine, and who speaks to it. */
  readonly real: readonly string[]
  /** What is done to them. */
  readonly simulated: readonly string[]
  /** What the client without Spillway sends for a line, and how that is repeated when it fails. */
  readonly plainWrite: string
  /** How that client reads ten places. */
  readonly tenPlacesRead: string
  /** Options of Spillway's clients that differ from the defaults because of the engine. A key is spread a lease after it was announced. */
  readonly options: ClientTuning
}

/** What an engine may want to be different. */
export type ClientTuning = Pick<ClientOptions, 'limits'> & {
  readonly routing: { readonly refreshMs: number; readonly leaseMs: number }
}

/** What a store is opened with. */
export interface StoreContext {
  /** Whose store it is. */
  readonly strategy: StrategyId
  /** Draws delays, lost answers, back-off. */
  readonly random: Random
  /** Must be called with the key when a write is throttled. */
  readonly onThrottle: (key: string) => void
}

/** A store to replay against, for one strategy. */
export interface DemoStore {
  /** Stands before every key that a client of Spillway writes. */
  readonly prefix: string
  /** What a key is planned to be written a second at most; a key that is asked for more is in a surge. */
  readonly partitionWriteUnits: number
  /** As in the description. */
  readonly options: ClientTuning
  /** The store as client `index` of the fleet has it. */
  backend(index: number): Backend
  /** A client of an application that has no Spillway. */
  plain(index: number): PlainClient
  /** What the store has served so far. */
  counts(): Readonly<StoreCounts>
  /** How many answers were lost on the way since the store was opened; NaN where nobody can tell. */
  answersLost(): Promise<number>
  /** Hangs up and removes what was stored. */
  close(): Promise<void>
}

/** Where an application without Spillway puts a part of a record: shard 0 is the key itself, any other the key with a suffix that stays for ever. */
export interface Place {
  readonly key: string
  readonly index: number
}

/** One client without Spillway. What fails is repeated as that client repeats it; then it rejects with a `BackendError`. */
export interface PlainClient {
  /** Merges a change into one place. */
  write(place: Place, change: UserChange): Promise<void>
  /** Reads places of a record and adds them up. */
  read(places: readonly Place[]): Promise<UserTotals>
}

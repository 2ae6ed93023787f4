import { InvalidArgumentError } from '../errors/misuse-error.js'
import { knownOptions } from '../internal/known-options.js'
import type { ShardRef } from '../operation.js'
import { checkMsRange, type MsRange } from './ms-range.js'

/** What a request asks of a backend. */
export type FaultOperation =
  | 'write'
  | 'read'
  | 'seal'
  | 'absorb'
  | 'clear'
  | 'stampRoute'
  | 'checkSpread'
  | 'collections.put'
  | 'collections.delete'
  | 'collections.get'
  | 'collections.page'
  | 'collections.append'
  | 'directory.read'
  | 'directory.swap'

/** A request, as a fault sees it. */
export interface FaultRequest {
  /** What it asks. */
  readonly operation: FaultOperation
  /** The shards that it concerns: of an absorb the target, of an append that of each item, of a directory request none. */
  readonly shards: readonly ShardRef[]
}

/** How likely a fault is, from 0 to 1: for every request, or by request. */
export type Chance = number | ((request: FaultRequest) => number)

/** The faults that are on. Each is off when absent. Those without `directory` in their name leave the directory alone, but for `delayMs`. */
export interface Faults {
  /** The request is refused as throttled and has no effect. */
  readonly throttle?: Chance
  /** The request is refused as unavailable and has no effect. */
  readonly unavailable?: Chance
  /** The request never arrives: no effect, and nobody can know. */
  readonly loseRequest?: Chance
  /** The request takes effect, but its answer is lost. */
  readonly loseAnswer?: Chance
  /** A shard of a read of several, or an item of an append of several, is left out as throttled. Asked for each. */
  readonly partialBatch?: Chance
  /** The request takes effect and arrives a second time later on, unasked. Reads are not repeated. */
  readonly duplicateDelivery?: Chance
  /** A directory request is lost, on the way there or on the way back. */
  readonly directory?: Chance
  /** How long a request takes from its sending to its answer. @default none */
  readonly delayMs?: MsRange
  /** How much later the second copy of a request arrives. @default 1 to 1000 */
  readonly duplicateDelayMs?: MsRange
}

/** How many faults were injected, by what they were. */
export interface InjectedFaults {
  /** Requests refused as throttled. */
  readonly throttled: number
  /** Requests refused as unavailable. */
  readonly unavailable: number
  /** Requests that never arrived. */
  readonly lostRequests: number
  /** Answers that were lost after the request took effect. */
  readonly lostAnswers: number
  /** Shards left out of a read of several. */
  readonly unprocessedShards: number
  /** Items left out of an append of several. */
  readonly unprocessedItems: number
  /** Requests that were delivered a second time. */
  readonly duplicates: number
  /** Directory requests or their answers that were lost. */
  readonly directory: number
  /** Requests that took a while. */
  readonly delayed: number
}

const chanceNames = [
  'throttle',
  'unavailable',
  'loseRequest',
  'loseAnswer',
  'partialBatch',
  'duplicateDelivery',
  'directory',
] as const

/** The faults that have a chance. */
export type ChanceName = (typeof chanceNames)[number]

/** Checks faults and gives a copy that stays as it was checked. Throws `InvalidArgumentError`. */
export function checkedFaults(given: Faults): Faults {
  const faults = knownOptions(given, 'faults', [...chanceNames, 'delayMs', 'duplicateDelayMs'])
  for (const name of chanceNames) {
    const chance = faults[name]
    if (chance !== undefined && typeof chance !== 'function') checkedChance(`faults.${name}`, chance)
  }
  checkMsRange('faults.delayMs', faults['delayMs'])
  checkMsRange('faults.duplicateDelayMs', faults['duplicateDelayMs'])
  return Object.freeze({ ...given })
}

/** Checks a chance, given or computed. Throws `InvalidArgumentError`. */
export function checkedChance(path: string, given: unknown): number {
  if (typeof given !== 'number' || !(given >= 0 && given <= 1))
    throw new InvalidArgumentError(path, 'a number from 0 to 1, or a function that gives one', given)
  return given
}

import type { Random } from '../chance/random.js'
import { seededRandom } from '../chance/seeded-random.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import { finiteNumber } from '../internal/finite-number.js'
import { knownOptions } from '../internal/known-options.js'
import { requiredMethods } from '../internal/required-methods.js'
import { clockMethods, type Clock } from '../time/clock.js'
import { SystemClock } from '../time/system-clock.js'
import type { Capabilities } from './backend.js'
import { checkMsRange, type MsRange } from './ms-range.js'
import { savedSecondsMax, type ProvisionedThroughput, type TableShape } from './partition-table.js'

/** How a `PartitionedBackend` is laid out. */
export interface PartitionedOptions {
  /** Capacity flows in and delays run on it. @default the machine's clock */
  readonly clock?: Clock
  /** How many partitions. @default 4, which carry the 4,000 writes and 12,000 reads of a new on-demand table: on-demand-capacity-mode.html */
  readonly partitionCount?: number
  /** Another seed lays the keys out in another way. @default 0 */
  readonly seed?: number
  /** Draws the delays. @default one seeded with `seed` */
  readonly random?: Random
  /** Whether the table pays by the request, or has a rate of its own. @default 'onDemand' */
  readonly mode?: 'onDemand' | ProvisionedThroughput
  /** Write units a second of one partition. @default 1000: bp-partition-key-design.html */
  readonly writeUnitsPerSecond?: number
  /** Read units a second of one partition. @default 3000: bp-partition-key-design.html */
  readonly readUnitsPerSecond?: number
  /**
   * Bytes that an item has beside key and fields, such as attributes of the application's. Added to what is seen of an item:
   * the change in a write, the fields asked for in a read. @default 0
   */
  readonly itemOverheadBytes?: number
  /** How long a request takes. Its effect is at its beginning. @default no time at all */
  readonly delayMs?: MsRange
  /** Whether directory requests take capacity and are refused without. @default false */
  readonly throttlesDirectory?: boolean
}

/** Options with every default filled in. */
export interface ResolvedPartitioned {
  readonly clock: Clock
  readonly random: Random
  readonly delayMs: MsRange | undefined
  readonly shape: TableShape
  readonly itemOverheadBytes: number
  readonly throttlesDirectory: boolean
  /** What one key can do at most: its partition's cap, or the whole table where that has less. */
  readonly oneKey: Capabilities['partition']
}

const optionNames = [
  'clock',
  'partitionCount',
  'seed',
  'random',
  'mode',
  'writeUnitsPerSecond',
  'readUnitsPerSecond',
  'itemOverheadBytes',
  'delayMs',
  'throttlesDirectory',
]

/** Checks the options and fills in the defaults. Throws `InvalidArgumentError`. */
export function resolvePartitioned(options: PartitionedOptions): ResolvedPartitioned {
  knownOptions(options, 'options', optionNames)
  const { seed = 0, partitionCount = 4, mode = 'onDemand', delayMs } = options
  if (!Number.isSafeInteger(partitionCount) || partitionCount < 1)
    throw new InvalidArgumentError('partitionCount', 'a positive whole number', partitionCount)
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('seed', 'a whole number', seed)
  const provisioned = mode === 'onDemand' ? undefined : checkedProvisioned(mode)
  const writeUnitsPerSecond = aboveZero('writeUnitsPerSecond', options.writeUnitsPerSecond ?? 1_000)
  const readUnitsPerSecond = aboveZero('readUnitsPerSecond', options.readUnitsPerSecond ?? 3_000)
  checkMsRange('delayMs', delayMs)
  return {
    clock: requiredMethods<Clock>(options.clock, 'clock', clockMethods) ?? new SystemClock(),
    random: requiredMethods<Random>(options.random, 'random', ['next']) ?? seededRandom(seed),
    delayMs,
    shape: { partitionCount, seed, writeUnitsPerSecond, readUnitsPerSecond, provisioned },
    itemOverheadBytes: finiteNumber('itemOverheadBytes', options.itemOverheadBytes ?? 0, 0),
    throttlesDirectory: flag('throttlesDirectory', options.throttlesDirectory ?? false),
    oneKey: {
      writeUnitsPerSecond: Math.min(writeUnitsPerSecond, provisioned?.writeUnitsPerSecond ?? Infinity),
      readUnitsPerSecond: Math.min(readUnitsPerSecond, provisioned?.readUnitsPerSecond ?? Infinity),
    },
  }
}

function checkedProvisioned(mode: ProvisionedThroughput): ProvisionedThroughput {
  if (typeof mode !== 'object') throw new InvalidArgumentError('mode', `'onDemand' or a provisioned throughput`, mode)
  knownOptions(mode, 'mode', ['writeUnitsPerSecond', 'readUnitsPerSecond', 'savedSeconds', 'isAdaptive'])
  aboveZero('mode.writeUnitsPerSecond', mode.writeUnitsPerSecond)
  aboveZero('mode.readUnitsPerSecond', mode.readUnitsPerSecond)
  const savedSeconds = mode.savedSeconds ?? 0
  if (!(savedSeconds >= 0 && savedSeconds <= savedSecondsMax)) {
    throw new InvalidArgumentError('mode.savedSeconds', `from 0 to ${savedSecondsMax}`, savedSeconds)
  }
  flag('mode.isAdaptive', mode.isAdaptive ?? true)
  return mode
}

function aboveZero(path: string, given: number): number {
  if (!Number.isFinite(given) || given <= 0) throw new InvalidArgumentError(path, 'a number above 0', given)
  return given
}

function flag(path: string, given: boolean): boolean {
  if (typeof given !== 'boolean') throw new InvalidArgumentError(path, 'true or false', given)
  return given
}

import type { Random } from '../chance/random.js'
import { InvalidArgumentError } from '../errors/misuse-error.js'
import type { Clock } from '../time/clock.js'
import type { Capabilities } from './backend.js'
import { savedSecondsMax, type ProvisionedThroughput, type TableShape } from './partition-table.js'

/** How long a request to a `PartitionedBackend` takes. */
export interface PartitionLatency {
  /** At least so many milliseconds. */
  readonly base: number
  /** And up to so many more, drawn evenly. */
  readonly jitter: number
}

/** How a `PartitionedBackend` is laid out. */
export interface PartitionedOptions {
  /** Capacity flows in on it. */
  readonly clock: Clock
  /** How many partitions. @default 4, which carry the 4,000 writes and 12,000 reads of a new on-demand table: on-demand-capacity-mode.html */
  readonly partitions?: number
  /** Another seed lays the keys out in another way. @default 0 */
  readonly seed?: number
  /** Draws the jitter of the latency. @default one seeded with `seed` */
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
  readonly latencyMs?: PartitionLatency
  /** Whether directory requests take capacity and are refused without. @default false */
  readonly throttlesDirectory?: boolean
}

/** Options with every default filled in. */
export interface ResolvedPartitioned {
  readonly shape: TableShape
  readonly itemOverheadBytes: number
  readonly throttlesDirectory: boolean
  /** What one key can do at most: its partition's cap, or the whole table where that has less. */
  readonly oneKey: Capabilities['partition']
}

/** Checks the options and fills in the defaults. Throws `InvalidArgumentError`. */
export function resolvePartitioned(options: PartitionedOptions): ResolvedPartitioned {
  const partitionCount = options.partitions ?? 4
  if (!Number.isSafeInteger(partitionCount) || partitionCount < 1) {
    throw new InvalidArgumentError('partitions', 'a positive whole number', partitionCount)
  }
  const seed = options.seed ?? 0
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('seed', 'a whole number', seed)
  const provisioned = options.mode === 'onDemand' ? undefined : options.mode
  const writeUnitsPerSecond = above(0, 'writeUnitsPerSecond', options.writeUnitsPerSecond ?? 1_000)
  const readUnitsPerSecond = above(0, 'readUnitsPerSecond', options.readUnitsPerSecond ?? 3_000)
  if (provisioned !== undefined) checkProvisioned(provisioned)
  if (options.latencyMs !== undefined) {
    atLeastZero('latencyMs.base', options.latencyMs.base)
    atLeastZero('latencyMs.jitter', options.latencyMs.jitter)
  }
  return {
    shape: { partitionCount, seed, writeUnitsPerSecond, readUnitsPerSecond, provisioned },
    itemOverheadBytes: atLeastZero('itemOverheadBytes', options.itemOverheadBytes ?? 0),
    throttlesDirectory: options.throttlesDirectory ?? false,
    oneKey: {
      writeUnitsPerSecond: Math.min(writeUnitsPerSecond, provisioned?.writeUnitsPerSecond ?? Infinity),
      readUnitsPerSecond: Math.min(readUnitsPerSecond, provisioned?.readUnitsPerSecond ?? Infinity),
    },
  }
}

function checkProvisioned(provisioned: ProvisionedThroughput): void {
  above(0, 'mode.writeUnitsPerSecond', provisioned.writeUnitsPerSecond)
  above(0, 'mode.readUnitsPerSecond', provisioned.readUnitsPerSecond)
  const savedSeconds = provisioned.savedSeconds ?? 0
  if (!(savedSeconds >= 0 && savedSeconds <= savedSecondsMax)) {
    throw new InvalidArgumentError('mode.savedSeconds', `from 0 to ${savedSecondsMax}`, savedSeconds)
  }
}

function above(bound: number, name: string, value: number): number {
  if (!Number.isFinite(value) || value <= bound) throw new InvalidArgumentError(name, `a number above ${bound}`, value)
  return value
}

function atLeastZero(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError(name, 'a number of at least 0', value)
  return value
}

import { memory, type Backend } from '@spillway/core'
import { FaultyBackend, PartitionedBackend, seededRandom } from '@spillway/core/testing'

import { count } from '../format.js'
import { MeteredBackend, type StoreCounts } from './metered-backend.js'

/** A store to replay against, fresh and empty. */
export interface DemoStore {
  /** What strategies are given. */
  readonly backend: Backend
  /** What is real and what is simulated, a line each. */
  readonly description: readonly string[]
  /** What the store has served so far. */
  counts(): Readonly<StoreCounts>
}

const partitionCount = 16 // twice what the log needs on the whole at the default rate: only hot keys can throttle
const delayMs = { min: 2, max: 6 }
const lostAnswerChance = 0.001

/**
 * Opens the store of the demo; another one for another engine belongs here and nowhere else. From the outside in: a network with latency that loses answers, a meter at the store's door,
 * partitions with DynamoDB's limits, memory.
 */
export function openStore(seed: number, onThrottle: (key: string) => void): DemoStore {
  const partitioned = new PartitionedBackend(memory(), { partitionCount, seed, throttlesDirectory: true })
  const metered = new MeteredBackend(partitioned, onThrottle)
  const backend = new FaultyBackend(metered, {
    random: seededRandom(seed),
    faults: { delayMs, loseAnswer: ({ operation }) => (operation === 'write' ? lostAnswerChance : 0) },
  })
  const { writeUnitsPerSecond, readUnitsPerSecond } = backend.capabilities.partition
  return {
    backend,
    description: [
      `a table in memory with ${partitionCount} partitions of ${count(writeUnitsPerSecond)} write and ${count(readUnitsPerSecond)} read units a second each: DynamoDB's limits`,
      `a network of ${delayMs.min} to ${delayMs.max} ms there and back, in which 1 answer in ${count(1 / lostAnswerChance)} to a write is lost after the write took effect`,
    ],
    counts: () => metered.counts(),
  }
}

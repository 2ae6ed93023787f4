import { memory } from '@spillway/core'
import { FaultyBackend, PartitionedBackend } from '@spillway/core/testing'

import { count } from '../format.js'
import type { DemoEngine } from './demo-store.js'
import { MemoryPlainClient } from './memory-plain-client.js'
import { noCounts } from './store-counts.js'
import { MeteredBackend } from './metered-backend.js'
import { attemptsMax } from './blind-retries.js'

const partitionCount = 16 // twice what the log needs on the whole at the default rate: only hot keys can throttle
const delayMs = { min: 2, max: 6 }
const lostAnswerChance = 0.001
const options = { routing: { refreshMs: 150, leaseMs: 600 } }

/**
 * The store of the demo that needs nothing but this process. From the outside in: a network with latency that loses answers, a
 * meter at the store's door, partitions with DynamoDB's limits, memory.
 */
export function memoryEngine(seed: number): DemoEngine {
  const { writeUnitsPerSecond, readUnitsPerSecond } = memory().capabilities.partition
  return {
    description: {
      real: [],
      simulated: [
        `a table in memory with ${partitionCount} partitions of ${count(writeUnitsPerSecond)} write and ${count(readUnitsPerSecond)} read units a second each: DynamoDB's limits`,
        `a network of ${delayMs.min} to ${delayMs.max} ms there and back, in which 1 answer in ${count(1 / lostAnswerChance)} to a write is lost after the write took effect`,
      ],
      plainWrite: `one atomic update a line, retried blindly as the AWS SDK v3 does (${attemptsMax} attempts)`,
      tenPlacesRead: 'in one batch',
      options,
    },
    lost: new Promise(() => undefined),
    open({ random, onThrottle }) {
      const counts = noCounts()
      const partitioned = new PartitionedBackend(memory(), { partitionCount, seed, throttlesDirectory: true })
      const metered = new MeteredBackend(partitioned, counts, onThrottle)
      const backend = new FaultyBackend(metered, {
        random,
        faults: { delayMs, loseAnswer: ({ operation }) => (operation === 'write' ? lostAnswerChance : 0) },
      })
      return Promise.resolve({
        prefix: '',
        partitionWriteUnits: writeUnitsPerSecond,
        options,
        backend: () => backend,
        plain: (index) => new MemoryPlainClient(backend, `plain-${index}`, random),
        counts: () => ({ ...counts }),
        answersLost: () => Promise.resolve(backend.injected.lostAnswers),
        close: () => Promise.resolve(),
      })
    },
    close: () => Promise.resolve(),
  }
}

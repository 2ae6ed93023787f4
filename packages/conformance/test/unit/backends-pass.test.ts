import { memory, type Backend } from '@spillway/core'
import { FakeClock, FaultyBackend, PartitionedBackend, seededRandom, type Faults } from '@spillway/core/testing'
import type { Ending, Harness } from '@spillway/conformance'
import { describeBackend } from '@spillway/conformance/vitest'
import { repeating } from '../doubles/repeating-client.js'
import { troubled } from '../doubles/troubled-store.js'
import { expiring } from '../mutants/mutant.js'
import { refusingToStamp } from '../mutants/stamping.js'

function set(backend: Backend, faults: Faults): Ending {
  const broken = backend as FaultyBackend
  broken.faults = faults
  return () => broken.heal()
}

/** A store whose outage is made of these faults. */
function faulty(outage: Faults): Harness {
  return {
    open: () => new FaultyBackend(memory(), { clock: new FakeClock(), random: seededRandom(1) }),
    outage: (backend) => set(backend, outage),
    failShard: (backend, { key, index, generation }) =>
      set(backend, {
        partialBatch({ shards: [shard] }) {
          return shard?.key === key && shard.index === index && shard.generation.number === generation.number ? 1 : 0
        },
      }),
    throttle(backend, requestCount) {
      let left = requestCount
      return set(backend, { throttle: () => (left-- > 0 ? 1 : 0) })
    },
    loseAnswers(backend, answeredCount, lostCount) {
      let sent = 0
      const isLost = () => (sent++ >= answeredCount && sent <= answeredCount + lostCount ? 1 : 0)
      return set(backend, { loseAnswer: isLost, directory: isLost })
    },
  }
}

describeBackend('memory()', { open: () => memory() })
describeBackend('memory() whose time can be set forward', expiring())
describeBackend('memory() that does not spread what expires', { open: () => refusingToStamp(true)(memory()) })
describeBackend('memory() that reads one shard at a time', { open: () => memory({ shardsPerReadMax: 1 }) })
describeBackend('FaultyBackend, now and then unreachable', faulty({ unavailable: 1, directory: 1 }))
describeBackend('FaultyBackend, now and then mute', faulty({ loseAnswer: 1, directory: 1 }))
describeBackend('PartitionedBackend', {
  // Time stands still here, and some rules write more than a partition does in a second.
  open: () => new PartitionedBackend(memory(), { clock: new FakeClock(), writeUnitsPerSecond: 10_000 }),
})
describeBackend('a store with troubles', troubled())
describeBackend(
  'a store with troubles behind a client that repeats what was throttled, and says so',
  troubled(repeating({ attemptsMax: 3, of: 'both', isTelling: true })),
)

import { memory } from '@spillway/core'
import { FakeClock, FaultyBackend, PartitionedBackend, seededRandom } from '@spillway/core/testing'
import type { Harness } from '@spillway/conformance'
import { describeBackend } from '@spillway/conformance/vitest'

function faulty(): FaultyBackend {
  return new FaultyBackend(memory(), { clock: new FakeClock(), random: seededRandom(1) })
}

/** Faults that strike every request: the store cannot be reached. */
const unreachable: Harness = {
  open: faulty,
  outage(backend) {
    const broken = backend as FaultyBackend
    broken.faults = { unavailable: 1, directory: 1 }
    return () => broken.heal()
  },
}

/** Faults that lose every answer after the request took effect. */
const mute: Harness = {
  open: faulty,
  outage(backend) {
    const broken = backend as FaultyBackend
    broken.faults = { loseAnswer: 1, directory: 1 }
    return () => broken.heal()
  },
}

describeBackend('memory()', { open: () => memory() })
describeBackend('memory() that reads one shard at a time', { open: () => memory({ shardsPerReadMax: 1 }) })
describeBackend('FaultyBackend, now and then unreachable', unreachable)
describeBackend('FaultyBackend, now and then mute', mute)
describeBackend('PartitionedBackend', {
  open: () => new PartitionedBackend(memory(), { clock: new FakeClock() }),
})

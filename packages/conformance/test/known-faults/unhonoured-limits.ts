// bentocache's driver suite takes the option `supportsMilliseconds`, which none of its tests reads: whatever a driver declares
// there, nothing holds it to it. Here the same for every limit that a backend declares.

import { BackendError, memory, type Backend, type Capabilities, type LatestState } from '@spillway/core'

import { withChanges, withMerge, withPlaces, withRecords } from '../mutants/mutant.js'
import type { KnownFault } from './known-fault.js'

/** A backend that declares more than it does. */
function unhonoured(
  declared: Partial<Capabilities>,
  adapt: (backend: Backend) => Backend,
  breaks: KnownFault['breaks'],
): KnownFault {
  const [limit] = Object.keys(declared)
  return {
    seenIn: 'bentocache, the option supportsMilliseconds of its driver suite',
    fault: `${limit} is declared, and nothing honours it`,
    breaks,
    harness: {
      open() {
        const backend = adapt(memory())
        return { ...backend, capabilities: { ...backend.capabilities, ...declared } }
      },
    },
  }
}

export const unhonouredLimits: readonly KnownFault[] = [
  unhonoured(
    { shardsPerReadMax: 60 },
    withRecords((records) => ({
      read(read, call) {
        if (read.shards.length <= 25) return records.read(read, call)
        return Promise.reject(new BackendError('invalid', 'Too many items in one batch.'))
      },
    })),
    ['batch-largest'],
  ),
  unhonoured(
    { keyBytesMax: 512 },
    withPlaces((shard) => ({ ...shard, key: shard.key.slice(0, 255) })),
    ['keys-longest', 'keys-longest-unicode'],
  ),
  unhonoured(
    { changeBytesMax: 1_000_000 },
    withChanges((change) => {
      if (change.rule.kind !== 'latest') return change
      const state = change.state as LatestState
      return state.json.length <= 500_000 ? change : { ...change, state: { ...state, json: '""' } }
    }),
    ['limits-change'],
  ),
  unhonoured(
    { integerMax: 10n ** 30n },
    withMerge('sum(bigint)', (a: bigint, b: bigint) => BigInt(Number(a) + Number(b))),
    ['merge-sum-exact'],
  ),
  unhonoured(
    { magnitudes: { least: 1e-300, most: 1e300 } },
    withChanges((change) => {
      const { kind } = change.rule
      if ((kind !== 'max' && kind !== 'min') || Math.abs(change.state as number) < 1e126) return change
      throw new BackendError('invalid', 'Number overflow.')
    }),
    ['merge-magnitudes'],
  ),
  unhonoured(
    { conditionalFieldsMax: 200 },
    withRecords((records) => ({
      write(write, call) {
        if (write.changes.length <= 100) return records.write(write, call)
        return Promise.reject(new BackendError('invalid', 'The expression has too many operators.'))
      },
    })),
    ['limits-conditional'],
  ),
]

import { BackendError, isBackendError, type Backend, type ShardWrite } from '@spillway/core'

import { repeating } from '../doubles/repeating-client.js'
import { troubled } from '../doubles/troubled-store.js'
import { withRecords, type Mutant } from './mutant.js'

/** What was refused for lack of capacity is kept, and written before the next read. */
function writingLater(backend: Backend): Backend {
  const refused: ShardWrite[] = []
  return withRecords((records) => ({
    write: (write, call) =>
      records.write(write, call).catch((error: unknown) => {
        if (isBackendError(error) && error.kind === 'throttled') refused.push(write)
        throw error
      }),
    async read(read, call) {
      for (const write of refused.splice(0)) await records.write(write, call).catch(() => undefined)
      return records.read(read, call)
    },
  }))(backend)
}

export const throttleMutants: readonly Mutant[] = [
  {
    breaks: 'throttle-write',
    flaw: 'a client keeps to itself that it repeated a write',
    harness: troubled(repeating({ attemptsMax: 3, of: 'writes', isTelling: false })),
  },
  {
    breaks: 'throttle-refused',
    flaw: 'a write that was refused is kept and done later',
    harness: troubled(writingLater),
  },
  {
    breaks: 'throttle-read',
    flaw: 'a client keeps to itself that it repeated a read',
    harness: troubled(repeating({ attemptsMax: 3, of: 'reads', isTelling: false })),
  },
  {
    breaks: 'throttle-detail',
    flaw: 'the reason of a throttle is lost',
    harness: troubled(
      withRecords((records) => ({
        write: (write, call) =>
          records.write(write, call).catch((error: unknown) => {
            if (!isBackendError(error) || error.throttle === undefined) throw error
            throw new BackendError(error.kind, error.message, { throttle: { reason: '', scope: 'other' } })
          }),
      })),
    ),
  },
  {
    breaks: 'throttle-bounded',
    flaw: 'a client repeats a throttled request a hundred times',
    harness: troubled(repeating({ attemptsMax: 100, of: 'both', isTelling: true })),
  },
]

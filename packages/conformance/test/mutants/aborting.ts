import { BackendError, type Backend, type FieldChange, type WriteAnswer } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { mutant, withDirectory, withRecords, type Mutant } from './mutant.js'

/** Lets the event loop go round. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()))
}

/** Fails every write that is under way when one of them is aborted. */
function failingTogether(backend: Backend): Backend {
  const underWay = new Set<(error: BackendError) => void>()
  return withRecords((records) => ({
    write(write, call) {
      return new Promise<WriteAnswer>((resolve, reject) => {
        underWay.add(reject)
        call.signal.addEventListener('abort', () => {
          for (const fail of underWay) fail(new BackendError('unknown', 'The connection was cut.'))
        })
        void turn()
          .then(() => records.write(write, call))
          .then(resolve, reject)
          .finally(() => underWay.delete(reject))
      })
    },
  }))(backend)
}

export const abortMutants: readonly Mutant[] = [
  mutant(
    'abort-settles',
    'an aborted seal never settles',
    withRecords((records) => ({
      async seal(shard, fields, call) {
        await turn()
        if (call.signal.aborted) await new Promise(() => undefined)
        return records.seal(shard, fields, call)
      },
    })),
  ),
  mutant(
    'abort-write',
    'an abort stops a write between two fields',
    withRecords((records) => ({
      async write(write, call) {
        await turn()
        if (!call.signal.aborted || write.changes.length === 1) return records.write(write, call)
        await records.write({ ...write, changes: [write.changes[0] as FieldChange] }, call)
        throw new BackendError('unknown', 'The write was aborted.')
      },
    })),
  ),
  mutant('abort-neighbours', 'an abort cuts the connection that all requests share', failingTogether),
  mutant(
    'abort-swap',
    'an aborted swap is called rejected although it took place',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        const version = await directory.swap(expected, text, call)
        await turn()
        if (call.signal.aborted) throw new BackendError('rejected', 'The swap was aborted.')
        return version
      },
    })),
  ),
  {
    breaks: 'abort-unreachable',
    flaw: 'what was aborted during an outage fails as the client threw it',
    harness: troubled(
      withRecords((records) => ({
        write: (write, call) =>
          records.write(write, call).catch((error: unknown) => {
            throw call.signal.aborted ? new Error('AbortError') : error
          }),
      })),
    ),
  },
]

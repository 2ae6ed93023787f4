import { BackendError, isBackendError, type Backend, type FailureKind } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { withDirectory, withRecords, type Mutant } from './mutant.js'

/** What a request answers, with the failure that nobody knows the outcome of taken for another one. */
function taken<T>(answer: Promise<T>, kind: FailureKind): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!isBackendError(error) || error.kind !== 'unknown') throw error
    throw new BackendError(kind, error.message, { cause: error })
  })
}

/** An adapter with one flaw before a store whose answers can be lost. */
function mute(breaks: string, flaw: string, spoil: (backend: Backend) => Backend): Mutant {
  return { breaks, flaw, harness: troubled(spoil) }
}

export const lostAnswerMutants: readonly Mutant[] = [
  mute(
    'lost-write',
    'a lost answer to the second request of a write is called unavailable',
    withRecords((records) => ({
      async write(write, call) {
        const fields = write.changes.map(({ name, rule }) => ({ name, rule }))
        const [shard] = await records.read({ shards: [write.shard], fields, consistency: 'strong' }, call)
        if (shard?.status === 'failed') throw shard.error
        return taken(records.write(write, call), 'unavailable')
      },
    })),
  ),
  mute(
    'lost-seal',
    'a lost answer to a seal is called rejected',
    withRecords((records) => ({
      seal: (shard, fields, call) => taken(records.seal(shard, fields, call), 'rejected'),
    })),
  ),
  mute(
    'lost-absorb',
    'a lost answer to an absorb is called throttled',
    withRecords((records) => ({ absorb: (absorb, call) => taken(records.absorb(absorb, call), 'throttled') })),
  ),
  mute(
    'lost-swap',
    'a swap is asked again when its answer is lost, and loses to itself',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        try {
          return await directory.swap(expected, text, call)
        } catch (error) {
          if (!isBackendError(error) || error.kind !== 'unknown') throw error
          return directory.swap(expected, text, call)
        }
      },
    })),
  ),
]

import {
  BackendError,
  isBackendError,
  type Backend,
  type FailureKind,
  type ItemAnswer,
  type ItemWriteAnswer,
} from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { mutant, withCollections, type Mutant } from './mutant.js'

/** An adapter with one flaw before a store with troubles. */
function inTrouble(breaks: string, flaw: string, spoil: (backend: Backend) => Backend): Mutant {
  return { breaks, flaw, harness: troubled(spoil) }
}

/** What a request answers, with a failure of one kind taken for one of another. */
function taken<T>(answer: Promise<T>, kind: FailureKind): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!isBackendError(error) || error.kind !== 'unknown') throw error
    throw new BackendError(kind, error.message, { cause: error })
  })
}

/** What stands in for the answer of a request that failed as unavailable. */
function unlessUnavailable<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  return answer.catch((error: unknown) => {
    if (!isBackendError(error) || error.kind !== 'unavailable') throw error
    return otherwise
  })
}

/** So often a throttled request is sent at most. */
const attemptsMax = 5

/** Sends a request again when it is throttled, and keeps it to itself. */
async function persistently<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request()
    } catch (error) {
      if (!isBackendError(error) || error.kind !== 'throttled' || attempt === attemptsMax) throw error
    }
  }
}

/** Lets the event loop go round. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()))
}

const done: ItemWriteAnswer = { status: 'done' }

export const itemTroubleMutants: readonly Mutant[] = [
  inTrouble(
    'item-outage-read',
    'what cannot be read is answered as nothing',
    withCollections((collections) => ({
      get: (read, call) =>
        unlessUnavailable(
          collections.get(read, call),
          read.shards.map((): ItemAnswer => ({ status: 'read', item: undefined })),
        ),
    })),
  ),
  inTrouble(
    'item-outage-write',
    'a delete that could not be sent is answered as done',
    withCollections((collections) => ({
      delete: (deletion, call) => unlessUnavailable(collections.delete(deletion, call), done),
    })),
  ),
  inTrouble(
    'item-lost-put',
    'a lost answer to a put is called unavailable',
    withCollections((collections) => ({ put: (put, call) => taken(collections.put(put, call), 'unavailable') })),
  ),
  inTrouble(
    'item-lost-delete',
    'a lost answer to a delete is called rejected',
    withCollections((collections) => ({
      delete: (deletion, call) => taken(collections.delete(deletion, call), 'rejected'),
    })),
  ),
  inTrouble(
    'item-lost-append',
    'a lost answer to an append is called throttled',
    withCollections((collections) => ({
      append: (append, call) => taken(collections.append(append, call), 'throttled'),
    })),
  ),
  mutant(
    'item-abort-settles',
    'an aborted page never settles',
    withCollections((collections) => ({
      async page(page, call) {
        await turn()
        if (call.signal.aborted) await new Promise(() => undefined)
        return collections.page(page, call)
      },
    })),
  ),
  mutant(
    'item-abort-put',
    'an abort stops a put between two properties',
    withCollections((collections) => ({
      async put(put, call) {
        await turn()
        const properties = Object.entries(put.value)
        if (!call.signal.aborted || properties.length === 1) return collections.put(put, call)
        await collections.put({ ...put, value: Object.fromEntries(properties.slice(0, 1)) }, call)
        throw new BackendError('unknown', 'The put was aborted.')
      },
    })),
  ),
  inTrouble(
    'item-throttle-write',
    'a put that was throttled is sent again in silence',
    withCollections((collections) => ({ put: (put, call) => persistently(() => collections.put(put, call)) })),
  ),
  inTrouble(
    'item-throttle-read',
    'a page that was throttled is asked for again in silence',
    withCollections((collections) => ({ page: (page, call) => persistently(() => collections.page(page, call)) })),
  ),
]

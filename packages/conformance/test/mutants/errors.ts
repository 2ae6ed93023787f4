import { BackendError, isBackendError, memory, type Backend, type ShardAnswer } from '@spillway/core'
import { FakeClock, FaultyBackend, seededRandom } from '@spillway/core/testing'

import { mutant, withRecords, type Mutant } from './mutant.js'

/** A mutant whose store can be made to fail. */
function failing(
  breaks: string,
  flaw: string,
  faults: FaultyBackend['faults'],
  spoil: (backend: Backend) => Backend,
  also: readonly string[] = [],
): Mutant {
  const stores = new WeakMap<Backend, FaultyBackend>()
  return {
    breaks,
    also,
    flaw,
    harness: {
      open() {
        const store = new FaultyBackend(memory(), { clock: new FakeClock(), random: seededRandom(1) })
        const { name, capabilities, directory, records } = store
        const backend = spoil({ name, capabilities, directory, records })
        stores.set(backend, store)
        return backend
      },
      outage(backend) {
        const store = stores.get(backend)
        if (store !== undefined) store.faults = faults
        return () => store?.heal()
      },
    },
  }
}

function isInvalid(error: unknown): boolean {
  return isBackendError(error) && error.kind === 'invalid'
}

/** What an adapter answers that takes what it cannot decode for nothing. */
function missing(backend: Backend): Backend {
  return withRecords((records) => ({
    async read(read, call) {
      const nothing: ShardAnswer = { status: 'read', states: read.fields.map(() => undefined) }
      const answers = await records.read(read, call).catch((error: unknown) => {
        if (!isInvalid(error)) throw error
        return read.shards.map(() => nothing)
      })
      return answers.map((answer) => (answer.status === 'failed' && isInvalid(answer.error) ? nothing : answer))
    },
  }))(backend)
}

const unreachable = { unavailable: 1, directory: 1 }

export const errorMutants: readonly Mutant[] = [
  mutant('errors-other-rule', 'what another rule has stored is answered as never written', missing),
  failing(
    'errors-read',
    'what cannot be read is answered as never written',
    unreachable,
    withRecords((records) => ({
      async read(read, call) {
        try {
          return await records.read(read, call)
        } catch (error) {
          if (isInvalid(error)) throw error
          return read.shards.map(() => ({ status: 'read', states: read.fields.map(() => undefined) }))
        }
      },
    })),
  ),
  failing(
    'errors-write',
    'a write that failed is answered as done',
    unreachable,
    withRecords((records) => ({
      write: (write, call) => records.write(write, call).catch(() => ({ status: 'done' })),
    })),
  ),
  failing(
    'errors-typed',
    'a failure is handed on as the client threw it',
    unreachable,
    withRecords((records) => ({
      write: (write, call) =>
        records.write(write, call).catch((error: unknown) => {
          throw new Error('ECONNREFUSED', { cause: error })
        }),
    })),
    ['abort-unreachable'],
  ),
  failing(
    'errors-kind',
    'a lost answer is taken for a refusal',
    { loseAnswer: 1, directory: 1 },
    withRecords((records) => ({
      write: (write, call) =>
        records.write(write, call).catch((error: unknown) => {
          throw new BackendError('rejected', 'refused', { cause: error })
        }),
    })),
  ),
]

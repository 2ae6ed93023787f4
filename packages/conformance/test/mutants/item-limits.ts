import { BackendError, isBackendError } from '@spillway/core'

import { mutant, withCollections, withPuts, type Mutant } from './mutant.js'

export const itemLimitMutants: readonly Mutant[] = [
  mutant(
    'item-longest-sort',
    'a sort value is cut after 1,000 bytes',
    withPuts((put) => {
      const { sort } = put
      return { ...put, sort: typeof sort === 'number' ? sort : sort.slice(0, typeof sort === 'string' ? 333 : 1_000) }
    }),
  ),
  mutant(
    'item-largest',
    'an item of more than 340 KB is refused',
    withPuts((put) => {
      if (JSON.stringify(put.value).length > 340 * 1_024) throw new BackendError('invalid', 'Too large.')
      return put
    }),
  ),
  mutant(
    'item-refused',
    'what can never be done is called unavailable',
    withCollections((collections) => ({
      put: (put, call) =>
        collections.put(put, call).catch((error: unknown) => {
          if (!isBackendError(error) || error.kind !== 'invalid') throw error
          throw new BackendError('unavailable', error.message, { cause: error })
        }),
    })),
  ),
]

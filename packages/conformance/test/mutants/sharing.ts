import type { Backend } from '@spillway/core'

import { mutant, withCollections, withRecords, type Mutant } from './mutant.js'

/** Clears a place by taking away all that stands under its key. */
function clearsItems(backend: Backend): Backend {
  const { collections } = backend
  return withRecords((records) => ({
    async clear(shard, retentionMs, call) {
      const answer = await records.clear(shard, retentionMs, call)
      const asked = {
        shard,
        lower: undefined,
        upper: undefined,
        order: 'ascending',
        limit: 100,
        consistency: 'strong',
      } as const
      const page = await collections?.page({ ...asked, sortType: 'string' }, call)
      const stamp = { timeMs: 9e12, order: 0, writer: 'z' }
      for (const { sort } of page?.items ?? [])
        await collections?.delete({ shard, sort, stamp, mode: 'remove', retentionMs: 0 }, call)
      return answer
    },
  }))(backend)
}

export const sharingMutants: readonly Mutant[] = [
  mutant('share-apart', 'a clear takes away all that stands under its key', clearsItems),
  mutant(
    'share-refused',
    'a key is said to hold items or fields, and takes both',
    withCollections((collections) => ({ limits: { ...collections.limits, mayShareKeys: false } })),
  ),
]

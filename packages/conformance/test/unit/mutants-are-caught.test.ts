import { rules } from '@spillway/conformance'
import { describe, expect, test } from 'vitest'
import { brokenBy } from '../doubles/broken-by.js'
import { abortMutants } from '../mutants/aborting.js'
import { absorbingMutants } from '../mutants/absorbing.js'
import { appendMutants } from '../mutants/appending.js'
import { atomicityMutants } from '../mutants/atomicity.js'
import { batchMutants } from '../mutants/batches.js'
import { clearingMutants } from '../mutants/clearing.js'
import { dedupeMutants } from '../mutants/dedupe.js'
import { directoryMutants } from '../mutants/directory.js'
import { errorMutants } from '../mutants/errors.js'
import { expiryMutants } from '../mutants/expiring.js'
import { fieldMutants } from '../mutants/fields.js'
import { itemDeleteMutants } from '../mutants/item-deletes.js'
import { itemLimitMutants } from '../mutants/item-limits.js'
import { itemOrderMutants } from '../mutants/item-order.js'
import { itemShardMutants } from '../mutants/item-shards.js'
import { itemTroubleMutants } from '../mutants/item-trouble.js'
import { itemVersionMutants } from '../mutants/item-versions.js'
import { itemMutants } from '../mutants/items.js'
import { keyMutants } from '../mutants/keys.js'
import { lifeMutants } from '../mutants/life.js'
import { limitMutants } from '../mutants/limits.js'
import { lostAnswerMutants } from '../mutants/lost-answers.js'
import { mergingMutants } from '../mutants/merging.js'
import type { Mutant } from '../mutants/mutant.js'
import { pageMutants } from '../mutants/pages.js'
import { partialMutants } from '../mutants/partial.js'
import { sealingMutants } from '../mutants/sealing.js'
import { sharingMutants } from '../mutants/sharing.js'
import { stampingMutants } from '../mutants/stamping.js'
import { throttleMutants } from '../mutants/throttles.js'

const mutants: readonly Mutant[] = [
  ...mergingMutants,
  ...fieldMutants,
  ...keyMutants,
  ...dedupeMutants,
  ...sealingMutants,
  ...absorbingMutants,
  ...clearingMutants,
  ...expiryMutants,
  ...stampingMutants,
  ...batchMutants,
  ...partialMutants,
  ...atomicityMutants,
  ...directoryMutants,
  ...limitMutants,
  ...lifeMutants,
  ...errorMutants,
  ...lostAnswerMutants,
  ...abortMutants,
  ...throttleMutants,
  ...itemMutants,
  ...itemOrderMutants,
  ...pageMutants,
  ...itemVersionMutants,
  ...itemDeleteMutants,
  ...itemShardMutants,
  ...sharingMutants,
  ...appendMutants,
  ...itemLimitMutants,
  ...itemTroubleMutants,
]

test('every rule has an id of its own and a mutant', () => {
  const ids = rules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(mutants.map(({ breaks }) => breaks)).toEqual(ids)
})

describe('the kit catches a backend in which', () => {
  test.each(mutants)('$flaw, by $breaks', async (mutant) => {
    const expected = [mutant.breaks, ...(mutant.also ?? [])]
    expect((await brokenBy(mutant.harness)).toSorted()).toEqual(expected.toSorted())
  })
})

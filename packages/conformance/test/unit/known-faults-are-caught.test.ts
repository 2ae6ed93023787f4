import { memory } from '@spillway/core'
import { describe, expect, test } from 'vitest'
import { brokenBy } from '../doubles/broken-by.js'
import { crossSlot } from '../known-faults/cross-slot.js'
import { droppedWaiter, locked } from '../known-faults/dropped-waiter.js'
import { endlessGather } from '../known-faults/endless-gather.js'
import { ignoredUnprocessed } from '../known-faults/ignored-unprocessed.js'
import type { KnownFault } from '../known-faults/known-fault.js'
import { unhonouredLimits } from '../known-faults/unhonoured-limits.js'

const knownFaults: readonly KnownFault[] = [
  crossSlot,
  ...unhonouredLimits,
  ignoredUnprocessed,
  droppedWaiter,
  endlessGather,
]

describe('the kit catches what was seen in', () => {
  test.each(knownFaults)('$seenIn: $fault, by $breaks', async ({ breaks, harness }) => {
    expect((await brokenBy(harness)).toSorted()).toEqual(breaks.toSorted())
  })
})

test('with locks that are kept, a store without atomic changes passes', async () => {
  expect(await brokenBy({ open: () => locked(memory(), true) })).toEqual([])
})

import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import type { Directory } from '../../../src/routing/directory.js'
import { heal } from '../../../src/routing/heal.js'
import type { Route } from '../../../src/routing/route.js'

const small = fc.integer({ min: 1, max: 4 })
const timings = { leaseMs: 3, retryHorizonMs: 4, sealRetentionMs: 5 }

/** A revision, and the opening that it belongs to: in so small a world most of them meet. */
const route: fc.Arbitrary<Route> = fc.record({
  phase: fc.constantFrom('announced' as const, 'active' as const),
  read: fc.constant(2),
  write: fc.constant(1),
  generations: fc.record({ number: small, nonce: fc.nat(1) }).map((opening) => [opening]),
  writeHistory: fc.constant([1]),
  revision: small,
})

const directory: fc.Arbitrary<Directory> = fc.record({
  madeMs: fc.nat(1),
  counter: fc.nat(10),
  timings: fc.constant(timings),
  hashSeed: fc.nat(1),
  routes: fc.dictionary(fc.constantFrom('a', 'b', 'c'), route).map((routes) => new Map(Object.entries(routes))),
})

test('what is written back lacks nothing that either of the two had, so neither writes again', () => {
  const property = fc.property(directory, directory, (remembered, shown) => {
    const healed = heal(remembered, shown) ?? shown
    expect(heal(remembered, healed)).toBeUndefined()
    expect(heal(shown, healed)).toBeUndefined()
    expect(new Set(healed.routes.keys())).toEqual(new Set([...remembered.routes.keys(), ...shown.routes.keys()]))
    const drawn = healed === shown ? shown.counter : Math.max(remembered.counter, shown.counter) + 1
    expect(healed.counter).toBeGreaterThanOrEqual(drawn)
  })
  fc.assert(property)
})

test('of one making, the later revision of every key is kept', () => {
  const property = fc.property(directory, directory, (remembered, other) => {
    const shown = { ...other, madeMs: remembered.madeMs, hashSeed: remembered.hashSeed }
    const healed = heal(remembered, shown) ?? shown
    for (const [key, { revision }] of healed.routes) {
      const had = [remembered, shown].map(({ routes }) => routes.get(key)?.revision ?? 0)
      expect(revision).toBe(Math.max(...had))
    }
  })
  fc.assert(property)
})

test('any number of processes that take turns stop writing, whatever each remembers', () => {
  const property = fc.property(fc.array(directory, { minLength: 2, maxLength: 6 }), (memories) => {
    let stored: Directory | undefined
    let writes = 0
    for (let round = 0; round < 3; round++) {
      for (const [i, remembered] of memories.entries()) {
        const healed = heal(remembered, stored)
        if (healed !== undefined) writes += 1
        stored = healed ?? stored
        if (stored !== undefined) memories[i] = stored
      }
    }
    expect(writes).toBeLessThanOrEqual(memories.length) // each once at most, whatever the others remember
    for (const remembered of memories) expect(remembered).toEqual(stored)
  })
  fc.assert(property)
})

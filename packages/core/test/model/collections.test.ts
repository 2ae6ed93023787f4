import { describe, expect, it } from 'vitest'

import type { CollectionRule, CollectionSearch } from './collection-search.js'
import { searchCollection } from './collections-model.js'

/** Searches are counted in states, not in time: a busy machine may take long for them. */
const slow = { timeout: 600_000 }

/** An item that lies in shards 0, 1, 3 and 1 again, without faults, searched to the end. */
const plain: CollectionSearch = {
  hash: 3,
  fanouts: [2, 4, 2],
  writers: ['p'],
  repeatCount: 0,
  crashCount: 0,
  statesMax: Infinity,
}

function titled(searches: readonly Partial<CollectionSearch>[]): readonly (readonly [string, CollectionSearch])[] {
  return searches.map((changes) => {
    const search = { ...plain, ...changes }
    const { hash, fanouts, writers, repeatCount, crashCount, failoverCount = 0 } = search
    const faults = `${repeatCount} repeated, ${crashCount} crashed, ${failoverCount} failovers`
    return [`fanouts 1,${fanouts.join(',')}, hash ${hash}, writers ${writers.join(' and ')}, ${faults}`, search]
  })
}

describe('the rules for collections, with all of them', () => {
  const complete = titled([
    { hash: 1, writers: ['pdp'], repeatCount: 1, crashCount: 1 },
    { hash: 2, writers: ['pdp'], repeatCount: 1, crashCount: 1 },
    { hash: 3, writers: ['pd'], repeatCount: 1, crashCount: 1 },
    { fanouts: [2, 4, 2, 4], writers: ['pd'], repeatCount: 1, crashCount: 1 },
    { fanouts: [2, 4, 1, 2], writers: ['pd'], repeatCount: 1, crashCount: 1 },
    { fanouts: [4, 1], writers: ['p', 'd'], repeatCount: 1 },
    { writers: ['p', 'p'] },
    { hash: 1, writers: ['p', 'd'], repeatCount: 1 },
    { fanouts: [4, 2, 1], writers: ['pd'], repeatCount: 1, crashCount: 1 },
    { fanouts: [4, 2, 4], writers: ['pd'], repeatCount: 1, crashCount: 1 },
    { fanouts: [4, 2], writers: ['p', 'p'] },
    { fanouts: [4, 2], writers: ['p', 'd'] },
  ])
  it.each(complete)('lose nothing and bring nothing back in any schedule: %s', slow, (_, search) => {
    expect(searchCollection(search)).toMatchObject({ isComplete: true, violation: undefined })
  })

  const forgetful = titled([
    { writers: ['pd'], failoverCount: 1 },
    { fanouts: [4, 2, 1], writers: ['pd'], failoverCount: 2 },
  ])
  it.each(forgetful)('lose nothing of what the store keeps, when it forgets routes: %s', slow, (_, search) => {
    expect(searchCollection(search)).toMatchObject({ isComplete: true, violation: undefined })
  })

  // Larger by hand: STATES_MAX=20000000 npx vitest run --project model, at 60 bytes and 10 µs a state; the first search
  // ends after some 20 seconds.
  const statesMax = Number(process.env.STATES_MAX ?? 60_000)
  const larger = titled([
    { writers: ['pd', 'p'], statesMax },
    { writers: ['pd', 'p'], repeatCount: 1, crashCount: 1, statesMax },
  ])
  it.each(larger)(`lose nothing in the first ${statesMax} states: %s`, slow, (_, search) => {
    expect(searchCollection(search).violation).toBeUndefined()
  })
})

describe('what the rules for collections leave open', () => {
  it(
    'a delete that its writer leaves half done may let an older version show, when its tombstone expires',
    slow,
    () => {
      const search = { ...plain, fanouts: [2], writers: ['pd', 'p'], writerCrashCount: 1 }
      expect(searchCollection(search).violation).toMatch(/^read version 1 after version 2 was acknowledged/m)
    },
  )

  it('nothing else where the crashing writer only puts', slow, () => {
    const search = { ...plain, fanouts: [2, 1], writers: ['p', 'p'], writerCrashCount: 1 }
    expect(searchCollection(search)).toMatchObject({ isComplete: true, violation: undefined })
  })
})

describe('a rule for collections that is left out', () => {
  const smallest: readonly (readonly [CollectionRule, Partial<CollectionSearch>])[] = [
    ['announce-wait', { hash: 1, writers: ['p'] }],
    ['foresee', { fanouts: [4, 2] }],
    ['foresee-wait', { fanouts: [4, 2] }],
    ['foresee-stamp', { fanouts: [4, 2], failoverCount: 1 }],
    ['wait-anew', { hash: 1, fanouts: [2, 1], failoverCount: 1 }],
    ['drain-wait', { hash: 2, writers: ['p'] }],
    ['late-ack', { hash: 2, writers: ['p'] }],
    ['lease-at-end', { hash: 2, writers: ['p'] }],
    ['newest-wins', { hash: 2, writers: ['pd'] }],
    ['tombstone', { hash: 2, writers: ['pd'] }],
    ['every-candidate', { hash: 1, writers: ['pd'] }],
    ['generation', { hash: 2, writers: ['pd'], fanouts: [2, 4, 2, 4] }],
    ['take-back', { hash: 1, writers: ['p', 'd'] }],
    ['take-back-completes', { hash: 2, writers: ['p', 'p'] }],
    ['take-back-completes', { hash: 1, writers: ['p', 'd'], repeatCount: 1 }],
  ]
  it.each(smallest)('is missed: %s', slow, (without, changes) => {
    const search = { ...plain, ...changes }
    expect(searchCollection({ ...search, without }).violation).toMatch(/^read (nothing|version \d) after version \d/m)
  })
})

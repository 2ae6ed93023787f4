import { describe, expect, it } from 'vitest'

import type { RecordRule, RecordSearch } from './record-search.js'
import { searchRecord } from './records-model.js'

/** Searches are counted in states, not in time: a busy machine may take long for them. */
const slow = { timeout: 600_000 }

/** Writers that make one write each, by their hashes. */
function writing(...hashes: readonly number[]): RecordSearch['writers'] {
  return hashes.map((hash) => ({ hash, writeCount: 1 }))
}

/** A key that is spread, merged back and spread again; a request may be sent twice, and of two coordinators one may be stale. */
const plain: RecordSearch = {
  fanouts: [2, 1, 2],
  writers: writing(1),
  repeatCount: 1,
  coordinatorCount: 2,
  statesMax: Infinity,
}

/** One writer that makes two writes, by its hash. */
function twice(hash: number): RecordSearch['writers'] {
  return [{ hash, writeCount: 2 }]
}

function titled(searches: readonly Partial<RecordSearch>[]): readonly (readonly [string, RecordSearch])[] {
  return searches.map((changes) => {
    const { statesMax: _, without: __, fanouts, writers, ...counts } = { ...plain, ...changes }
    const plans = writers.map(({ hash, writeCount }) => `${hash}×${writeCount}`).join(' and ')
    const title = `fanouts 1,${fanouts.join(',')}, writers ${plans}, ${JSON.stringify(counts)}`
    return [title, { ...plain, ...changes }]
  })
}

describe('the rules for records, with all of them', () => {
  const complete = titled([
    { writers: twice(1) },
    { fanouts: [2, 4, 1] },
    { fanouts: [2, 4, 1], writers: writing(3) },
    { fanouts: [4, 2, 1], writers: writing(3), coordinatorCount: 3 },
    { fanouts: [4, 2, 1], writers: writing(3, 1), repeatCount: 0 },
    { fanouts: [4, 2, 4, 1], writers: writing(3) },
    { fanouts: [2, 1], writers: writing(1, 1) },
    { fanouts: [2, 1, 2, 1], repeatCount: 2, forgetCount: 1, writerCrashCount: 1 },
  ])
  it.each(complete)('count every write once in any schedule: %s', slow, (_, search) => {
    expect(searchRecord(search)).toMatchObject({ isComplete: true, violation: undefined })
  })

  // Larger by hand: STATES_MAX=20000000 npx vitest run --project model, at 70 bytes and 20 µs a state.
  const statesMax = Number(process.env.STATES_MAX ?? 60_000)
  const larger = titled([
    { fanouts: [2, 4, 1], writers: writing(3, 1), coordinatorCount: 3, forgetCount: 1, statesMax },
    { fanouts: [4, 2, 4, 1], writers: twice(3), coordinatorCount: 3, writerCrashCount: 1, statesMax },
  ])
  it.each(larger)(`count every write once in the first ${statesMax} states: %s`, slow, (_, search) => {
    expect(searchRecord(search).violation).toBeUndefined()
  })
})

describe('the rules for records in a store that may forget', () => {
  const complete = titled([
    { fanouts: [2, 1], failoverCount: 1 },
    { fanouts: [2, 1], failoverCount: 2, writers: twice(1), repeatCount: 0, coordinatorCount: 1 },
    { fanouts: [4, 2, 1], failoverCount: 1, writers: writing(3), repeatCount: 0, coordinatorCount: 1 },
    { failoverCount: 1, coordinatorCount: 1 },
    { fanouts: [2, 1], isDropped: true, writers: twice(1) },
  ])
  it.each(complete)('count every write once, whatever the directory has lost: %s', slow, (_, search) => {
    expect(searchRecord(search)).toMatchObject({ isComplete: true, violation: undefined })
  })
})

describe('a rule for records that is left out', () => {
  const forgetting: Partial<RecordSearch> = { fanouts: [2, 1], forgetCount: 1 }
  const dropping: Partial<RecordSearch> = { fanouts: [2, 1], writers: twice(1), isDropped: true }
  const smallest: readonly (readonly [RecordRule, Partial<RecordSearch>])[] = [
    ['announce-wait', {}],
    ['generation', {}],
    ['lease-at-end', {}],
    ['dedupe', {}],
    ['expired', forgetting],
    ['expired-first', forgetting],
    ['sticky-retry', {}],
    ['own-answer', { coordinatorCount: 1 }],
    ['horizon', {}],
    ['seal', {}],
    ['seal-stays', {}],
    ['writers-stay', {}],
    ['absorb', {}],
    ['absorbed', {}],
    ['clear-wait', {}],
    ['coordinator-lease', { fanouts: [2, 1] }],
    ['active-stamp', { fanouts: [2], failoverCount: 1 }],
    ['finish-stamp', dropping],
    ['young-memory', dropping],
  ]
  it.each(smallest)('is missed: %s', slow, (without, changes) => {
    expect(searchRecord({ ...plain, ...changes, without }).violation).toMatch(
      /^read (without write \d, which was acknowledged|write \d more than once)$/m,
    )
  })
})

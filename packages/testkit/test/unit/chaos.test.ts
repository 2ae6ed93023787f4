import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Stored, StoredRecord } from '../../src/chaos/chaos-reader.js'
import { readDifferences, storedDifferences } from '../../src/chaos/differences.js'
import { Ledger, type Deed } from '../../src/chaos/ledger.js'
import { readLedgers, routeSteps, type Ledgers, type Operation } from '../../src/chaos/ledgers.js'

const nothing: Ledgers = { operations: [], reads: [], wrong: [], routes: new Map(), events: new Map() }

/** Operations that follow one another: the first lasts from 10 to 15, the second from 20 to 25. */
function ledgersOf(...all: readonly (readonly [deed: Deed, outcome: Operation['outcome'], sort?: string])[]): Ledgers {
  const operations = all.map(([deed, outcome, sort = ''], i): Operation => {
    const beganMs = 10 * (i + 1)
    const endedMs = outcome === 'unfinished' ? Infinity : beganMs + 5
    return { id: `op${i + 1}`, deed, key: 'k', sort, beganMs, endedMs, outcome }
  })
  return { ...nothing, operations }
}

/** Items of one key, of which pages say the same. */
function entriesOf(...entries: readonly (readonly [string, string])[]): Stored {
  return { records: [], items: [{ key: 'k', entries, paged: entries.toReversed() }] }
}

describe('records that are held against the ledgers', () => {
  const ledgers = ledgersOf(
    ['write', 'acknowledged'],
    ['write', 'unknown'],
    ['write', 'rejected'],
    ['write', 'acknowledged'],
    ['write', 'unfinished'],
  )
  const right: StoredRecord = { key: 'k', count: 2, ids: ['op1', 'op4'], peak: 40, last: 'op4' }
  const stored = (record: Partial<StoredRecord>): Stored => ({ records: [{ ...right, ...record }], items: [] })

  test.each<[string, Partial<StoredRecord>]>([
    ['without what nobody knows of', {}],
    ['with what nobody knows of', { count: 3, ids: ['op1', 'op2', 'op4'] }],
    ['with what a kill cut off', { count: 3, ids: ['op1', 'op4', 'op5'], peak: 50, last: 'op5' }],
  ])('are right %s', (_, record) => {
    expect(storedDifferences(ledgers, stored(record))).toEqual([])
  })

  test.each<[string, Partial<StoredRecord>, RegExp]>([
    ['an acknowledged write is missing', { count: 1, ids: ['op4'] }, /op1 was acknowledged at 15 and is not in/],
    ['a rejected write is in', { count: 3, ids: ['op1', 'op3', 'op4'] }, /op3 was rejected at 35 and is in/],
    ['a write counts twice', { count: 3 }, /counts 3 writes, and names 2/],
    ['a write is of nobody', { count: 3, ids: ['op1', 'op4', 'op9'] }, /has op9, which nobody wrote/],
    ['the maximum is too low', { peak: 10 }, /its maximum is 10, and op4 wrote more/],
    ['the maximum is too high', { peak: 60 }, /its maximum is 60, and nobody wrote more than 50/],
    ['the latest write is an older one', { last: 'op1' }, /its latest write is op1, and op4, acknowledged/],
    ['the latest write was rejected', { last: 'op3' }, /its latest write op3 was rejected/],
    ['there is no latest write', { last: undefined }, /its latest write is undefined/],
  ])('are wrong when %s', (_, record, difference) => {
    expect(storedDifferences(ledgers, stored(record))).toContainEqual(expect.stringMatching(difference))
  })
})

describe('items that are held against the ledgers', () => {
  test.each<[string, Ledgers, Stored]>([
    ['the last put', ledgersOf(['put', 'acknowledged', 'a'], ['put', 'acknowledged', 'a']), entriesOf(['a', 'op2'])],
    [
      'a put before an unknown one',
      ledgersOf(['put', 'acknowledged', 'a'], ['put', 'unknown', 'a']),
      entriesOf(['a', 'op1']),
    ],
    ['an unknown put', ledgersOf(['put', 'acknowledged', 'a'], ['put', 'unknown', 'a']), entriesOf(['a', 'op2'])],
    ['nothing after a delete', ledgersOf(['put', 'acknowledged', 'a'], ['delete', 'acknowledged', 'a']), entriesOf()],
    [
      'nothing after a delete that a kill cut off',
      ledgersOf(['put', 'acknowledged', 'a'], ['delete', 'unfinished', 'a']),
      entriesOf(),
    ],
    ['nothing of what was rejected', ledgersOf(['put', 'rejected', 'a']), entriesOf()],
  ])('are right with %s', (_, ledgers, stored) => {
    expect(storedDifferences(ledgers, stored)).toEqual([])
  })

  const two = ledgersOf(['put', 'acknowledged', 'a'], ['put', 'acknowledged', 'b'])
  test.each<[string, Ledgers, Stored, RegExp]>([
    ['one is missing', two, entriesOf(['a', 'op1']), /b is none, not op2/],
    ['one is there twice', two, entriesOf(['a', 'op1'], ['a', 'op1'], ['b', 'op2']), /a is there twice/],
    ['they are in no order', two, entriesOf(['b', 'op2'], ['a', 'op1']), /a stands behind b/],
    ['one is of nobody', two, entriesOf(['a', 'op1'], ['b', 'op2'], ['c', 'op9']), /has c, which nobody wrote/],
    [
      'one came back',
      ledgersOf(['put', 'acknowledged', 'a'], ['delete', 'acknowledged', 'a']),
      entriesOf(['a', 'op1']),
      /a is op1, not none/,
    ],
    [
      'an older one won',
      ledgersOf(['put', 'acknowledged', 'a'], ['put', 'acknowledged', 'a']),
      entriesOf(['a', 'op1']),
      /a is op1, not op2/,
    ],
    [
      'pages have others',
      two,
      {
        records: [],
        items: [
          {
            key: 'k',
            entries: [
              ['a', 'op1'],
              ['b', 'op2'],
            ],
            paged: [['b', 'op2']],
          },
        ],
      },
      /its pages have 1 items, and an iteration has 2/,
    ],
  ])('are wrong when %s', (_, ledgers, stored, difference) => {
    expect(storedDifferences(ledgers, stored)).toContainEqual(expect.stringMatching(difference))
  })
})

describe('reads during a run', () => {
  const ledgers = ledgersOf(['write', 'acknowledged'], ['write', 'unknown'], ['write', 'rejected'])
  const read = (beganMs: number, endedMs: number, count: number): Ledgers => ({
    ...ledgers,
    reads: [{ key: 'k', beganMs, endedMs, count }],
  })

  test.each([
    ['what was acknowledged before', 16, 18, 1],
    ['what was under way', 12, 13, 0],
    ['what was under way already', 12, 13, 1],
    ['what nobody knows of', 50, 60, 2],
  ])('may count %s', (_, beganMs, endedMs, count) => {
    expect(readDifferences(read(beganMs, endedMs, count))).toEqual([])
  })

  test.each([
    ['miss what was acknowledged before', 16, 18, 0],
    ['count what had not begun', 16, 18, 2],
    ['count what was rejected', 50, 60, 3],
  ])('must not %s', (_, beganMs, endedMs, count) => {
    expect(readDifferences(read(beganMs, endedMs, count))).toHaveLength(1)
  })
})

function failing(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error('no'), { code }))
}

describe('ledgers', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-ledgers-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('say how each operation ended, and of one that a kill cut off, that it did not', async () => {
    const ledger = new Ledger(join(folder, '1.1.ledger'), '1.1')
    const outcomes = [Promise.resolve(), failing('WRITE_UNKNOWN'), failing('WRITE_REJECTED')]
    for (const outcome of outcomes) {
      const id = ledger.nextId()
      ledger.note('began', id, 'write', 'k', '')
      await ledger.outcomeOf(id, outcome)
    }
    ledger.note('began', ledger.nextId(), 'write', 'k', '')
    ledger.close()
    writeFileSync(join(folder, '1.1.ledger'), '["acknowledged",1,"1.', { flag: 'a' })

    const { operations } = readLedgers(folder)
    expect(operations.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      '1.1.1 acknowledged',
      '1.1.2 unknown',
      '1.1.3 rejected',
      '1.1.4 unfinished',
    ])
  })

  test('of several processes count each change of a route once', () => {
    const steps = [
      ['announced', 4, 1],
      ['active', 4, 4],
      ['draining', 4, 2],
      ['settled', 2, 2],
      ['active', 2, 2],
      ['draining', 2, 1],
      ['settled', 1, 1],
      ['cold', 1, 1],
    ] as const
    for (const name of ['1.1', '2.1']) {
      const ledger = new Ledger(join(folder, `${name}.ledger`), name)
      for (const [i, [phase, read, write]] of steps.entries()) ledger.note('route', 'k', phase, read, write, i + 1)
      ledger.close()
    }
    expect(routeSteps(readLedgers(folder))).toEqual({ growthCount: 1, drainCount: 2 })
  })
})

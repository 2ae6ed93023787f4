import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { ItemDeletion, ShardPage, StoredItem } from '../../../src/backend/collection-store.js'
import { StoredItems } from '../../../src/backend/stored-items.js'
import { compareSort } from '../../../src/item/sort-value.js'
import { compareStamps, type Stamp } from '../../../src/merge/stamp.js'
import { ownGeneration } from '../../../src/operation.js'

const shard = { key: 'k', index: 0, generation: ownGeneration }

interface Known {
  readonly stamp: Stamp
  readonly value: { readonly n: number } | undefined
  /** When a tombstone may go. */
  readonly goneMs: number
}

/** A map, and the time. */
interface Model {
  readonly known: Map<string, Known>
  nowMs: number
}

type Command = fc.Command<Model, StoredItems>

/** Tombstones that may go are the only thing that nobody foresees: what has gone of them goes from the model. */
function forget(model: Model, real: StoredItems): void {
  for (const [sort, { goneMs }] of model.known)
    if (goneMs <= model.nowMs && real.get(sort) === undefined) model.known.delete(sort)
}

function shown(sort: string, { stamp, value }: Known): StoredItem {
  return { sort, stamp, value }
}

function commandOf(name: string, run: (model: Model, real: StoredItems) => void): Command {
  return { check: () => true, run, toString: () => name }
}

function putting([sort, stamp, n]: [string, Stamp, number]): Command {
  return commandOf(`put(${JSON.stringify([sort, stamp, n])})`, (model, real) => {
    const known = model.known.get(sort)
    const newer = known && compareStamps(known.stamp, stamp) > 0 ? known.stamp : undefined
    expect(real.put({ shard, sort, stamp, value: { n } })).toEqual(newer)
    if (newer === undefined) model.known.set(sort, { stamp, value: { n }, goneMs: Infinity })
  })
}

function deleting([sort, stamp, mode, retentionMs]: [string, Stamp, ItemDeletion['mode'], number]): Command {
  return commandOf(`delete(${JSON.stringify([sort, stamp, mode, retentionMs])})`, (model, real) => {
    const before = model.known.get(sort)
    const answer = real.delete({ shard, sort, stamp, mode, retentionMs }, model.nowMs)
    // An expired tombstone goes in passing, and then nothing newer is there.
    const isGone = before !== undefined && before.goneMs <= model.nowMs && answer === undefined
    const known = isGone ? undefined : before
    const age = known === undefined ? -1 : compareStamps(known.stamp, stamp)
    expect(answer).toEqual(age > 0 ? known?.stamp : undefined)
    if (mode === 'tombstone' && age <= 0)
      model.known.set(sort, { stamp, value: undefined, goneMs: model.nowMs + retentionMs })
    else if (mode === 'remove' && age <= 0) model.known.delete(sort)
    forget(model, real)
  })
}

function getting(sort: string): Command {
  return commandOf(`get(${JSON.stringify(sort)})`, (model, real) => {
    const known = model.known.get(sort)
    expect(real.get(sort)).toEqual(known && shown(sort, known))
  })
}

function paging(part: Pick<ShardPage, 'lower' | 'upper' | 'order' | 'limit'>): Command {
  return commandOf(`page(${JSON.stringify(part)})`, ({ known }, real) => {
    const { lower, upper, order, limit } = part
    const inRange = [...known]
      .filter(([sort]) => lower === undefined || compareSort(sort, lower.sort) >= (lower.isIncluded ? 0 : 1))
      .filter(([sort]) => upper === undefined || compareSort(upper.sort, sort) >= (upper.isIncluded ? 0 : 1))
      .toSorted(([a], [b]) => (order === 'ascending' ? 1 : -1) * compareSort(a, b))
      .map((entry) => shown(...entry))
    const items = inRange.slice(0, limit)
    const page = real.page({ shard, sortType: 'string', consistency: 'strong', ...part })
    expect(page).toEqual({ items, next: inRange.length > limit ? items.at(-1)?.sort : undefined })
  })
}

function passing(ms: number): Command {
  return commandOf(`pass(${ms} ms)`, (model) => {
    model.nowMs += ms
  })
}

const sort = fc.constantFrom('a', 'a\u0000', 'aa', 'b', 'c', '\ue000', '👋', '👋👋', 'z', 'zz')
const stamp = fc.record({
  timeMs: fc.integer({ min: 1, max: 4 }),
  order: fc.integer({ min: 0, max: 1 }),
  writer: fc.constantFrom('v', 'w'),
})
const bound = fc.option(fc.record({ sort, isIncluded: fc.boolean() }), { nil: undefined })

const part = fc.record({
  lower: bound,
  upper: bound,
  order: fc.constantFrom('ascending' as const, 'descending' as const),
  limit: fc.integer({ min: 1, max: 5 }),
})
const mode = fc.constantFrom('tombstone' as const, 'remove' as const)

const commands = fc.commands<Model, StoredItems>(
  [
    fc.tuple(sort, stamp, fc.nat({ max: 9 })).map(putting),
    fc.tuple(sort, stamp, mode, fc.constantFrom(0, 10, 100)).map(deleting),
    sort.map(getting),
    part.map(paging),
    fc.constantFrom(1, 10, 100).map(passing),
  ],
  { maxCommands: 60 },
)

function begin(): { model: Model; real: StoredItems } {
  return { model: { known: new Map(), nowMs: 0 }, real: new StoredItems() }
}

test('stored items do what a sorted map does', () => {
  expect.hasAssertions()
  fc.assert(
    fc.property(commands, (sequence) => fc.modelRun(begin, sequence)),
    { numRuns: 300 },
  )
})

describe('tombstones', () => {
  test('go in passing once they may, a few at a time, and no sooner', () => {
    const items = new StoredItems()
    const tombstone = (name: string, retentionMs: number, nowMs: number) =>
      items.delete(
        { shard, sort: name, stamp: { timeMs: 1, order: 0, writer: 'w' }, mode: 'tombstone', retentionMs },
        nowMs,
      )
    for (let i = 0; i < 10; i++) tombstone(`t${i}`, 100, 0)
    const left = () => Array.from({ length: 10 }, (_, i) => items.get(`t${i}`)).filter(Boolean).length
    tombstone('now', 100, 99)
    expect(left()).toBe(10)
    for (const count of [6, 2, 0, 0]) {
      tombstone('now', 100, 100)
      expect(left()).toBe(count)
    }
  })

  test('a sort value of bytes belongs to the store: changing what was given or read changes nothing', () => {
    const items = new StoredItems()
    const given = Uint8Array.of(1)
    items.put({ shard, sort: given, stamp: { timeMs: 1, order: 0, writer: 'w' }, value: {} })
    given[0] = 9
    const read = items.get(Uint8Array.of(1)) as StoredItem
    ;(read.sort as Uint8Array)[0] = 9
    expect(items.get(Uint8Array.of(1))).toMatchObject({ sort: Uint8Array.of(1) })
  })
})

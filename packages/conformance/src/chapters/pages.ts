import type { ShardRef, SortBound, SortType, SortValue } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { Items, shuffled, sortsOf, versionOf, type PagePart } from '../items.js'
import type { Rule } from '../rule.js'
import type { World } from '../world.js'

const needs = ['collections'] as const

const itemCount = 10

/** Sort values close to one another, in their order: beginnings, neighbours, both sides of where UTF-16 has another order. */
const neighbours: Readonly<Record<SortType, readonly SortValue[]>> = {
  string: ['a', 'a\u0000', 'a\u0000\u0000', 'aa', 'b', '\ue000', '👋'],
  number: [-1e21, -1, 0, 2 ** -52, 1, 1 + 2 ** -52, 1e21],
  bytes: [[0], [0, 0], [0, 1], [1], [254], [255], [255, 0]].map((list) => Uint8Array.from(list)),
}

/** Ten items of a key. */
async function tenItems(world: World): Promise<readonly [Items, ShardRef, readonly SortValue[]]> {
  const items = new Items(world)
  const key = world.key()
  const sorts = Array.from({ length: itemCount }, (_, i) => items.at(10 * (i + 1)))
  await Promise.all(shuffled(sorts).map((sort) => items.put(key, sort, { sort: JSON.stringify(sort) })))
  return [items, key, sorts]
}

/** Every two ends of a range among so many values, each included or not; undefined for none. */
function* rangesOf(sorts: readonly SortValue[]): Generator<readonly [SortBound | undefined, SortBound | undefined]> {
  for (const [i, sort] of sorts.entries()) {
    for (const isIncluded of [true, false]) {
      yield [{ sort, isIncluded }, undefined]
      yield [undefined, { sort, isIncluded }]
      for (const behind of sorts.slice(i))
        for (const isEndIncluded of [true, false])
          yield [
            { sort, isIncluded },
            { sort: behind, isIncluded: isEndIncluded },
          ]
    }
  }
}

/** Which of the values, given in their order, a range has. */
function within(sorts: readonly SortValue[], lower?: SortBound, upper?: SortBound): readonly SortValue[] {
  const from = lower === undefined ? 0 : sorts.indexOf(lower.sort) + (lower.isIncluded ? 0 : 1)
  const to = upper === undefined ? sorts.length : sorts.indexOf(upper.sort) + (upper.isIncluded ? 1 : 0)
  return sorts.slice(from, to)
}

/** Pages of one shard. */
export const pageRules: readonly Rule[] = [
  {
    id: 'page-bounds',
    claim: 'A page has what lies between its bounds, and a bound itself only where it is included.',
    needs,
    async check(world) {
      for (const type of new Items(world).store.limits.sortTypes) {
        const items = new Items(world, type)
        const [key, sorts] = [world.key(type), neighbours[type]]
        for (const sort of shuffled(sorts)) await items.put(key, sort, { n: 1 })
        for (const [lower, upper] of rangesOf(sorts)) {
          const expected = within(sorts, lower, upper)
          const what = `the sort values from ${shown(lower)} to ${shown(upper)}`
          const ascending = await items.all(key, { lower, upper })
          ensureEqual(sortsOf(ascending), expected, `${what}, ascending,`)
          const descending = await items.all(key, { lower, upper, order: 'descending' })
          ensureEqual(sortsOf(descending), expected.toReversed(), `${what}, descending,`)
        }
      }
    },
  },
  {
    id: 'page-empty',
    claim: 'A range in which nothing lies is empty and ends: before, behind and between the items, or upside down.',
    needs,
    async check(world) {
      const [items, key] = await tenItems(world)
      const ends = [
        [1, 9],
        [101, 109],
        [41, 49],
        [50, 40],
        [109, 1],
      ]
      for (const [from = 0, to = 0] of ends)
        for (const order of ['ascending', 'descending'] as const)
          for (const isIncluded of [true, false]) {
            const [lower, upper] = [from, to].map((i) => ({ sort: items.at(i), isIncluded }))
            const what = `the items from ${from} to ${to}, ${order}, where items lie at 10, 20, up to 100,`
            ensureEqual(await items.all(key, { lower, upper, order }), [], what)
          }
      ensureEqual(await items.all(key, { lower: { sort: items.at(101), isIncluded: true } }), [], 'what lies behind')
      ensureEqual(await items.all(key, { upper: { sort: items.at(9), isIncluded: true } }), [], 'what lies before')
    },
  },
  {
    id: 'page-limit',
    claim: 'A page has at most as many items as it was asked for, the first in its order.',
    needs,
    async check(world) {
      const [items, key, sorts] = await tenItems(world)
      for (const limit of [1, 3, itemCount - 1])
        for (const order of ['ascending', 'descending'] as const) {
          const { items: found } = await items.page(key, { order, limit })
          ensure(found.length <= limit, `Expected at most ${limit} items, but there were ${found.length}.`)
          const inOrder = order === 'ascending' ? sorts : sorts.toReversed()
          ensureEqual(sortsOf(found), inOrder.slice(0, found.length), `the first sort values, ${order},`)
        }
    },
  },
  {
    id: 'page-next',
    claim: 'Page by page a range comes to its end without a gap and without a repeat, in both directions.',
    needs,
    async check(world) {
      const [items, key, sorts] = await tenItems(world)
      const [lower, upper] = [
        { sort: items.at(20), isIncluded: false },
        { sort: items.at(90), isIncluded: true },
      ]
      for (const limit of [1, 2, 3, itemCount - 1, itemCount, itemCount + 1]) {
        const what = `the sort values by pages of ${limit}`
        ensureEqual(sortsOf(await items.all(key, { limit })), sorts, `${what}, ascending,`)
        const descending = await items.all(key, { limit, order: 'descending' })
        ensureEqual(sortsOf(descending), sorts.toReversed(), `${what}, descending,`)
        const part = await items.all(key, { limit, lower, upper })
        ensureEqual(sortsOf(part), sorts.slice(2, 9), `${what} between 20 and 90, ascending,`)
        const back = await items.all(key, { limit, lower, upper, order: 'descending' })
        ensureEqual(sortsOf(back), sorts.slice(2, 9).toReversed(), `${what} between 20 and 90, descending,`)
      }
    },
  },
  {
    id: 'page-removed',
    claim: 'Page by page a range comes to its end also when each page’s items are taken away before the next is read.',
    needs,
    async check(world) {
      for (const order of ['ascending', 'descending'] as const) {
        const items = new Items(world)
        const key = world.key(order)
        const sorts = Array.from({ length: itemCount }, (_, i) => items.at(10 * (i + 1)))
        for (const sort of sorts) await items.put(key, sort, { n: 1 })
        const found: SortValue[] = []
        let rest: PagePart = {}
        for (let page = 0; page < itemCount; page++) {
          const { items: some, next } = await items.page(key, { ...rest, order, limit: 3 })
          for (const { sort } of some) await items.delete(key, sort, 'remove', versionOf(1))
          found.push(...sortsOf(some))
          if (next === undefined) break
          rest = { [order === 'ascending' ? 'lower' : 'upper']: { sort: next, isIncluded: false } }
        }
        ensureEqual(found, order === 'ascending' ? sorts : sorts.toReversed(), `the sort values, ${order},`)
        ensureEqual(await items.all(key), [], 'the items that are left')
      }
    },
  },
  {
    id: 'page-largest',
    claim: 'A page may be asked for `itemsPerPageMax` items.',
    needs,
    async check(world) {
      const [items, key, sorts] = await tenItems(world)
      const limit = items.store.limits.itemsPerPageMax
      ensureEqual(sortsOf(await items.all(key, { limit })), sorts, `the sort values by pages of ${limit}`)
    },
  },
  {
    id: 'page-heavy',
    claim: 'Items that are too much for one answer come in several pages, and none is left out.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const text = 'x'.repeat(Math.min(items.store.limits.itemBytesMax - 100, heavyBytes))
      const numbers = Array.from({ length: heavyCount }, (_, i) => i)
      for (const n of shuffled(numbers)) await items.put(key, items.at(n), { n, text })
      for (const order of ['ascending', 'descending'] as const) {
        const found = (await items.all(key, { order })).map(({ value }) => [value?.['n'], value?.['text'] === text])
        const expected = numbers.map((n) => [n, true])
        ensureEqual(found, order === 'ascending' ? expected : expected.toReversed(), `the heavy items, ${order},`)
      }
    },
  },
]

/** So many of so many bytes are more than DynamoDB puts in a page, which is 1 MB. */
const heavyCount = 5
const heavyBytes = 300 * 1_024

function shown(bound: SortBound | undefined): string {
  return bound === undefined ? 'none' : `${JSON.stringify(bound.sort)}${bound.isIncluded ? '' : ' excluded'}`
}

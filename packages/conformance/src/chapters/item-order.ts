import type { SortType, SortValue } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, shuffled, sortsOf } from '../items.js'
import type { Rule } from '../rule.js'
import type { World } from '../world.js'

const encoder = new TextEncoder()

/** Beginnings of one another, of one look, of every length in UTF-8, and where UTF-16 has another order. */
const strings = ['\u0000', ' ', '!', '"', '0', '00', '01', '1', '1.0', '10', '2', 'A', 'B', 'Z', '[', '\\', 'a']
  .concat(['a\u0000', 'a ', 'a!', 'aa', 'a~', 'ab', 'b', 'e\u0301', 'z', '~', '\u007f', '\u0080', 'é', 'ÿ', '\u07ff'])
  .concat(['\u0800', '世', '世界', '\ud7ff', '\ue000', '\uffee', '\u{10000}', '👋', '👋👋', '\u{10ffff}'])
  .toSorted((a, b) => Buffer.compare(encoder.encode(a), encoder.encode(b)))

const numbers = [-1e100, -(2 ** 53), -1000, -100.5, -10, -9, -1.5, -1, -0.5, -1e-7, -1e-100, 0, 1e-100, 5e-10, 0.1]
  .concat([0.3, 0.1 + 0.2, 0.5, 1, 1 + 2 ** -52, 1.5, 2, 9, 10, 11, 99, 100, 1000, 2 ** 31, 2 ** 32, 2 ** 53 - 2])
  .concat([2 ** 53 - 1, 1e21, 1e100])
  .toSorted((a, b) => a - b)

const bytes = [[0], [0, 0], [0, 1], [0, 255], [1], [1, 0], [9], [10], [32], [127], [127, 255], [128], [128, 0]]
  .concat([[195, 40], [200], [237, 160, 128], [255], [255, 0], [255, 255], [255, 255, 255]])
  .map((list) => Uint8Array.from(list))
  .toSorted((a, b) => Buffer.compare(a, b))

/** Puts items at all these sort values, which are given in their order, and ensures that they come back so, each by itself. */
async function ensureOrdered(world: World, type: SortType, sorts: readonly SortValue[]): Promise<void> {
  const items = new Items(world, type)
  const key = world.key()
  const numbered = sorts.map((sort, i) => ({ sort, value: { i } }))
  for (const { sort, value } of shuffled(numbered)) await items.put(key, sort, value)
  ensureEqual(sortsOf(await items.all(key)), sorts, 'the sort values of all items, ascending,')
  const descending = await items.all(key, { order: 'descending' })
  ensureEqual(sortsOf(descending), sorts.toReversed(), 'the sort values of all items, descending,')
  ensureEqual(
    descending.map(({ value }) => value),
    numbered.map(({ value }) => value).toReversed(),
    'the items, descending,',
  )
  for (const { sort, value } of numbered)
    ensureEqual((await items.get(key, sort))?.value, value, `the item at ${JSON.stringify(sort)}`)
}

/** The order of sort values: the same in every store. */
export const itemOrderRules: readonly Rule[] = [
  {
    id: 'order-strings',
    claim: 'Strings are ordered by their bytes of UTF-8, and any two that differ are two.',
    needs: ['collections', 'sorted strings'],
    check: (world) => ensureOrdered(world, 'string', strings),
  },
  {
    id: 'order-numbers',
    claim: 'Numbers are ordered by value, and come back exactly.',
    needs: ['collections', 'sorted numbers'],
    check: (world) => ensureOrdered(world, 'number', numbers),
  },
  {
    id: 'order-bytes',
    claim: 'Bytes are ordered one by one, from 0 to 255, and what begins with another comes behind it.',
    needs: ['collections', 'sorted bytes'],
    check: (world) => ensureOrdered(world, 'bytes', bytes),
  },
]

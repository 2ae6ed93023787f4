import { isDeepStrictEqual } from 'node:util'

import type { SortType, SortValue } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { Items, sortsOf } from '../items.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import type { World } from '../world.js'

const needs = ['collections'] as const

/** A store may declare more than anybody has; beyond this nothing is tried. */
const triedBytesMax = 1_048_576

/** Two of the longest sort values of a type, which differ in nothing but their end, in their order. */
function longest(type: SortType, sortBytesMax: number): readonly SortValue[] {
  const room = Math.min(sortBytesMax, 4_096)
  if (type === 'bytes')
    return [0, 255].map((last) => Uint8Array.from({ length: room }, (_, i) => (i === room - 1 ? last : 255)))
  const wide = '世'.repeat(Math.floor((room - 1) / 3))
  return ['a', 'b'].map((last) => wide + last.repeat(room - Buffer.byteLength(wide)))
}

async function ensureLongest(world: World, type: SortType): Promise<void> {
  const items = new Items(world, type)
  const sorts = longest(type, items.store.limits.sortBytesMax)
  const key = world.key(type)
  for (const [i, sort] of sorts.entries())
    ensureEqual(await items.put(key, sort, { i }), 'done', `the answer to a put at one of the longest ${type}s`)
  ensureEqual(sortsOf(await items.all(key)), sorts, `the longest sort values of type ${type}`)
  for (const [i, sort] of sorts.entries())
    ensureEqual((await items.get(key, sort))?.value, { i }, `the item at the ${i}. of the longest ${type}s`)
}

/** What collections declare, they take. */
export const itemLimitRules: readonly Rule[] = [
  {
    id: 'item-longest-sort',
    claim: 'A sort value of `sortBytesMax` bytes is taken, down to its last byte, also under the longest key.',
    needs,
    async check(world) {
      const { sortTypes } = new Items(world).store.limits
      for (const type of sortTypes) if (type !== 'number') await ensureLongest(world, type)
      const room = Math.min(world.backend.capabilities.keyBytesMax, 4_096) - Buffer.byteLength(world.key('').key)
      const shard = world.shard(world.key('k'.repeat(room)), 1_023, 2 ** 45, 0xffffffff)
      const items = new Items(world)
      const [sort] = items.type === 'number' ? [1] : longest(items.type, items.store.limits.sortBytesMax)
      await items.put(shard, sort as SortValue, { n: 1 })
      ensureEqual(sortsOf(await items.all(shard)), [sort], 'the sort values under the longest key')
    },
  },
  {
    id: 'item-largest',
    claim: 'An item of `itemBytesMax` bytes of JSON is taken, in one property or in many.',
    needs,
    async check(world) {
      const items = new Items(world)
      const room = Math.min(items.store.limits.itemBytesMax, triedBytesMax)
      const many = Array.from({ length: 64 }, (_, i) => [`part-${i}`, 'y'.repeat(Math.floor(room / 64) - 14)] as const)
      const values = [{ text: 'x'.repeat(room - 11) }, Object.fromEntries(many)]
      for (const [i, value] of values.entries()) {
        const [key, sort] = [world.key(String(i)), items.at(1)]
        ensureEqual(await items.put(key, sort, value), 'done', `the answer to a put of ${room} bytes`)
        const isSame = isDeepStrictEqual((await items.get(key, sort))?.value, value)
        ensure(isSame, `Expected an item of ${room} bytes to come back as it was.`)
      }
    },
  },
  {
    id: 'item-refused',
    claim: 'What can never be done is refused as «invalid», or done all the same.',
    needs,
    async check(world) {
      const items = new Items(world)
      const { limits } = items.store
      const [key, sort] = [world.key(), items.at(1)]
      await items.put(key, sort, { n: 1 })
      const requests: (readonly [string, () => Promise<unknown>])[] = [
        ['a page of no items', () => items.page(key, { limit: 0 })],
        ['a page of too many items', () => items.page(key, { limit: limits.itemsPerPageMax + 1 })],
        ['a get of no shards', () => items.answers([], sort)],
      ]
      if (limits.itemBytesMax < triedBytesMax)
        requests.push(['an item of 2 MB', () => items.put(key, items.at(2), { text: 'x'.repeat(2 * triedBytesMax) })])
      const otherType = limits.sortTypes.find((type) => type !== items.type)
      if (otherType !== undefined)
        requests.push([
          'a sort value of another type',
          () => items.put(key, new Items(world, otherType).at(1), { n: 2 }),
        ])
      for (const [what, request] of requests) {
        const outcome = await settled(what, request)
        if (outcome.status === 'failed') ensureEqual(outcome.error.kind, 'invalid', `the kind of failure of ${what}`)
      }
      ensureEqual((await items.get(key, sort))?.value, { n: 1 }, 'the item after what can never be done')
    },
  },
]

import type { ItemDeletion, ItemValue, ShardRef, Stamp } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, sortsOf, versionOf } from '../items.js'
import type { Rule } from '../rule.js'
import type { World } from '../world.js'

const needs = ['collections'] as const

const modes: readonly ItemDeletion['mode'][] = ['tombstone', 'remove']

/** More tombstones than a store sweeps in passing. */
const tombstoneCount = 40

/** An item of a key of its own that the rule uses for nothing else, of version 5 unless told otherwise. */
async function withItem(world: World, name: string, stamp: Stamp = versionOf(5)) {
  const items = new Items(world)
  const [key, sort, value] = [world.key(name), items.at(1), { name } satisfies ItemValue]
  await items.put(key, sort, value, stamp)
  const drop = (mode: ItemDeletion['mode'], by: Stamp) => items.delete(key, sort, mode, by)
  const ensureThere = async (expected: { stamp: Stamp; value: ItemValue | undefined } | undefined, when: string) => {
    const item = expected && { sort, ...expected }
    ensureEqual(await items.get(key, sort), item, `what a get found ${when}`)
    ensureEqual(await items.all(key), item === undefined ? [] : [item], `what a page gave ${when}`)
  }
  return { items, key, sort, value, drop, ensureThere }
}

async function ensureNothing(items: Items, key: ShardRef, when: string): Promise<void> {
  ensureEqual(await items.get(key, items.at(1)), undefined, `what a get found ${when}`)
  ensureEqual(await items.all(key), [], `what a page gave ${when}`)
}

/** Items that are taken away: in favour of a tombstone, or for good. */
export const itemDeleteRules: readonly Rule[] = [
  {
    id: 'tombstone-hides',
    claim: 'A tombstone takes the place of an item, and is read with its stamp and without a value.',
    needs,
    async check(world) {
      const { drop, ensureThere } = await withItem(world, 'k')
      ensureEqual(await drop('tombstone', versionOf(6)), 'done', 'the answer to a delete')
      await ensureThere({ stamp: versionOf(6), value: undefined }, 'after a delete')
      ensureEqual(await drop('tombstone', versionOf(6)), 'done', 'the answer to the delete sent again')
      await ensureThere({ stamp: versionOf(6), value: undefined }, 'after the delete was sent again')
    },
  },
  {
    id: 'tombstone-nothing',
    claim: 'A tombstone stays also where nothing was, in its place among the items.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      for (const n of [1, 3]) await items.put(key, items.at(n), { n })
      const answer = await items.delete(key, items.at(2), 'tombstone', versionOf(6))
      ensureEqual(answer, 'done', 'the answer to a delete of nothing')
      const all = await items.all(key, { limit: 1 })
      ensureEqual(
        sortsOf(all),
        [1, 2, 3].map((n) => items.at(n)),
        'the sort values after a delete of nothing',
      )
      const expected = { sort: items.at(2), stamp: versionOf(6), value: undefined }
      ensureEqual(all[1], expected, 'what a page gave where nothing was deleted')
      ensureEqual(await items.get(key, items.at(2)), expected, 'what a get found where nothing was deleted')
    },
  },
  {
    id: 'tombstone-older',
    claim: 'A delete that is older than the item leaves it alone and says which version is there.',
    needs,
    async check(world) {
      const { value, drop, ensureThere } = await withItem(world, 'k')
      ensureEqual(await drop('tombstone', versionOf(4)), versionOf(5), 'the answer to an older delete')
      await ensureThere({ stamp: versionOf(5), value }, 'after an older delete')
    },
  },
  {
    id: 'tombstone-stays',
    claim:
      'A put that is older than a tombstone leaves it alone and says which version is there; so does an older delete.',
    needs,
    async check(world) {
      const { items, key, sort, drop, ensureThere } = await withItem(world, 'k')
      await drop('tombstone', versionOf(8))
      ensureEqual(await items.put(key, sort, { n: 1 }, versionOf(7)), versionOf(8), 'the answer to an older put')
      ensureEqual(await drop('tombstone', versionOf(6)), versionOf(8), 'the answer to an older delete')
      await ensureThere({ stamp: versionOf(8), value: undefined }, 'after an older put and an older delete')
    },
  },
  {
    id: 'tombstone-gives-way',
    claim: 'A newer put takes the place of a tombstone, and so does a newer tombstone.',
    needs,
    async check(world) {
      const { items, key, sort, drop, ensureThere } = await withItem(world, 'k')
      await drop('tombstone', versionOf(6))
      ensureEqual(await drop('tombstone', versionOf(7)), 'done', 'the answer to a newer delete')
      await ensureThere({ stamp: versionOf(7), value: undefined }, 'after a newer delete')
      ensureEqual(await items.put(key, sort, { n: 2 }, versionOf(8)), 'done', 'the answer to a newer put')
      await ensureThere({ stamp: versionOf(8), value: { n: 2 } }, 'after a newer put')
    },
  },
  {
    id: 'tombstone-kept',
    claim: 'A tombstone stays for as long as it was to be kept, whatever else is written.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const sorts = Array.from({ length: tombstoneCount }, (_, n) => items.at(n))
      for (const sort of sorts) await items.delete(key, sort, 'tombstone', versionOf(5))
      await items.put(key, items.at(tombstoneCount), { n: 1 })
      const tombstones = (await items.all(key)).filter(({ value }) => value === undefined)
      ensureEqual(sortsOf(tombstones), sorts, 'the sort values of all tombstones')
      const late = await items.put(key, items.at(0), { n: 1 }, versionOf(4))
      ensureEqual(late, versionOf(5), 'the answer to a put that is older than the first tombstone')
    },
  },
  {
    id: 'remove-older',
    claim: 'A removal takes away what is not newer, item or tombstone, and nothing stays.',
    needs,
    async check(world) {
      for (const stamp of [versionOf(5), versionOf(6)]) {
        const item = await withItem(world, `item-${stamp.timeMs}`)
        ensureEqual(await item.drop('remove', stamp), 'done', 'the answer to a removal')
        await ensureNothing(item.items, item.key, 'after a removal')
        const gone = await withItem(world, `tombstone-${stamp.timeMs}`, versionOf(4))
        await gone.drop('tombstone', versionOf(5))
        ensureEqual(await gone.drop('remove', stamp), 'done', 'the answer to a removal of a tombstone')
        await ensureNothing(gone.items, gone.key, 'after a removal of a tombstone')
      }
    },
  },
  {
    id: 'remove-newer',
    claim: 'A removal leaves what is newer alone, item or tombstone, and says which version is there.',
    needs,
    async check(world) {
      const { value, drop, ensureThere } = await withItem(world, 'k')
      ensureEqual(await drop('remove', versionOf(4)), versionOf(5), 'the answer to an older removal')
      await ensureThere({ stamp: versionOf(5), value }, 'after an older removal')
      await drop('tombstone', versionOf(8))
      ensureEqual(await drop('remove', versionOf(7)), versionOf(8), 'the answer to a removal older than the tombstone')
      await ensureThere({ stamp: versionOf(8), value: undefined }, 'after a removal older than the tombstone')
    },
  },
  {
    id: 'remove-nothing',
    claim: 'Where nothing is, a removal is done, also of what is gone already, and leaves nothing.',
    needs,
    async check(world) {
      const { items, key, drop } = await withItem(world, 'k')
      await drop('remove', versionOf(5))
      ensureEqual(await drop('remove', versionOf(5)), 'done', 'the answer to a removal of nothing')
      await ensureNothing(items, key, 'after a removal of nothing')
    },
  },
  {
    id: 'delete-neighbours',
    claim: 'A delete touches one item: its neighbours, and the same sort value in other shards, stay.',
    needs,
    async check(world) {
      const items = new Items(world)
      for (const mode of modes) {
        const key = world.key(mode)
        const shard = world.shard(key, 1)
        for (const n of [1, 2, 3]) await items.put(key, items.at(n), { n }, versionOf(5))
        await items.put(shard, items.at(2), { n: 2 }, versionOf(5))
        await items.delete(key, items.at(2), mode, versionOf(5))
        const left = (await items.all(key)).filter(({ value }) => value !== undefined)
        ensureEqual(sortsOf(left), [items.at(1), items.at(3)], `the neighbours after a ${mode}`)
        ensureEqual((await items.get(shard, items.at(2)))?.value, { n: 2 }, `the other shard's item after a ${mode}`)
      }
    },
  },
]

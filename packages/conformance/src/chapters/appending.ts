import type { ItemPut } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, shuffled, versionOf } from '../items.js'
import type { Rule } from '../rule.js'
import type { World } from '../world.js'

const needs = ['collections', 'append'] as const

/** A store may take more at once than anybody sends. */
const triedMax = 100

/** So many items of one key, spread over three shards, each with a stamp of its own. */
function puttings(world: World, items: Items, count: number): readonly ItemPut[] {
  const key = world.key()
  const shards = [key, world.shard(key, 1), world.shard(key, 2)]
  return Array.from({ length: count }, (_, n) =>
    items.putting(shards[n % 3] ?? key, items.at(n), { n }, versionOf(n, n % 2, `w${n % 5}`)),
  )
}

async function append(world: World, items: Items, puts: readonly ItemPut[]): Promise<readonly string[]> {
  const answers = (await items.store.append?.({ items: puts }, world.call)) ?? []
  return answers.map(({ status }) => status)
}

/** Ensures that each item stands in its shard, and no other. */
async function ensureStored(items: Items, puts: readonly ItemPut[]): Promise<void> {
  for (const shard of new Set(puts.map((put) => put.shard))) {
    const expected = puts.filter((put) => put.shard === shard).map(({ sort, stamp, value }) => ({ sort, stamp, value }))
    ensureEqual(await items.all(shard), expected, `the items of shard ${shard.index}`)
  }
}

/** Items that are written many at once and never twice. */
export const appendRules: readonly Rule[] = [
  {
    id: 'append-all',
    claim: 'Items of several shards are stored with their stamps, and each is answered.',
    needs,
    async check(world) {
      const items = new Items(world)
      const puts = puttings(world, items, Math.min(7, items.store.limits.itemsPerAppendMax))
      const statuses = await append(world, items, shuffled(puts))
      ensureEqual(
        statuses,
        puts.map(() => 'done'),
        'the answers to an append',
      )
      await ensureStored(items, puts)
    },
  },
  {
    id: 'append-largest',
    claim: 'An append of `itemsPerAppendMax` items is stored in full.',
    needs,
    async check(world) {
      const items = new Items(world)
      const puts = puttings(world, items, Math.min(items.store.limits.itemsPerAppendMax, triedMax))
      const statuses = await append(world, items, puts)
      ensureEqual(
        statuses,
        puts.map(() => 'done'),
        'the answers to an append',
      )
      await ensureStored(items, puts)
    },
  },
  {
    id: 'append-again',
    claim: 'The same append twice is done twice and has the effect of one.',
    needs,
    async check(world) {
      const items = new Items(world)
      const puts = puttings(world, items, Math.min(5, items.store.limits.itemsPerAppendMax))
      for (const time of ['first', 'second'])
        ensureEqual(
          await append(world, items, puts),
          puts.map(() => 'done'),
          `the answers to the ${time} append`,
        )
      await ensureStored(items, puts)
    },
  },
]

import type { ItemDeletion, ShardRef } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { Items, seen, versionOf } from '../items.js'
import type { Rule } from '../rule.js'
import { settled, typed } from '../settled.js'
import type { World } from '../world.js'

const needs = ['collections'] as const

/** A key has no more shards. */
const fanoutMax = 1_024

const oddKeys = ['a', 'A', ' a', 'a ', 'é', 'e\u0301', '👋', '世界', '\u0000', '{a}b', '{a}', 'a:b', 'a/b', 'a#b']
const lookalikes = ['1', '.1', '~1', '#1', ':1', '/1', '1.7.00c0ffee', '~spillway1.7.00c0ffee', '~spillway', '~']
  .concat(['items', ':items', '~items', '.items', '#items', ':sorted', ':z'])
  .map((suffix) => `k${suffix}`)

/** Puts one item under the same sort value in each of these shards and ensures that each kept its own. */
async function ensureApart(world: World, given: readonly ShardRef[]): Promise<void> {
  const items = new Items(world)
  const { reservedMark } = world.backend.capabilities
  const shards = given.filter(({ key }) => !key.includes(reservedMark)) // the core lets no such key through
  for (const [i, shard] of shards.entries()) await items.put(shard, items.at(1), { i }, versionOf(i))
  for (const [i, shard] of shards.entries()) {
    const what = `shard ${shard.index} of generation ${shard.generation.number} of the key ${JSON.stringify(shard.key)}`
    const expected = { sort: items.at(1), stamp: versionOf(i), value: { i } }
    ensureEqual(await items.get(shard, items.at(1)), expected, `the item of ${what}`)
    ensureEqual(await items.all(shard), [expected], `the items of ${what}`)
  }
}

/** Shards of one key, the first of which is shard 0, each with an item that has its index. */
async function withShards(world: World, count: number): Promise<readonly [Items, readonly ShardRef[]]> {
  const items = new Items(world)
  const key = world.key()
  const shards = Array.from({ length: count }, (_, i) => (i === 0 ? key : world.shard(key, i)))
  for (const shard of shards) await items.put(shard, items.at(1), { index: shard.index })
  return [items, shards]
}

/** Items of several shards. */
export const itemShardRules: readonly Rule[] = [
  {
    id: 'item-keys',
    claim: 'Items of two keys that differ in any way are apart, also where one looks like the other’s place.',
    needs,
    check(world) {
      const key = world.key()
      const keys = [...oddKeys, ...lookalikes].map((name) => world.key(name))
      return ensureApart(world, [key, world.shard(key, 1), ...keys])
    },
  },
  {
    id: 'item-shards',
    claim: 'Items of two shards of a key are apart, and so are those of two generations of one index.',
    needs,
    check(world) {
      const key = world.key()
      const places = [
        { index: 1, number: 7, nonce: 1 },
        { index: 1, number: 8, nonce: 1 },
        { index: 1, number: 7, nonce: 2 },
        { index: 2, number: 7, nonce: 1 },
        { index: 11, number: 7, nonce: 1 },
        { index: 1, number: 17, nonce: 1 },
        { index: 1, number: 1, nonce: 7 },
        { index: 1_023, number: 2 ** 45, nonce: 0xffffffff },
      ]
      return ensureApart(world, [
        key,
        ...places.map(({ index, number, nonce }) => world.shard(key, index, number, nonce)),
      ])
    },
  },
  {
    id: 'get-order',
    claim: 'Each shard of a get is answered in its place, those without the item as well.',
    needs: ['collections', 'batches'],
    async check(world) {
      const [items, shards] = await withShards(world, Math.min(12, world.backend.capabilities.shardsPerReadMax))
      const key = world.key()
      const asked = shards.flatMap((shard) => [shard, world.shard(key, shard.index + 50)]).toReversed()
      const some = asked.slice(0, world.backend.capabilities.shardsPerReadMax)
      const found = (await items.getEach(some, items.at(1))).map((item) => item?.value?.['index'])
      const expected = some.map(({ index }) => (index < 50 ? index : undefined))
      ensureEqual(found, expected, 'the indices in the items of a get')
    },
  },
  {
    id: 'get-largest',
    claim: 'A get of `shardsPerReadMax` shards is answered in full.',
    needs,
    async check(world) {
      const count = Math.min(world.backend.capabilities.shardsPerReadMax, fanoutMax)
      const items = new Items(world)
      const key = world.key()
      const shards = Array.from({ length: count }, (_, i) => (i === 0 ? key : world.shard(key, i)))
      const written = shards.filter((_, i) => i % 10 === 0 || i === count - 1)
      await Promise.all(written.map((shard) => items.put(shard, items.at(1), { index: shard.index })))
      const found = (await items.getEach(shards, items.at(1))).map((item) => item?.value?.['index'])
      const expected = shards.map((shard) => (written.includes(shard) ? shard.index : undefined))
      ensureEqual(found, expected, 'the indices in the items of a get')
    },
  },
  {
    id: 'get-neighbours',
    claim: 'A shard that cannot be read is answered as failed in its place, and its neighbours are read.',
    needs: ['collections', 'failShard', 'batches'],
    async check(world) {
      const [items, shards] = await withShards(world, Math.min(4, world.backend.capabilities.shardsPerReadMax))
      const failing = shards[1] as ShardRef
      await world.whileFailing(failing, async () => {
        const answers = await items.answers(shards, items.at(1))
        for (const [i, answer] of answers.entries()) {
          if (answer.status === 'failed') typed('a shard of a get', answer.error)
          else ensureEqual(answer.item && seen(answer.item).value, { index: i }, `the item of shard ${i}`)
        }
        ensureEqual(
          answers.map(({ status }) => status),
          shards.map((shard) => (shard === failing ? 'failed' : 'read')),
          `what became of each shard while shard ${failing.index} could not be read`,
        )
      })
      const found = (await items.getEach(shards, items.at(1))).map((item) => item?.value?.['index'])
      ensureEqual(
        found,
        shards.map(({ index }) => index),
        'the indices once every shard can be read again',
      )
    },
  },
  {
    id: 'get-miss',
    claim: 'An item that cannot be read is never answered as if nothing were there, neither by a get nor by a page.',
    needs: ['collections', 'failShard'],
    async check(world) {
      const items = new Items(world)
      const shard = world.shard(world.key(), 1)
      await items.put(shard, items.at(1), { n: 5 })
      await world.whileFailing(shard, async () => {
        const getting = await settled('a get', () => items.answers([shard], items.at(1)))
        const [answer] = getting.status === 'answered' ? getting.answer : []
        if (answer?.status === 'failed') typed('a shard of a get', answer.error)
        if (answer?.status === 'read')
          ensureEqual(answer.item?.value, { n: 5 }, 'the item that a get gave of a shard that cannot be read')
        const paging = await settled('a page', () => items.all(shard))
        if (paging.status === 'answered')
          ensureEqual(
            paging.answer.map(({ value }) => value),
            [{ n: 5 }],
            'the items that pages gave of a shard that cannot be read',
          )
      })
      ensure((await items.get(shard, items.at(1))) !== undefined, 'Expected the item to be there after all.')
    },
  },
  {
    id: 'item-route',
    claim:
      'A route that was left with shard 0 comes with its items, by get and by page; none comes where none was left.',
    needs: ['collections', 'stampRoute'],
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const routes = async (shard: ShardRef) => {
        const [answer] = await items.answers([shard], items.at(1))
        const { route } = await items.store.page(items.paging(shard), world.call)
        return [answer?.status === 'read' ? answer.route : answer, route].map(
          (found) => found && 'revision' in found && { revision: found.revision, text: found.text },
        )
      }
      ensureEqual(await routes(key), [undefined, undefined], 'the routes with a key that was never stamped')
      const stamp = { revision: 2 ** 45, text: '{"of":"the route\'s own words: \\"#~ ."}' }
      await world.backend.records.stampRoute?.(key, stamp, world.call)
      ensureEqual(await routes(key), [stamp, stamp], 'the routes with a key without items')
      await items.put(key, items.at(1), { n: 1 })
      await items.delete(key, items.at(2), 'tombstone', versionOf(2))
      ensureEqual(await routes(key), [stamp, stamp], 'the routes with a key that has items')
      ensureEqual((await items.all(key)).length, 2, 'the number of items and tombstones beside a route')
      ensureEqual(await routes(world.key('k2')), [undefined, undefined], 'the routes with another key')
    },
  },
  {
    id: 'item-delete-route',
    claim: 'A delete in shard 0 tells of the route that was left there, whatever it found; none where none was left.',
    needs: ['collections', 'stampRoute'],
    async check(world) {
      const items = new Items(world)
      const stamp = { revision: 2 ** 45, text: '{"of":"the route\'s own words: \\"#~ ."}' }
      const told = async (key: ShardRef, n: number, mode: ItemDeletion['mode']) => {
        const deletion = { shard: key, sort: items.at(n), stamp: versionOf(5), mode, retentionMs: 60_000 }
        const { route } = await items.store.delete(deletion, world.call)
        return route && { revision: route.revision, text: route.text }
      }
      for (const mode of ['tombstone', 'remove'] as const) {
        const key = world.key(mode)
        await items.put(key, items.at(1), { n: 1 }, versionOf(1))
        await items.put(key, items.at(2), { n: 2 }, versionOf(9))
        ensureEqual(await told(key, 3, mode), undefined, `the route that a ${mode} told of a key without one`)
        await world.backend.records.stampRoute?.(key, stamp, world.call)
        for (const [n, what] of ['', 'an item', 'a newer item', 'nothing'].entries())
          if (n > 0) ensureEqual(await told(key, n, mode), stamp, `the route that a ${mode} of ${what} told`)
        const bare = world.key(`bare-${mode}`)
        await world.backend.records.stampRoute?.(bare, stamp, world.call)
        ensureEqual(await told(bare, 1, mode), stamp, `the route that a ${mode} told of a key without items`)
      }
    },
  },
]

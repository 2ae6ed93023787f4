import { at, latest, max, mergeRule, min, sum, union, type ShardRef } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { absorbedIn, fieldOf, type Change } from '../world.js'

const total = fieldOf('total', sum())
const product = mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number })

/** Before, what is absorbed, and after, for every kind of rule. */
const kinds: readonly (readonly [Change, unknown, unknown])[] = [
  [[total, 1], 2, 3],
  [[fieldOf('highest', max()), 1], 2, 2],
  [[fieldOf('lowest', min()), 1], 2, 1],
  [[fieldOf('title', latest()), at('new', 2)], at('old', 1), 'new'],
  [[fieldOf('tags', union()), ['a']], ['b'], new Set(['a', 'b'])],
  [[fieldOf('product', product), 3], 5, 15],
]

/** Rule absorb: frozen contents are taken in once, and recorded in the same step. */
export const absorbingRules: readonly Rule[] = [
  {
    id: 'absorb-once',
    claim: 'Contents are taken in once, however often they are absorbed.',
    async check(world) {
      const [target, source] = [world.key(), world.shard(world.key(), 1)]
      await world.write(target, [[total, 1]])
      for (let i = 0; i < 3; i++) await world.absorb(target, source, [[total, 10]])
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [11], 'the total')
      ensureEqual(absorbedIn(contents), new Map([[1, 7]]), 'the absorbed shards')
    },
  },
  {
    id: 'absorb-kinds',
    claim: 'Contents merge by the rules of their fields.',
    async check(world) {
      const target = world.key()
      for (const [change] of kinds) await world.write(target, [change])
      const changes = kinds.map(([[field], absorbed]) => [field, absorbed] as const)
      await world.absorb(target, world.shard(target, 1), changes)
      const fields = kinds.map(([[field]]) => field)
      ensureEqual(
        await world.read(target, fields),
        kinds.map(([, , after]) => after),
        'the record',
      )
    },
  },
  {
    id: 'absorb-empty',
    claim: 'A shard that holds nothing is recorded as well, and into one that holds nothing contents are taken in.',
    async check(world) {
      const target = world.key()
      await world.absorb(target, world.shard(target, 1), [[total, undefined]])
      await world.absorb(target, world.shard(target, 2), [[total, 5]])
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [5], 'the total')
      ensureEqual(
        absorbedIn(contents),
        new Map([
          [1, 7],
          [2, 7],
        ]),
        'the absorbed shards',
      )
    },
  },
  {
    id: 'absorb-older',
    claim: 'Contents of a generation that is older than the recorded one are skipped.',
    async check(world) {
      const target = world.key()
      await world.absorb(target, world.shard(target, 1, 10), [[total, 1]])
      await world.absorb(target, world.shard(target, 1, 9), [[total, 10]])
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [1], 'the total')
      ensureEqual(absorbedIn(contents), new Map([[1, 10]]), 'the absorbed shards')
    },
  },
  {
    id: 'absorb-newer',
    claim: 'Contents of a newer generation are taken in, and raise the record.',
    async check(world) {
      const target = world.key()
      await world.absorb(target, world.shard(target, 1, 9), [[total, 1]])
      await world.absorb(target, world.shard(target, 1, 10), [[total, 10]])
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [11], 'the total')
      ensureEqual(absorbedIn(contents), new Map([[1, 10]]), 'the absorbed shards')
    },
  },
  {
    id: 'absorb-nested',
    claim: 'Records of earlier absorptions travel along, each by its highest generation.',
    async check(world) {
      const target = world.key()
      await world.absorb(target, world.shard(target, 3, 9), [[total, 1]])
      const nested = [
        { index: 3, generation: 5 },
        { index: 5, generation: 6 },
        { index: 7, generation: 8 },
      ]
      await world.absorb(target, world.shard(target, 7, 4), [[total, 1]])
      await world.absorb(target, world.shard(target, 1, 10), [[total, 10]], nested)
      const expected = new Map([
        [1, 10],
        [3, 9],
        [5, 6],
        [7, 8],
      ])
      ensureEqual(absorbedIn(await world.contents(target, [total])), expected, 'the absorbed shards')
    },
  },
  {
    id: 'absorb-open',
    claim: 'A shard that has absorbed another takes writes as before, and still knows their numbers.',
    async check(world) {
      const target = world.key()
      await world.write(target, [[total, 1]], world.stamp('w', 1))
      await world.absorb(target, world.shard(target, 1), [[total, 10]])
      ensureEqual(await world.write(target, [[total, 1]], world.stamp('w', 1)), 'done', 'the answer to a second copy')
      ensureEqual(await world.write(target, [[total, 100]], world.stamp('w', 2)), 'done', 'the answer to a next number')
      ensureEqual(await world.read(target, [total]), [111], 'the total')
    },
  },
  {
    id: 'absorb-frozen',
    claim: 'A sealed shard takes in nothing new; absorbing what it holds already does no harm.',
    async check(world) {
      const target = world.shard(world.key(), 1)
      await world.absorb(target, world.shard(target, 3), [[total, 10]])
      await world.seal(target, [total])
      await world.absorb(target, world.shard(target, 3), [[total, 10]])
      await world.absorb(target, world.shard(target, 5), [[total, 100]]).catch(() => undefined)
      ensureEqual(await world.read(target, [total]), [10], 'the frozen total')
    },
  },
  {
    id: 'absorb-beside-writes',
    claim: 'Writes that race with an absorb are in, and so are the contents, each once.',
    async check(world) {
      const target = world.key()
      const write = (i: number) => world.write(target, [[total, 1]], world.stamp(`w${i}`, 1))
      const before = Array.from({ length: 10 }, (_, i) => write(i))
      const absorbing = world.absorb(target, world.shard(target, 1), [[total, 1_000]])
      const after = Array.from({ length: 10 }, (_, i) => write(10 + i))
      const [, ...statuses] = await Promise.all([absorbing, ...before, ...after])
      ensureEqual(new Set(statuses), new Set(['done']), 'the answers to the writes')
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [1_020], 'the total')
      ensureEqual(absorbedIn(contents), new Map([[1, 7]]), 'the absorbed shards')
    },
  },
  {
    id: 'absorb-cleared',
    claim: 'To absorb a shard that was taken in and cleared since changes nothing.',
    async check(world) {
      const target = world.key()
      const source = world.shard(target, 1)
      await world.write(source, [[total, 5]], world.stamp('w', 1))
      const absorb = async () => {
        const contents = await world.backend.records.seal(source, [total], world.call)
        await world.backend.records.absorb({ target, source, contents, fields: [total] }, world.call)
      }
      await absorb()
      await world.backend.records.clear(source, 86_400_000, world.call)
      await absorb()
      const contents = await world.contents(target, [total])
      ensureEqual(contents.states, [5], 'the total')
      ensureEqual(absorbedIn(contents), new Map([[1, 7]]), 'the absorbed shards')
    },
  },
  {
    id: 'absorb-again',
    claim:
      'What a seal answered is absorbed with all that the shard had taken in: eight shards become two, and then one.',
    async check(world) {
      const key = world.key()
      const shards = [key, ...Array.from({ length: 7 }, (_, i) => world.shard(key, i + 1, 10 + i))]
      for (const [i, shard] of shards.entries()) await world.write(shard, [[total, 10 ** i]], world.stamp('w', 1))
      const merge = async (from: number, to: number) => {
        for (const [i, source] of shards.entries()) {
          if (i < to || i >= from) continue
          const target = shards[i % to] as ShardRef
          const contents = await world.backend.records.seal(source, [total], world.call)
          await world.backend.records.absorb({ target, source, contents, fields: [total] }, world.call)
        }
      }
      await merge(8, 2)
      await merge(2, 1)
      const contents = await world.contents(key, [total])
      ensureEqual(contents.states, [11_111_111], 'the total')
      const expected = new Map(shards.slice(1).map(({ index, generation }) => [index, generation.number]))
      ensureEqual(absorbedIn(contents), expected, 'the absorbed shards')
    },
  },
  {
    id: 'absorb-race',
    claim: 'Contents that many absorb at once are taken in once.',
    async check(world) {
      const target = world.key()
      const absorbing = Array.from({ length: 20 }, () => world.absorb(target, world.shard(target, 1), [[total, 10]]))
      await Promise.all(absorbing)
      ensureEqual(await world.read(target, [total]), [10], 'the total')
    },
  },
]

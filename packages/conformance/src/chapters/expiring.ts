import { max, sum } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type Change, type World } from '../world.js'

const total = fieldOf('total', sum())
const highest = fieldOf('highest', max())

/** Longer than any run of the kit. */
const [soonMs, laterMs] = [600_000, 6_000_000]

async function write(
  world: World,
  shard: Parameters<World['write']>[0],
  changes: readonly Change[],
  expiresInMs: number,
  stamp?: Parameters<World['write']>[2],
) {
  const request = { ...world.writing(shard, changes, stamp), expiresInMs }
  return (await world.backend.records.write(request, world.call)).status
}

/** Writes after which their place may go. */
export const expiryRules: readonly Rule[] = [
  {
    id: 'expiry-kept',
    claim: 'A write after which its place may go is a write like any other until then.',
    async check(world) {
      for (const shard of [world.key(), world.shard(world.key(), 1)]) {
        const changes: readonly Change[] = [
          [total, 1],
          [highest, 7],
        ]
        ensureEqual(await write(world, shard, changes, soonMs, world.stamp('w', 1)), 'done', 'the answer to a write')
        ensureEqual(
          await world.write(shard, [[total, 10]], world.stamp('w', 10_000)),
          'done',
          'the answer to a next one',
        )
        ensureEqual(await write(world, shard, [[total, 100]], soonMs), 'done', 'the answer to one without a number')
        ensureEqual(await write(world, shard, [[highest, 5]], soonMs), 'done', 'the answer to one that is not seen')
        ensureEqual(await world.read(shard, [total, highest]), [111, 7], 'the record')
      }
      const sealed = world.shard(world.key(), 1)
      ensureEqual(await world.seal(sealed, [total]), [111], 'what a seal answered')
      ensureEqual(
        await write(world, sealed, [[total, 1]], soonMs, world.stamp('v', 1)),
        'sealed',
        'the answer to a write to a sealed shard',
      )
    },
  },
  {
    id: 'expiry-goes',
    claim: 'A place goes as a whole once its last write says that it may, and not before; others stay.',
    needs: ['expire'],
    async check(world) {
      const [going, staying] = [world.shard(world.key(), 1), world.shard(world.key(), 2)]
      await world.write(staying, [[total, 1]])
      await write(world, going, [[total, 1]], soonMs, world.stamp('w', 1))
      await write(world, going, [[total, 1]], laterMs, world.stamp('w', 10_000))
      await world.expire(2 * soonMs)
      ensureEqual(await world.read(going, [total]), [2], 'the total while the last write keeps it')
      await world.expire(2 * laterMs)
      ensureEqual(await world.read(going, [total]), [0], 'the total once it may go')
      ensureEqual(
        await world.write(going, [[total, 5]], world.stamp('w', 1)),
        'done',
        'the answer to a write to a new place',
      )
      ensureEqual(await world.read(going, [total]), [5], 'the total of the new place')
      ensureEqual(await world.read(staying, [total]), [1], 'the total of a place that never expires')
    },
  },
]

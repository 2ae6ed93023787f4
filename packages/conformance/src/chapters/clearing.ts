import { inspect } from 'node:util'

import { max, sum } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { absorbedIn, fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())
const highest = fieldOf('highest', max())

/** Longer than any run of the kit. */
const retentionMs = 86_400_000

/** A shard as it is when it is cleared: written, sealed, and its contents taken in elsewhere. */
async function sealedShard(world: World) {
  const key = world.key()
  const shard = world.shard(key, 1)
  await world.absorb(shard, world.shard(key, 3), [[total, 10]])
  await world.write(
    shard,
    [
      [total, 5],
      [highest, 7],
    ],
    world.stamp('w', 2),
  )
  await world.seal(shard, [total, highest])
  return shard
}

/** Housekeeping: a sealed shard whose contents stand elsewhere is emptied. */
export const clearingRules: readonly Rule[] = [
  {
    id: 'clear-empties',
    claim: 'A cleared shard reads as one that was never written, and the answer says whether its place expires.',
    async check(world) {
      const shard = await sealedShard(world)
      const answer = await world.backend.records.clear(shard, retentionMs, world.call)
      ensure(
        answer === 'expires' || answer === 'stays',
        `Expected a clear to be answered with expires or stays, but it was ${inspect(answer)}.`,
      )
      const { states } = await world.contents(shard, [total, highest])
      ensureEqual(states, [undefined, undefined], 'the states of a cleared shard')
    },
  },
  {
    id: 'clear-sealed',
    claim: 'A cleared shard stays sealed, and its next seal answers with nothing in it.',
    async check(world) {
      const shard = await sealedShard(world)
      await world.backend.records.clear(shard, retentionMs, world.call)
      ensureEqual(await world.write(shard, [[total, 1]], world.stamp('v', 9)), 'sealed', 'the answer to a first write')
      ensureEqual(await world.write(shard, [[highest, 1]]), 'sealed', 'the answer to a write without a number')
      ensureEqual(await world.seal(shard, [total]), [0], 'what a next seal answered')
    },
  },
  {
    id: 'clear-dedupe',
    claim: 'A cleared shard still answers «done» to what was in it.',
    async check(world) {
      const shard = await sealedShard(world)
      await world.backend.records.clear(shard, retentionMs, world.call)
      for (const sequence of [2, 1])
        ensureEqual(
          await world.write(shard, [[total, 5]], world.stamp('w', sequence)),
          'done',
          `the answer to a late copy of number ${sequence}`,
        )
      ensureEqual(await world.read(shard, [total]), [0], 'the total after late copies')
    },
  },
  {
    id: 'clear-absorbed',
    claim: 'A cleared shard still says which shards’ contents it had taken in.',
    async check(world) {
      const shard = await sealedShard(world)
      await world.backend.records.clear(shard, retentionMs, world.call)
      ensureEqual(absorbedIn(await world.contents(shard, [total])), new Map([[3, 7]]), 'the absorbed shards')
    },
  },
  {
    id: 'clear-twice',
    claim: 'Twice is as good as once, also for a shard that was never written.',
    async check(world) {
      const written = await sealedShard(world)
      const unwritten = world.shard(world.key(), 2)
      await world.seal(unwritten, [total])
      for (const shard of [written, unwritten]) {
        for (let i = 0; i < 2; i++) await world.backend.records.clear(shard, retentionMs, world.call)
        ensureEqual((await world.contents(shard, [total])).states, [undefined], 'the states')
        ensureEqual(await world.write(shard, [[total, 1]], world.stamp('v', 9)), 'sealed', 'the answer to a write')
      }
    },
  },
  {
    id: 'clear-goes',
    claim: 'The place of a cleared shard goes once its retention is over, and not before, whatever its writes said.',
    needs: ['expire'],
    async check(world) {
      const shard = await sealedShard(world)
      const soon = world.shard(shard, 2)
      const request = { ...world.writing(soon, [[total, 5]], world.stamp('w', 2)), expiresInMs: 3_600_000 }
      await world.backend.records.write(request, world.call)
      await world.seal(soon, [total])
      for (const each of [shard, soon]) await world.backend.records.clear(each, retentionMs, world.call)
      await world.expire(retentionMs / 2)
      for (const each of [shard, soon])
        ensureEqual(await world.write(each, [[total, 1]], world.stamp('v', 9)), 'sealed', 'the answer to a late write')
      await world.expire(2 * retentionMs)
      for (const each of [shard, soon])
        ensureEqual(await world.write(each, [[total, 1]], world.stamp('v', 9)), 'done', 'the answer in a new place')
    },
  },
  {
    id: 'clear-unsealed',
    claim: 'A shard that is not sealed is not cleared: that is «rejected», and changes nothing.',
    async check(world) {
      const key = world.key()
      const written = world.shard(key, 1)
      await world.write(written, [[total, 5]], world.stamp('w', 1))
      for (const shard of [written, world.shard(key, 2)]) {
        const outcome = await settled('a clear of a shard that is not sealed', () =>
          world.backend.records.clear(shard, retentionMs, world.call),
        )
        const kind = outcome.status === 'failed' ? outcome.error.kind : `answered with ${outcome.answer}`
        ensureEqual(kind, 'rejected', 'what became of a clear of a shard that is not sealed')
        ensureEqual(
          await world.write(shard, [[total, 1]], world.stamp('w', 10_000)),
          'done',
          'the answer to a next write',
        )
      }
      ensureEqual(await world.read(written, [total]), [6], 'the total of the shard that was written')
    },
  },
  {
    id: 'clear-apart',
    claim: 'To clear a shard leaves every other one as it is.',
    async check(world) {
      const shard = await sealedShard(world)
      const others = [world.key(), world.shard(shard, 1, 8), world.shard(shard, 2), world.shard(shard, 11)]
      for (const other of others) await world.write(other, [[total, 1]], world.stamp('w', 3))
      await world.backend.records.clear(shard, retentionMs, world.call)
      for (const other of others) {
        const what = `shard ${other.index} of generation ${other.generation.number}`
        ensureEqual(await world.read(other, [total]), [1], `the total of ${what}`)
        ensureEqual(
          await world.write(other, [[total, 1]], world.stamp('w', 4)),
          'done',
          `the answer to a write to ${what}`,
        )
      }
    },
  },
]

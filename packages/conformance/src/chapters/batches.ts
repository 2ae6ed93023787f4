import { sum } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { absorbedIn, fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

/** A key has no more shards. */
const fanoutMax = 1_024

function shardsOf(world: World, count: number) {
  const key = world.key()
  return Array.from({ length: count }, (_, i) => (i === 0 ? key : world.shard(key, i)))
}

/** Reads of several shards at once. */
export const batchRules: readonly Rule[] = [
  {
    id: 'batch-order',
    claim: 'Each shard of a read is answered in its place, those that were never written as well.',
    async check(world) {
      const shards = shardsOf(world, Math.min(16, world.backend.capabilities.shardsPerReadMax)).toReversed()
      const written = shards.filter((_, i) => i % 3 !== 1)
      for (const shard of written) await world.write(shard, [[total, shard.index + 1]])
      const states = (await world.gather(shards, [total])).map((contents) => contents.states[0])
      ensureEqual(
        states,
        shards.map((shard, i) => (i % 3 === 1 ? undefined : shard.index + 1)),
        'the states in order',
      )
    },
  },
  {
    id: 'batch-absorbed',
    claim: 'Each shard of a read comes with its own absorbed shards.',
    async check(world) {
      const shards = shardsOf(world, Math.min(4, world.backend.capabilities.shardsPerReadMax))
      for (const shard of shards) await world.absorb(shard, world.shard(shard, shard.index + 4), [[total, 1]])
      const absorbed = (await world.gather(shards, [total])).map((contents) => [...absorbedIn(contents).keys()])
      ensureEqual(
        absorbed,
        shards.map((shard) => [shard.index + 4]),
        'the absorbed shards in order',
      )
    },
  },
  {
    id: 'batch-largest',
    claim: 'A read of `shardsPerReadMax` shards is answered in full.',
    async check(world) {
      const shards = shardsOf(world, Math.min(world.backend.capabilities.shardsPerReadMax, fanoutMax))
      await Promise.all(shards.map((shard) => world.write(shard, [[total, shard.index + 1]])))
      const states = (await world.gather(shards, [total])).map((contents) => contents.states[0])
      ensureEqual(
        states,
        shards.map((shard) => shard.index + 1),
        'the states in order',
      )
    },
  },
]

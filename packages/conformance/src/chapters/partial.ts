import { sum, type ShardRef } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { requestsMax } from '../requests-max.js'
import type { Rule } from '../rule.js'
import { settled, typed } from '../settled.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

/** Shards of one key, each with its index + 1 in it. */
async function writtenShards(world: World): Promise<readonly ShardRef[]> {
  const key = world.key()
  const count = Math.min(4, world.backend.capabilities.shardsPerReadMax)
  const shards = Array.from({ length: count }, (_, i) => (i === 0 ? key : world.shard(key, i)))
  for (const shard of shards) await world.write(shard, [[total, shard.index + 1]])
  return shards
}

/** Batches of which a part cannot be read. */
export const partialRules: readonly Rule[] = [
  {
    id: 'partial-neighbours',
    claim: 'A shard that cannot be read is answered as failed in its place, and its neighbours are read.',
    needs: ['failShard', 'batches'],
    async check(world) {
      const shards = await writtenShards(world)
      const failing = shards[1] as ShardRef
      await world.whileFailing(failing, async () => {
        const read = { shards, fields: [total], consistency: 'strong' } as const
        const answers = await world.backend.records.read(read, world.call)
        ensureEqual(answers.length, shards.length, 'the number of answers')
        for (const [i, answer] of answers.entries()) {
          if (answer.status === 'read') ensureEqual(answer.states, [i + 1], `the states of shard ${i}`)
          else typed('a shard of a read', answer.error)
        }
        ensureEqual(
          answers.map(({ status }) => status),
          shards.map((shard) => (shard === failing ? 'failed' : 'read')),
          `what became of each shard while shard ${failing.index} could not be read`,
        )
      })
      const states = (await world.gather(shards, [total])).map((contents) => contents.states[0])
      ensureEqual(
        states,
        shards.map((shard) => shard.index + 1),
        'the states once every shard can be read again',
      )
    },
  },
  {
    id: 'partial-miss',
    claim: 'A shard that cannot be read is never answered as if it were empty, neither alone nor in a seal.',
    needs: ['failShard'],
    async check(world) {
      const shard = world.shard(world.key(), 1)
      await world.write(shard, [[total, 5]])
      await world.whileFailing(shard, async () => {
        const read = { shards: [shard], fields: [total], consistency: 'strong' } as const
        const reading = await settled('a read', () => world.backend.records.read(read, world.call))
        const [answer] = reading.status === 'answered' ? reading.answer : []
        if (answer?.status === 'read') ensureEqual(answer.states, [5], 'the states of a shard that cannot be read')
        if (answer?.status === 'failed') typed('a shard of a read', answer.error)
        const sealing = await settled('a seal', () => world.backend.records.seal(shard, [total], world.call))
        if (sealing.status === 'answered')
          ensureEqual(sealing.answer.states, [5], 'the states that the seal of a shard answered which cannot be read')
      })
      ensureEqual(await world.read(shard, [total]), [5], 'the total once the shard can be read again')
    },
  },
  {
    id: 'partial-bounded',
    claim: `For what a store leaves out of a batch it is asked at most ${requestsMax} times.`,
    needs: ['failShard', 'batches', 'requestCount'],
    async check(world) {
      const shards = await writtenShards(world)
      await world.whileFailing(shards[1] as ShardRef, async () => {
        const read = { shards, fields: [total], consistency: 'strong' } as const
        const count = await world.requestsOf(async () => {
          await settled('a read', () => world.backend.records.read(read, world.call))
        })
        ensure(count <= requestsMax, `Expected at most ${requestsMax} requests for one read, but there were ${count}.`)
      })
    },
  },
]

import { max, sum } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf } from '../world.js'

const total = fieldOf('total', sum())
const highest = fieldOf('highest', max())

/** Rule seal: from then on a shard's contents are frozen. */
export const sealingRules: readonly Rule[] = [
  {
    id: 'seal-refuses',
    claim: 'A sealed shard answers every write with «sealed», and its contents do not change.',
    async check(world) {
      const shard = world.shard(world.key(), 1)
      await world.write(shard, [[total, 1]], world.stamp('w', 1))
      await world.seal(shard, [total])
      ensureEqual(await world.write(shard, [[total, 2]], world.stamp('w', 2)), 'sealed', 'the answer to a next number')
      ensureEqual(await world.write(shard, [[total, 2]], world.stamp('v', 1)), 'sealed', 'the answer to another writer')
      ensureEqual(await world.write(shard, [[highest, 2]]), 'sealed', 'the answer to a write without a number')
      ensureEqual(await world.read(shard, [total, highest]), [1, undefined], 'the frozen contents')
    },
  },
  {
    id: 'seal-after-dedupe',
    claim: 'A sealed shard still answers «done» to what is in it.',
    async check(world) {
      const shard = world.shard(world.key(), 1)
      await world.write(shard, [[total, 1]], world.stamp('w', 1))
      await world.write(shard, [[total, 1]], world.stamp('w', 2))
      await world.seal(shard, [total])
      ensureEqual(await world.write(shard, [[total, 1]], world.stamp('w', 2)), 'done', 'the answer to a second copy')
      ensureEqual(await world.write(shard, [[total, 1]], world.stamp('w', 1)), 'done', 'the answer to an older copy')
    },
  },
  {
    id: 'seal-unwritten',
    claim: 'A shard that was never written is sealed, too.',
    async check(world) {
      const shard = world.shard(world.key(), 1)
      ensureEqual(await world.seal(shard, [total, highest]), [0, undefined], 'what the seal answered')
      ensureEqual(await world.write(shard, [[total, 2]], world.stamp('w', 1)), 'sealed', 'the answer to a write')
      ensureEqual(await world.read(shard, [total]), [0], 'the contents')
    },
  },
  {
    id: 'seal-contents',
    claim:
      'A seal answers with the contents in the order of the fields asked for, the first time and every later time.',
    async check(world) {
      const key = world.key()
      const shard = world.shard(key, 1)
      await world.write(shard, [
        [total, 1],
        [highest, 2],
      ])
      await world.absorb(shard, world.shard(key, 3), [[total, 4]])
      for (const time of ['first', 'second']) {
        const contents = await world.backend.records.seal(shard, [highest, total], world.call)
        ensureEqual(contents.states, [2, 5], `the states that the ${time} seal answered`)
        ensureEqual(contents.absorbed?.length, 1, `the number of absorbed shards that the ${time} seal answered`)
      }
    },
  },
  {
    id: 'seal-others',
    claim:
      'A seal names the fields that it was not asked for, and nothing of the backend’s own; it is a seal all the same.',
    async check(world) {
      const key = world.key()
      const shard = world.shard(key, 1)
      const named = [`${world.backend.capabilities.reservedMark}own`, '~own', 'sealed'].map((name) =>
        fieldOf(name, sum()),
      )
      const all = [total, highest, ...named]
      const changes = all.map((field) => [field, 1] as const)
      await world.write(shard, changes, world.stamp('w', 1))
      await world.absorb(shard, world.shard(key, 3), [[total, 4]])
      for (const asked of [[total], [highest, ...named], [], all]) {
        const { otherFields = [] } = await world.backend.records.seal(shard, asked, world.call)
        const others = all.filter((field) => !asked.includes(field)).map(({ name }) => name)
        ensureEqual(otherFields.toSorted(), others.toSorted(), `the other fields of a seal of ${asked.length} fields`)
      }
      ensureEqual(await world.write(shard, [[total, 2]], world.stamp('w', 10_000)), 'sealed', 'the answer to a write')
      const { otherFields = [] } = await world.backend.records.seal(world.shard(key, 2), [], world.call)
      ensureEqual(otherFields, [], 'the other fields of a shard that was never written')
    },
  },
  {
    id: 'seal-race',
    claim: 'Of writes that race with a seal, exactly those answered «done» are in what the seal answered.',
    async check(world) {
      const shard = world.shard(world.key(), 1)
      const write = (i: number) => world.write(shard, [[total, 1]], world.stamp(`w${i}`, 1))
      const before = Array.from({ length: 20 }, (_, i) => write(i))
      const sealing = world.seal(shard, [total])
      const after = Array.from({ length: 20 }, (_, i) => write(20 + i))
      const [sealed, ...statuses] = await Promise.all([sealing, ...before, ...after])
      const done = statuses.filter((status) => status === 'done').length
      ensureEqual(sealed, [done], 'the total that the seal answered')
      ensureEqual(await world.read(shard, [total]), [done], 'the total read afterwards')
    },
  },
]

import { sum } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, sortsOf, versionOf } from '../items.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { fieldOf } from '../world.js'

const total = fieldOf('total', sum())

/** Longer than any run of the kit. */
const retentionMs = 86_400_000

/** What a key with items and fields is, or that there is none. */
export const sharingRules: readonly Rule[] = [
  {
    id: 'share-apart',
    claim: 'Items and fields of one key leave each other alone: whatever is written, sealed, cleared or taken away.',
    needs: ['collections', 'shared keys'],
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const shard = world.shard(key, 1)
      for (const place of [key, shard]) {
        await items.put(place, items.at(1), { of: 'items' })
        await world.write(place, [[total, 5]], world.stamp('w', 1))
        ensureEqual(sortsOf(await items.all(place)), [items.at(1)], 'the items beside a record')
        ensureEqual(await world.read(place, [total]), [5], 'the record beside items')
      }
      ensureEqual(await world.seal(shard, [total]), [5], 'what a seal beside items answered')
      ensureEqual(await items.put(shard, items.at(2), { of: 'items' }), 'done', 'a put beside a sealed record')
      await world.backend.records.clear(shard, retentionMs, world.call)
      ensureEqual(sortsOf(await items.all(shard)), [items.at(1), items.at(2)], 'the items beside a cleared record')
      for (const mode of ['tombstone', 'remove'] as const)
        for (const place of [key, shard]) await items.delete(place, items.at(1), mode, versionOf(2))
      ensureEqual(await world.read(key, [total]), [5], 'the record whose items are gone')
      ensureEqual(await world.write(shard, [[total, 1]], world.stamp('v', 1)), 'sealed', 'the answer to a late write')
    },
  },
  {
    id: 'share-refused',
    claim: 'A seal of a place of items is «invalid», and so is a page of a place of fields; both stay as they are.',
    needs: ['collections', 'unshared keys'],
    async check(world) {
      const items = new Items(world)
      const [ofItems, ofFields] = [world.shard(world.key(), 1), world.shard(world.key(), 2)]
      await items.put(ofItems, items.at(1), { of: 'items' })
      await world.write(ofFields, [[total, 5]], world.stamp('w', 1))
      const requests = [
        ['a seal of a place of items', () => world.backend.records.seal(ofItems, [total], world.call)],
        ['a page of a place of fields', () => items.store.page(items.paging(ofFields), world.call)],
      ] as const
      for (const [what, request] of requests) {
        const outcome = await settled(what, async () => request())
        const kind = outcome.status === 'failed' ? outcome.error.kind : 'answered'
        ensureEqual(kind, 'invalid', `what became of ${what}`)
      }
      ensureEqual(await items.put(ofItems, items.at(2), { of: 'items' }), 'done', 'a next put')
      ensureEqual(sortsOf(await items.all(ofItems)), [items.at(1), items.at(2)], 'the items')
      ensureEqual(await world.write(ofFields, [[total, 1]], world.stamp('w', 2)), 'done', 'the answer to a next write')
      ensureEqual(await world.read(ofFields, [total]), [6], 'the record')
    },
  },
]

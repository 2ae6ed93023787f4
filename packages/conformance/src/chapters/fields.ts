import { at, latest, max, min, sum, union } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { absorbedIn, fieldOf } from '../world.js'

const all = [
  fieldOf('total', sum()),
  fieldOf('highest', max()),
  fieldOf('lowest', min()),
  fieldOf('title', latest()),
  fieldOf('tags', union()),
] as const

const [total, highest, lowest, title, tags] = all
const unwritten = [0, undefined, undefined, undefined, new Set()]

/** Names that a store, a language or an adapter may have taken for itself. */
const names = ['__proto__', 'constructor', 'toString', 'a.b', 'a[0]', '#a', ':a', '$a', ' ', 'A', 'a', 'é', '👋']
  .concat(['name', 'status', 'size', 'sealed', 'absorbed', 'last', 'version', 'generation', 'ttl', 'pk', 'id', 'key'])
  .concat(['x'.repeat(200)])

/** Several fields in one record, and fields that were never written. */
export const fieldRules: readonly Rule[] = [
  {
    id: 'first-write',
    claim: 'A shard that was never written has only undefined states, and no absorbed shards.',
    async check(world) {
      const contents = await world.contents(world.key(), all)
      ensureEqual(contents.states, [undefined, undefined, undefined, undefined, undefined], 'the states')
      ensureEqual(absorbedIn(contents), new Map(), 'the absorbed shards')
    },
  },
  {
    id: 'first-write-zero',
    claim: 'What was written is there, also where it looks like nothing.',
    async check(world) {
      const key = world.key()
      await world.write(key, [
        [total, 0],
        [highest, 0],
        [lowest, 0],
        [title, at(null, 0)],
        [tags, ['']],
      ])
      const { states } = await world.contents(key, all)
      ensureEqual(
        states.map((state) => state !== undefined),
        [true, true, true, true, true],
        'which fields were written',
      )
      ensureEqual(await world.read(key, all), [0, 0, 0, null, new Set([''])], 'the values')
    },
  },
  {
    id: 'fields-apart',
    claim: 'A write changes its own fields and leaves the others as they are.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]])
      ensureEqual(await world.read(key, all), [1, ...unwritten.slice(1)], 'the record after one field was written')
      await world.write(key, [
        [total, 2],
        [highest, 5],
        [title, at('a', 1)],
      ])
      await world.write(key, [
        [highest, 4],
        [tags, ['x']],
      ])
      ensureEqual(await world.read(key, all), [3, 5, undefined, 'a', new Set(['x'])], 'the record')
    },
  },
  {
    id: 'fields-order',
    claim: 'States come in the order of the fields asked for, and only those.',
    async check(world) {
      const key = world.key()
      await world.write(key, [
        [total, 1],
        [highest, 2],
        [lowest, 3],
      ])
      ensureEqual(await world.read(key, [lowest, total]), [3, 1], 'two fields, asked for the other way round')
      const { states } = await world.contents(key, [highest])
      ensureEqual(states, [2], 'one field alone')
    },
  },
  {
    id: 'fields-names',
    claim: 'Any string is a field, also one that a store or a language has taken for itself.',
    async check(world) {
      const key = world.key()
      const fields = names.map((name) => fieldOf(name, sum()))
      // Stores bound what one request takes, so a few at a time.
      for (let i = 0; i < fields.length; i += 5) {
        await world.write(
          key,
          fields.slice(i, i + 5).map((field, j) => [field, i + j + 1] as const),
        )
      }
      ensureEqual(
        await world.read(key, fields),
        names.map((_, i) => i + 1),
        'the fields with odd names',
      )
    },
  },
]

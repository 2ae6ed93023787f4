import { at, latest, max, mergeRule, min, sum, union } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type Change, type World } from '../world.js'

const integer = fieldOf('integer', sum())
const bigint = fieldOf('bigint', sum({ type: 'bigint' }))
const float = fieldOf('float', sum({ type: 'float' }))
const highest = fieldOf('highest', max())
const lowest = fieldOf('lowest', min())
const title = fieldOf('title', latest())
const tags = fieldOf('tags', union())

/** A rule that no store has: keeps the three longest words, and counts what it was given. */
const words = fieldOf(
  'words',
  mergeRule<readonly string[]>({
    empty: [],
    merge: (a, b) => [...a, ...b].toSorted((x, y) => y.length - x.length || (x < y ? -1 : 1)).slice(0, 3),
    encode: (state) => JSON.stringify(state),
    decode: (text) => JSON.parse(text) as string[],
  }),
)
const custom = fieldOf(
  'custom',
  mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
)

async function ensureMerged(world: World, changes: readonly Change[], expected: unknown): Promise<void> {
  const key = world.key()
  for (const change of changes) await world.write(key, [change])
  const field = (changes[0] as Change)[0]
  ensureEqual((await world.read(key, [field]))[0], expected, `the field ${field.name} after ${changes.length} writes`)
}

function writes(field: Change[0], ...values: readonly unknown[]): readonly Change[] {
  return values.map((value) => [field, value] as const)
}

/** The sizes of numbers of a store that declares none. */
const doubles = { least: Number.MIN_VALUE, most: Number.MAX_VALUE }

/** Merging one field, for every kind of rule. */
export const mergingRules: readonly Rule[] = [
  {
    id: 'merge-sum',
    claim: 'A sum adds whole numbers, negative ones as well.',
    check: (world) => ensureMerged(world, writes(integer, 10, -25, 3), -12),
  },
  {
    id: 'merge-sum-exact',
    claim: 'A sum is exact as far as the store says that it is, also beyond 2^53.',
    async check(world) {
      const { integerMax } = world.backend.capabilities
      await ensureMerged(world, writes(bigint, integerMax - 5n, 4n, 1n), integerMax)
      const key = world.key('negative')
      for (const value of [5n - integerMax, -4n]) await world.write(key, [[bigint, value]])
      ensureEqual(await world.read(key, [bigint]), [1n - integerMax], 'a sum near the least number')
    },
  },
  {
    id: 'merge-sum-float',
    claim: 'A float sum adds doubles.',
    check: (world) => ensureMerged(world, writes(float, 0.5, 0.25, -2), -1.25),
  },
  {
    id: 'merge-max',
    claim: 'A max keeps the greatest number, in whatever order they come.',
    check: (world) => ensureMerged(world, writes(highest, -3, 12.5, 7, -100), 12.5),
  },
  {
    id: 'merge-min',
    claim: 'A min keeps the least number, in whatever order they come.',
    check: (world) => ensureMerged(world, writes(lowest, -3, -100.5, 7, -99), -100.5),
  },
  {
    id: 'merge-magnitudes',
    claim:
      'Numbers as large and as small as the store says that it has come back as they were, and compare by their value.',
    async check(world) {
      const { least, most } = world.backend.capabilities.magnitudes ?? doubles
      const numbers = [-most, -least, least, most]
      for (const [i, number] of numbers.entries()) {
        const key = world.key(`number-${i}`)
        const fields = [highest, lowest, float]
        await world.write(
          key,
          fields.map((field) => [field, number] as const),
        )
        ensureEqual(await world.read(key, fields), [number, number, number], 'a max, a min and a float sum')
        for (const other of numbers.slice(0, i)) await world.write(key, [[highest, other]])
        for (const other of numbers.slice(i + 1)) await world.write(key, [[lowest, other]])
        ensureEqual(await world.read(key, fields), [number, number, number], 'a max and a min that were not beaten')
      }
      const key = world.key('beaten')
      for (const number of numbers) await world.write(key, [[highest, number]])
      for (const number of numbers.toReversed()) await world.write(key, [[lowest, number]])
      ensureEqual(await world.read(key, [highest, lowest]), [most, -most], 'a max and a min that rose and fell')
    },
  },
  {
    id: 'merge-latest',
    claim: 'A latest keeps the value with the greatest stamp, not the one that came last.',
    async check(world) {
      const stamped = [at('early', 1_000), at('late', 2_000, 1), at('tied', 2_000), at('middle', 1_500, 9)]
      await ensureMerged(world, writes(title, ...stamped), 'late')
      const key = world.key('writers')
      for (const writer of ['b', 'c', 'a']) {
        const changes = [world.state([title, at(`by ${writer}`, 1_000)], writer)]
        await world.backend.records.write({ shard: key, changes, stamp: undefined }, world.call)
      }
      ensureEqual(await world.read(key, [title]), ['by c'], 'a value stamped by three writers in the same instant')
    },
  },
  {
    id: 'merge-latest-json',
    claim: 'A latest gives back the JSON value that was written.',
    check: (world) => {
      const value = { text: 'Grüße, 世界 👋\u0000"\\', list: [1, -0.5, null, true, [], {}], ['__proto__x']: '' }
      return ensureMerged(world, writes(title, at(value, 1_000)), value)
    },
  },
  {
    id: 'merge-union',
    claim: 'A union holds every string that was ever written, whatever is in it.',
    async check(world) {
      const strings = ['a', '', ' a', 'A', 'é', 'é', '👋', '__proto__', 'with,comma', '\u0000']
      await ensureMerged(world, writes(tags, strings.slice(0, 4), ['a', ...strings.slice(4)], ['a']), new Set(strings))
    },
  },
  {
    id: 'merge-custom',
    claim: "A user's own rule is merged by its own merge.",
    async check(world) {
      await ensureMerged(world, writes(words, ['be', 'the'], ['spill'], ['spillway', 'a']), [
        'spillway',
        'spill',
        'the',
      ])
      await ensureMerged(world, writes(custom, 2, 3, 7), 42)
    },
  },
]

import { sum, union } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf } from '../world.js'

const total = fieldOf('total', sum())
const tags = fieldOf('tags', union())

/** More writes than any housekeeping that is done now and then can pass over. */
const housekeepingWrites = 48

/** Rule dedupe: the same request twice has the effect of one. */
export const dedupeRules: readonly Rule[] = [
  {
    id: 'dedupe-same',
    claim: 'A number of a writer that is in already is answered «done» and changes nothing.',
    async check(world) {
      const key = world.key()
      for (const attempt of ['first', 'second', 'third']) {
        const status = await world.write(key, [[total, 5]], world.stamp('w', 10))
        ensureEqual(status, 'done', `the answer to the ${attempt} copy`)
      }
      ensureEqual(await world.read(key, [total]), [5], 'the total after three copies of one write')
    },
  },
  {
    id: 'dedupe-older',
    claim: 'An older number of a writer is answered «done» and changes nothing.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]], world.stamp('w', 10))
      await world.write(key, [[total, 2]], world.stamp('w', 1_000_000))
      ensureEqual(await world.write(key, [[total, 1]], world.stamp('w', 10)), 'done', 'the answer to a late copy')
      ensureEqual(await world.read(key, [total]), [3], 'the total after a late copy')
    },
  },
  {
    id: 'dedupe-newer',
    claim: 'A newer number of a writer is applied, however little newer it is.',
    async check(world) {
      const key = world.key()
      for (const [i, sequence] of [1, 2, 3, 1_024, 1_025].entries()) {
        const status = await world.write(key, [[total, 10 ** i]], world.stamp('w', sequence))
        ensureEqual(status, 'done', `the answer to number ${sequence}`)
      }
      ensureEqual(await world.read(key, [total]), [11_111], 'the total of five numbers')
    },
  },
  {
    id: 'dedupe-writers',
    claim: 'Numbers of one writer say nothing about another, and those in one shard nothing about the next.',
    async check(world) {
      const key = world.key()
      const writers = ['a', 'b', 'A', 'ab', '0', '__proto__', 'writer-of-12']
      for (const [i, writer] of writers.entries())
        await world.write(key, [[total, 10 ** i]], world.stamp(writer, 10 - i))
      ensureEqual(await world.read(key, [total]), [1_111_111], 'the total of seven writers')
      await world.write(world.shard(key, 1), [[total, 1]], world.stamp('a', 10))
      ensureEqual(await world.read(world.shard(key, 1), [total]), [1], 'another shard of the key')
    },
  },
  {
    id: 'dedupe-every-field',
    claim: 'A number covers the whole change: of a second copy no field is applied.',
    async check(world) {
      const key = world.key()
      const other = fieldOf('other', sum())
      await world.write(
        key,
        [
          [total, 1],
          [other, 2],
        ],
        world.stamp('w', 1),
      )
      await world.write(
        key,
        [
          [total, 1],
          [other, 2],
        ],
        world.stamp('w', 1),
      )
      ensureEqual(await world.read(key, [total, other]), [1, 2], 'both fields')
    },
  },
  {
    id: 'dedupe-unstamped',
    claim: 'A write without a number is applied every time.',
    async check(world) {
      const key = world.key()
      for (let i = 0; i < 3; i++) {
        ensureEqual(
          await world.write(key, [
            [total, 1],
            [tags, ['a']],
          ]),
          'done',
          'the answer',
        )
      }
      ensureEqual(await world.read(key, [total, tags]), [3, new Set(['a'])], 'the record')
    },
  },
  {
    id: 'dedupe-forgotten',
    claim: 'A copy that is older than what may be forgotten is answered «done» or «expired», and never counts again.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]], world.stamp('old', 10))
      for (let i = 0; i < housekeepingWrites; i++)
        await world.write(key, [[total, 1]], world.stamp('new', 1_000 + i, 500))
      const status = await world.write(key, [[total, 1]], world.stamp('old', 10))
      ensure(
        status === 'done' || status === 'expired',
        `Expected a forgotten number to be done or expired, but it was ${status}.`,
      )
      ensureEqual(await world.read(key, [total]), [1 + housekeepingWrites], 'the total after a late copy')
    },
  },
  {
    id: 'dedupe-remembered',
    claim: 'A number that may not be forgotten yet is answered «done» however many others have written since.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]], world.stamp('old', 10))
      for (let i = 0; i < housekeepingWrites; i++)
        await world.write(key, [[total, 1]], world.stamp(`w${i}`, 1_000 + i, 9))
      const before = await world.read(key, [total])
      ensureEqual(await world.write(key, [[total, 1]], world.stamp('old', 10)), 'done', 'the answer to a late copy')
      ensureEqual(await world.read(key, [total]), before, 'the total after a late copy')
    },
  },
  {
    id: 'dedupe-expired',
    claim: 'A write that is answered «expired» is not applied, and one that is answered «done» is.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]], world.stamp('old', 10))
      for (let i = 0; i < housekeepingWrites; i++)
        await world.write(key, [[total, 0]], world.stamp('new', 1_000 + i, 500))
      const status = await world.write(key, [[total, 100]], world.stamp('late', 9))
      ensure(
        status === 'done' || status === 'expired',
        `Expected an old first number to be done or expired, but it was ${status}.`,
      )
      ensureEqual(await world.read(key, [total]), [status === 'done' ? 101 : 1], `the total after the answer ${status}`)
    },
  },
  {
    id: 'dedupe-forgotten-up-to',
    claim:
      '«expired» carries forgottenUpTo, a number that is not below the one that was refused and that a first attempt need only exceed.',
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 1]], world.stamp('old', 10))
      for (let i = 0; i < housekeepingWrites; i++)
        await world.write(key, [[total, 0]], world.stamp('new', 1_000 + i, 500))
      const stamp = world.stamp('late', 9)
      const late = { shard: key, changes: [world.state([total, 100])], stamp }
      const { status, forgottenUpTo = NaN } = await world.backend.records.write(late, world.call)
      if (status !== 'expired') return // nothing was forgotten
      ensure(
        Number.isSafeInteger(forgottenUpTo) && forgottenUpTo >= stamp.sequence,
        `Expected an expired write to be told forgottenUpTo, at least ${stamp.sequence}, but it was ${forgottenUpTo}.`,
      )
      const next = { ...late, stamp: { ...stamp, sequence: forgottenUpTo + 1 } }
      const answer = await world.backend.records.write(next, world.call)
      ensureEqual(answer.status, 'done', 'the answer to the number after forgottenUpTo')
      ensureEqual(await world.read(key, [total]), [101], 'the total after that number')
    },
  },
  {
    id: 'dedupe-first',
    claim: 'A new writer whose number is younger than all that may be forgotten is let in.',
    async check(world) {
      const key = world.key()
      for (let i = 0; i < housekeepingWrites; i++) {
        const status = await world.write(key, [[total, 1]], world.stamp(`w${i}`, 1_000 + i * 100, i * 100))
        ensureEqual(status, 'done', `the answer to the first write of writer ${i}`)
      }
      ensureEqual(await world.read(key, [total]), [housekeepingWrites], 'the total of all writers')
    },
  },
]

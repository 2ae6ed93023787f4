import type { Stamp } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import { Items, shuffled, versionOf } from '../items.js'
import type { Rule } from '../rule.js'

const needs = ['collections'] as const

const writerCount = 40

/** An older version and a newer one, decided by the time, by the order in a millisecond, and by the writer. */
const pairs: readonly (readonly [what: string, older: Stamp, newer: Stamp])[] = [
  ['time', versionOf(9, 9, 'z'), versionOf(10, 0, 'a')],
  ['time of more digits', { timeMs: 999_999_999_999, order: 9, writer: 'z' }, versionOf(0, 0, 'a')],
  ['order', versionOf(1, 9, 'z'), versionOf(1, 10, 'a')],
  ['order of more digits', versionOf(1, 2 ** 31, 'z'), versionOf(1, 2 ** 32, 'a')],
  ['writer', versionOf(1, 0, 'Zed'), versionOf(1, 0, 'ann')],
  ['longer writer', versionOf(1, 0, 'ann'), versionOf(1, 0, 'ann0')],
]

/** Of two versions the newer one stays. */
export const itemVersionRules: readonly Rule[] = [
  {
    id: 'version-exact',
    claim: 'A stamp comes back to the letter.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const stamps = [
        { timeMs: 0, order: 0, writer: 'a' },
        { timeMs: 2 ** 45 + 1, order: 2 ** 40 + 1, writer: 'writer-00:~#' },
        { timeMs: 1_700_000_000_123, order: 7, writer: '0' },
      ]
      for (const [i, stamp] of stamps.entries()) {
        await items.put(key, items.at(i), { i }, stamp)
        ensureEqual((await items.get(key, items.at(i)))?.stamp, stamp, 'the stamp that a get gave')
      }
      const found = (await items.all(key)).map(({ stamp }) => stamp)
      ensureEqual(found, stamps, 'the stamps that a page gave')
    },
  },
  {
    id: 'version-newer',
    claim: 'A newer version takes the place of an older one: time, order and writer decide, one after the other.',
    needs,
    async check(world) {
      const items = new Items(world)
      for (const [what, older, newer] of pairs) {
        const [key, sort] = [world.key(what), items.at(1)]
        await items.put(key, sort, { n: 'older' }, older)
        ensureEqual(await items.put(key, sort, { n: 'newer' }, newer), 'done', `the answer to a put of a newer ${what}`)
        const expected = { sort, stamp: newer, value: { n: 'newer' } }
        ensureEqual(await items.get(key, sort), expected, `the item after a put of a newer ${what}`)
      }
    },
  },
  {
    id: 'version-older',
    claim: 'An older version that comes late leaves the newer one alone and says which is there.',
    needs,
    async check(world) {
      const items = new Items(world)
      for (const [what, older, newer] of pairs) {
        const [key, sort] = [world.key(what), items.at(1)]
        await items.put(key, sort, { n: 'newer' }, newer)
        ensureEqual(await items.put(key, sort, { n: 'older' }, older), newer, `the answer to a put of an older ${what}`)
        const expected = { sort, stamp: newer, value: { n: 'newer' } }
        ensureEqual(await items.all(key), [expected], `the items after a put of an older ${what}`)
      }
    },
  },
  {
    id: 'version-again',
    claim: 'The same put twice is done twice and has the effect of one.',
    needs,
    async check(world) {
      const items = new Items(world)
      const [key, sort] = [world.key(), items.at(1)]
      const send = () => items.put(key, sort, { n: 1 }, versionOf(5))
      ensureEqual([await send(), await send()], ['done', 'done'], 'the answers to one put that was sent twice')
      ensureEqual(await items.all(key), [{ sort, stamp: versionOf(5), value: { n: 1 } }], 'the items')
      await items.put(key, sort, { n: 2 }, versionOf(6))
      ensureEqual(await send(), versionOf(6), 'the answer to a put that was sent again after a newer one')
      ensureEqual((await items.get(key, sort))?.value, { n: 2 }, 'the item after that')
    },
  },
  {
    id: 'version-copied',
    claim:
      'What is copied into another shard keeps the stamp that it has, item or tombstone: what is newer elsewhere is of no matter there.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const [target, elsewhere] = [world.shard(key, 1), world.shard(key, 2)]
      for (const sort of [items.at(1), items.at(2)])
        await items.put(elsewhere, sort, { of: 'another shard' }, versionOf(9))
      const item = await items.put(target, items.at(1), { of: 'a copy' }, versionOf(5))
      ensureEqual(item, 'done', 'the answer to a copy of an item')
      await items.put(target, items.at(2), { of: 'the target' }, versionOf(4))
      const tombstone = await items.delete(target, items.at(2), 'tombstone', versionOf(5))
      ensureEqual(tombstone, 'done', 'the answer to a copy of a tombstone')
      const expected = [
        { sort: items.at(1), stamp: versionOf(5), value: { of: 'a copy' } },
        { sort: items.at(2), stamp: versionOf(5), value: undefined },
      ]
      ensureEqual(await items.all(target), expected, 'what stands in the shard that was copied to')
    },
  },
  {
    id: 'version-race',
    claim: 'Of puts of one item at once the newest stays.',
    needs,
    async check(world) {
      const items = new Items(world)
      const [key, sort] = [world.key(), items.at(1)]
      const versions = shuffled(Array.from({ length: writerCount }, (_, i) => i + 1))
      const newest = versionOf(writerCount)
      const answers = await Promise.all(versions.map((n) => items.put(key, sort, { n }, versionOf(n))))
      ensureEqual(answers[versions.indexOf(writerCount)], 'done', 'the answer to the newest put')
      const expected = { sort, stamp: newest, value: { n: writerCount } }
      ensureEqual(await items.all(key), [expected], `the items after ${writerCount} puts of one at once`)
      for (const n of versions.slice(0, 3))
        if (n !== writerCount)
          ensureEqual(await items.put(key, sort, { n }, versionOf(n)), newest, 'the answer to an older put')
    },
  },
  {
    id: 'version-pages',
    claim: 'A page beside puts has each item once and whole.',
    needs,
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const put = (n: number, round: number) =>
        items.put(key, items.at(n), { n, first: round, text: 'x'.repeat(200), last: round }, versionOf(round))
      const sorts = Array.from({ length: 8 }, (_, n) => n)
      await Promise.all(sorts.map((n) => put(n, 1)))
      const work = Array.from({ length: 6 }, (_, round) => sorts.map((n) => put(n, round + 2))).flat()
      const reading = async () => {
        for (let i = 0; i < 10; i++) {
          const found = (await items.all(key, { limit: 3 })).map(({ value, stamp }) => [
            value?.['n'],
            value?.['first'] === value?.['last'] && stamp?.timeMs === versionOf(Number(value?.['first'])).timeMs,
          ])
          const expected = sorts.map((n) => [n, true])
          ensureEqual(found, expected, 'the items beside puts, and whether each was of one version,')
        }
      }
      await Promise.all([reading(), ...work])
    },
  },
]

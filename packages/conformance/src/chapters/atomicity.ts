import { max, mergeRule, sum } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf } from '../world.js'

const total = fieldOf('total', sum())
const twin = fieldOf('twin', sum())
const highest = fieldOf('highest', max())
const product = fieldOf(
  'product',
  mergeRule<number>({ empty: 0, merge: (a, b) => a + b, encode: String, decode: Number }),
)

const writerCount = 20
const writesEach = 5

/** A change of one shard is atomic, and a strong read sees every change that was acknowledged. */
export const atomicityRules: readonly Rule[] = [
  {
    id: 'atomic-writers',
    claim: 'Of writers that write one shard at once, no write is lost and none counts twice.',
    async check(world) {
      const key = world.key()
      const work = Array.from({ length: writerCount }, async (_, writer) => {
        for (let i = 1; i <= writesEach; i++) {
          await world.write(
            key,
            [
              [total, 1],
              [highest, writer * writesEach + i],
            ],
            world.stamp(`w${writer}`, i),
          )
        }
      })
      await Promise.all(work)
      const expected = [writerCount * writesEach, writerCount * writesEach]
      ensureEqual(await world.read(key, [total, highest]), expected, 'the record')
    },
  },
  {
    id: 'atomic-custom',
    claim: "Of writers that write a field with a user's own rule at once, no write is lost.",
    async check(world) {
      const key = world.key()
      const work = Array.from({ length: writerCount }, (_, writer) =>
        world.write(key, [[product, writer]], world.stamp(`w${writer}`, 1)),
      )
      await Promise.all(work)
      ensureEqual(await world.read(key, [product]), [(writerCount * (writerCount - 1)) / 2], 'the field')
    },
  },
  {
    id: 'atomic-fields',
    claim: 'All fields of a write become visible together.',
    async check(world) {
      const key = world.key()
      const work = Array.from({ length: writerCount }, (_, i) =>
        world.write(
          key,
          [
            [total, 1],
            [twin, 1],
          ],
          world.stamp(`w${i}`, 1),
        ),
      )
      const torn: (readonly unknown[])[] = []
      const reading = async () => {
        for (let i = 0; i < 20; i++) {
          const values = await world.read(key, [total, twin])
          if (values[0] !== values[1]) torn.push(values)
        }
      }
      await Promise.all([reading(), ...work])
      ensureEqual(torn, [], 'reads that saw half a write')
    },
  },
  {
    id: 'atomic-dedupe',
    claim: 'Copies of one write that arrive at once count once.',
    async check(world) {
      const key = world.key()
      const copies = Array.from({ length: 20 }, () => world.write(key, [[total, 1]], world.stamp('w', 1)))
      ensureEqual(new Set(await Promise.all(copies)), new Set(['done']), 'the answers')
      ensureEqual(await world.read(key, [total]), [1], 'the total')
    },
  },
  {
    id: 'strong-read',
    claim: 'A strong read sees every write that was acknowledged before it began.',
    async check(world) {
      const key = world.key()
      for (let i = 1; i <= 10; i++) {
        await world.write(key, [[total, 1]])
        const [seen] = await world.read(key, [total])
        ensure(
          seen === i,
          `Expected a strong read after ${i} acknowledged writes to see all, but it saw ${String(seen)}.`,
        )
      }
    },
  },
]

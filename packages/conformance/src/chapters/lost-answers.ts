import { inspect } from 'node:util'

import { max, mergeRule, sum } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { ensureRight, toldOf } from '../losing-answers.js'
import type { Rule } from '../rule.js'
import { absorbedIn, fieldOf } from '../world.js'

const total = fieldOf('total', sum())
const highest = fieldOf('highest', max())
const product = fieldOf(
  'product',
  mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
)

/** Where the store does what it is asked, and nobody hears of it. */
export const lostAnswerRules: readonly Rule[] = [
  {
    id: 'lost-write',
    claim:
      'A write whose answer was lost fails as «unknown» if it is in, or is answered rightly; sent again it counts once.',
    needs: ['loseAnswers'],
    check: (world) =>
      ensureRight(world, 'a write whose answer was lost', async (name) => {
        const key = world.key(name)
        const fields = [total, highest, product]
        await world.write(
          key,
          [
            [total, 1],
            [highest, 9],
            [product, 2],
          ],
          world.stamp('v', 1),
        )
        const send = () =>
          world.write(
            key,
            [
              [total, 10],
              [highest, 5],
              [product, 3],
            ],
            world.stamp('w', 1),
          )
        return {
          send,
          async look(outcome, kind) {
            if (outcome.status === 'answered') ensureEqual(outcome.answer, 'done', 'the answer to a write')
            const isIn = kind === undefined || (kind === 'unknown' && (await world.read(key, [total]))[0] !== 1)
            const record = await world.read(key, fields)
            ensureEqual(record, isIn ? [11, 9, 6] : [1, 9, 2], `the record after a write that ${toldOf(kind)}`)
            ensureEqual(await send(), 'done', 'the answer to the write sent again')
            ensureEqual(await world.read(key, fields), [11, 9, 6], 'the record after the write was sent again')
          },
        }
      }),
  },
  {
    id: 'lost-seal',
    claim:
      'A seal whose answer was lost fails as «unknown» if the shard is sealed, or is answered rightly; sent again it answers the contents.',
    needs: ['loseAnswers'],
    check: (world) =>
      ensureRight(world, 'a seal whose answer was lost', async (name) => {
        const shard = world.shard(world.key(name), 1)
        await world.write(shard, [[total, 1]], world.stamp('v', 1))
        const send = () => world.seal(shard, [total])
        return {
          send,
          async look(outcome, kind) {
            if (outcome.status === 'answered') ensureEqual(outcome.answer, [1], 'what a seal answered')
            const status = await world.write(shard, [[total, 10]], world.stamp('w', 1))
            if (kind !== 'unknown')
              ensureEqual(status, kind === undefined ? 'sealed' : 'done', `a write after a seal that ${toldOf(kind)}`)
            ensureEqual(await send(), [status === 'done' ? 11 : 1], 'what the seal answered when it was sent again')
            const next = await world.write(shard, [[total, 100]], world.stamp('w', 2))
            ensureEqual(next, 'sealed', 'the answer to a write after the seal was sent again')
          },
        }
      }),
  },
  {
    id: 'lost-absorb',
    claim:
      'An absorb whose answer was lost fails as «unknown» if the contents are in, or is done; sent again they are in once.',
    needs: ['loseAnswers'],
    check: (world) =>
      ensureRight(world, 'an absorb whose answer was lost', async (name) => {
        const target = world.key(name)
        await world.write(
          target,
          [
            [total, 1],
            [product, 2],
          ],
          world.stamp('v', 1),
        )
        const send = () =>
          world.absorb(target, world.shard(target, 1), [
            [total, 10],
            [product, 3],
          ])
        const seen = async () => {
          const contents = await world.contents(target, [total, product])
          return [...contents.states, absorbedIn(contents)]
        }
        const [before, after] = [
          [1, 2, new Map()],
          [11, 6, new Map([[1, 7]])],
        ]
        return {
          send,
          async look(_, kind) {
            const record = await seen()
            const isIn = kind === undefined || (kind === 'unknown' && record[0] !== 1)
            ensureEqual(record, isIn ? after : before, `the target of an absorb that ${toldOf(kind)}`)
            await send()
            ensureEqual(await seen(), after, 'the target after the absorb was sent again')
          },
        }
      }),
  },
  {
    id: 'lost-swap',
    claim: 'A swap whose answer was lost fails as «unknown» if it took place, or answers the version that stands.',
    needs: ['loseAnswers'],
    check: (world) =>
      ensureRight(world, 'a swap whose answer was lost', async (text) => {
        const { directory } = world.backend
        const before = await directory.read(world.call)
        return {
          send: () => directory.swap(before.version, text, world.call),
          async look(outcome, kind) {
            const after = await directory.read(world.call)
            if (outcome.status === 'answered')
              ensureEqual([text, outcome.answer], [after.text, after.version], 'text and version that a swap answered')
            const isSwapped = after.text === text && after.version !== before.version
            if (kind !== 'unknown' || !isSwapped)
              ensure(
                kind === undefined || (after.text === before.text && after.version === before.version),
                `Expected the directory to be as it was after a swap that ${toldOf(kind)}, but it became ${inspect(after.text)}.`,
              )
            const next = await directory.swap(after.version, `${text}, next`, world.call)
            ensure(next !== undefined, 'Expected a swap with the latest version to take place, but it was refused.')
          },
        }
      }),
  },
]

// Problem: a store does what it is asked and the answer is lost on its way; who takes that for a refusal writes it elsewhere, too.
// Scheme: each request is tried with its first answer lost, then its second, and so on until it gets by without the lost one: once
//   with one answer lost, where a client that asks again meets what it has done itself, and once with that one and all after it.
// Invariants: a hook that loses nothing breaks every rule here.
// Cost: some dozen requests a rule.

import { inspect } from 'node:util'

import { max, mergeRule, sum, type FailureKind } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { settled, type Settled } from '../settled.js'
import { absorbedIn, fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())
const highest = fieldOf('highest', max())
const product = fieldOf(
  'product',
  mergeRule<number>({ empty: 1, merge: (a, b) => a * b, encode: String, decode: Number }),
)

/** More requests than any adapter needs for one of the port's where nobody else writes. */
const answeredMax = 8

/** One request whose answers are to be lost, before a world of its own. */
interface Attempt<T> {
  readonly send: () => Promise<T>
  /** Looks at what stands. `kind` is what the request failed with, undefined if it was answered. */
  readonly look: (outcome: Settled<T>, kind: FailureKind | undefined) => Promise<void>
}

/** Loses the answers of a request in every way there is. `prepare` makes each attempt, under a name of its own. */
async function ensureRight<T>(
  world: World,
  what: string,
  prepare: (name: string) => Promise<Attempt<T>>,
): Promise<void> {
  for (let answered = 0; answered < answeredMax; answered++) {
    let isAnswered = false
    for (const lost of [1, Infinity]) {
      const { send, look } = await prepare(`${answered}-${lost}`)
      const outcome = await world.whileLosing(answered, lost, () => settled(what, send))
      await look(outcome, outcome.status === 'failed' ? outcome.error.kind : undefined)
      isAnswered = outcome.status === 'answered'
    }
    ensure(!isAnswered || answered > 0, `Expected ${what} to fail while every answer is lost, but it was answered.`)
    if (isAnswered) return
  }
}

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

function toldOf(kind: FailureKind | undefined): string {
  return kind === undefined ? 'was answered' : `failed as «${kind}»`
}

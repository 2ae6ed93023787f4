import type { Call, ItemDeletion, ItemWriteAnswer, ShardRef } from '@spillway/core'

import { sendAborted } from '../call.js'
import { ensure, ensureEqual } from '../ensure.js'
import { Items, versionOf } from '../items.js'
import { ensureRight, toldOf } from '../losing-answers.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { refusedCount, toldOf as toldThrottles } from '../told-throttles.js'

/** After so many turns of the event loop a put is aborted. */
const moments = [0, 1, 2, 4, 8, 16]

const modes: readonly ItemDeletion['mode'][] = ['tombstone', 'remove']

type Request = readonly [what: string, send: (call: Call) => Promise<unknown>]

/** Writes of every kind to an item of version 5, and of one beside it. */
function writesTo(items: Items, key: ShardRef): readonly Request[] {
  const { store } = items
  const append = items.putting(key, items.at(2), { n: 2 }, versionOf(6))
  return [
    ['a put', (call) => store.put(items.putting(key, items.at(1), { n: 6 }, versionOf(6)), call)],
    ...modes.map((mode): Request => {
      const deletion = { shard: key, sort: items.at(1), stamp: versionOf(7), mode, retentionMs: 60_000 }
      return [`a delete (${mode})`, (call) => store.delete(deletion, call)]
    }),
    ...(store.append ? [['an append', async (call) => store.append?.({ items: [append] }, call)] as Request] : []),
  ]
}

function readsOf(items: Items, key: ShardRef): readonly Request[] {
  return [
    ['a get', (call) => items.store.get({ shards: [key], sort: items.at(1), consistency: 'strong' }, call)],
    ['a page', (call) => items.store.page(items.paging(key), call)],
  ]
}

/** The statuses of an answer, whatever it answers. */
function statusesOf(answer: unknown): readonly unknown[] {
  return [answer].flat().map((one) => (one as { status?: unknown } | undefined)?.status)
}

/** Where the store cannot be reached, is busy, or does what nobody hears of. */
export const itemTroubleRules: readonly Rule[] = [
  {
    id: 'item-outage-read',
    claim: 'Items that cannot be read are not answered as if nothing were there, and the failure is a `BackendError`.',
    needs: ['collections', 'outage'],
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      await items.put(key, items.at(1), { n: 5 }, versionOf(5))
      await world.duringOutage(async () => {
        for (const [what, send] of readsOf(items, key)) {
          const outcome = await settled(what, () => send(world.call))
          const isRead = outcome.status === 'answered' && statusesOf(outcome.answer).some((one) => one !== 'failed')
          ensure(!isRead, `Expected ${what} to fail while the store cannot be reached, but it was answered.`)
        }
      })
      ensureEqual((await items.all(key)).length, 1, 'the number of items after the outage')
    },
  },
  {
    id: 'item-outage-write',
    claim: 'A write of items that cannot be done is not answered as done, and the failure is a `BackendError`.',
    needs: ['collections', 'outage'],
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      await items.put(key, items.at(1), { n: 5 }, versionOf(5))
      const kinds = new Set<string>()
      await world.duringOutage(async () => {
        for (const [what, send] of writesTo(items, key)) {
          const outcome = await settled(what, () => send(world.call))
          if (outcome.status === 'failed') kinds.add(outcome.error.kind)
          const isDone = outcome.status === 'answered' && statusesOf(outcome.answer).some((one) => one !== 'failed')
          ensure(!isDone, `Expected ${what} to fail while the store cannot be reached, but it was answered.`)
        }
      })
      if (kinds.has('unknown')) return // one of them may be in
      const expected = [{ sort: items.at(1), stamp: versionOf(5), value: { n: 5 } }]
      ensureEqual(await items.all(key), expected, `the items after writes that failed as «${[...kinds].join(', ')}»`)
    },
  },
  {
    id: 'item-lost-put',
    claim: 'A put whose answer was lost fails as «unknown» if it is in, or is answered rightly; sent again it is done.',
    needs: ['collections', 'loseAnswers'],
    check: (world) =>
      ensureRight(world, 'a put whose answer was lost', async (name) => {
        const items = new Items(world)
        const [key, sort] = [world.key(name), items.at(1)]
        await items.put(key, sort, { n: 1 }, versionOf(1))
        const send = () => items.put(key, sort, { n: 2 }, versionOf(2))
        return {
          send,
          async look(outcome, kind) {
            if (outcome.status === 'answered') ensureEqual(outcome.answer, 'done', 'the answer to a put')
            const found = (await items.get(key, sort))?.value?.['n']
            if (kind !== 'unknown')
              ensureEqual(found, kind === undefined ? 2 : 1, `the item after a put that ${toldOf(kind)}`)
            ensureEqual(await send(), 'done', 'the answer to the put sent again')
            const expected = { sort, stamp: versionOf(2), value: { n: 2 } }
            ensureEqual(await items.all(key), [expected], 'the items after the put was sent again')
          },
        }
      }),
  },
  {
    id: 'item-lost-delete',
    claim:
      'A delete whose answer was lost fails as «unknown» if it is in, or is answered rightly; sent again it is done.',
    needs: ['collections', 'loseAnswers'],
    async check(world) {
      for (const mode of modes)
        await ensureRight(world, `a delete (${mode}) whose answer was lost`, async (name) => {
          const items = new Items(world)
          const [key, sort] = [world.key(`${mode}-${name}`), items.at(1)]
          await items.put(key, sort, { n: 1 }, versionOf(1))
          const send = () => items.delete(key, sort, mode, versionOf(2))
          return {
            send,
            async look(outcome, kind) {
              if (outcome.status === 'answered') ensureEqual(outcome.answer, 'done', 'the answer to a delete')
              const isIn = (await items.get(key, sort))?.value === undefined
              if (kind !== 'unknown')
                ensureEqual(isIn, kind === undefined, `whether the item is gone after a delete that ${toldOf(kind)}`)
              ensureEqual(await send(), 'done', 'the answer to the delete sent again')
              const left = mode === 'tombstone' ? [{ sort, stamp: versionOf(2), value: undefined }] : []
              ensureEqual(await items.all(key), left, 'the items after the delete was sent again')
            },
          }
        })
    },
  },
  {
    id: 'item-lost-append',
    claim:
      'An append whose answer was lost fails as «unknown» if it is in, as a whole or item by item; sent again it is done.',
    needs: ['collections', 'append', 'loseAnswers'],
    check: (world) =>
      ensureRight(world, 'an append whose answer was lost', async (name) => {
        const items = new Items(world)
        const key = world.key(name)
        const puts = [1, 2].map((n) => items.putting(key, items.at(n), { n }))
        const send = async () => {
          const answers = (await items.store.append?.({ items: puts }, world.call)) ?? []
          for (const answer of answers) if (answer.status === 'failed') throw answer.error
          return answers.map(({ status }) => status)
        }
        return {
          send,
          async look(outcome, kind) {
            if (outcome.status === 'answered') ensureEqual(outcome.answer, ['done', 'done'], 'the answers to an append')
            const count = (await items.all(key)).length
            if (kind !== 'unknown')
              ensureEqual(count, kind === undefined ? 2 : 0, `the number of items after an append that ${toldOf(kind)}`)
            ensureEqual(await send(), ['done', 'done'], 'the answers to the append sent again')
            ensureEqual((await items.all(key)).length, 2, 'the number of items after the append was sent again')
          },
        }
      }),
  },
  {
    id: 'item-abort-settles',
    claim: 'An aborted request for items settles, and fails with a `BackendError` if it fails.',
    needs: ['collections'],
    async check(world) {
      const items = new Items(world)
      for (const [what, send] of [...writesTo(items, world.key()), ...readsOf(items, world.key())]) {
        await settled(`${what} that was aborted`, () => sendAborted(send))
        await settled(`${what} that was aborted before it was sent`, () => send({ signal: AbortSignal.abort() }))
      }
    },
  },
  {
    id: 'item-abort-put',
    claim: 'An aborted put is in as a whole or not at all; sent again it is done.',
    needs: ['collections'],
    async check(world) {
      const items = new Items(world)
      for (const moment of moments) {
        const key = world.key(`after-${moment}`)
        const put = items.putting(key, items.at(1), { a: 'x'.repeat(500), b: { c: 1 } }, versionOf(3))
        const expected = [{ sort: put.sort, stamp: put.stamp, value: put.value }]
        const outcome = await settled('an aborted put', () =>
          sendAborted((call): Promise<ItemWriteAnswer> => items.store.put(put, call), moment),
        )
        const found = await items.all(key)
        const isUnknown = outcome.status === 'failed' && outcome.error.kind === 'unknown'
        const isIn = isUnknown ? found.length > 0 : outcome.status === 'answered'
        ensureEqual(found, isIn ? expected : [], 'the items after an aborted put')
        const again = await items.store.put(put, world.call)
        ensureEqual(again.status, 'done', 'the answer to an aborted put sent again')
        ensureEqual(await items.all(key), expected, 'the items after an aborted put was sent again')
      }
    },
  },
  {
    id: 'item-throttle-write',
    claim: 'A put and a delete that the store throttled say so, also if they succeeded after all.',
    needs: ['collections', 'throttle'],
    async check(world) {
      const items = new Items(world)
      for (const [what, send] of writesTo(items, world.key()).slice(0, 2)) {
        await world.duringThrottle(refusedCount, async () => {
          const outcome = await settled(what, async () => ((await send(world.call)) as ItemWriteAnswer).throttles ?? [])
          toldThrottles(what, outcome)
        })
        ensureEqual(((await send(world.call)) as ItemWriteAnswer).status, 'done', `the answer to ${what} sent again`)
      }
    },
  },
  {
    id: 'item-throttle-read',
    claim: 'A get and a page that the store throttled say so, also if they succeeded after all.',
    needs: ['collections', 'throttle'],
    async check(world) {
      const items = new Items(world)
      const key = world.key()
      const get = async () => {
        const [answer] = await items.answers([key], items.at(1))
        if (answer?.status === 'failed') throw answer.error
        return answer?.throttles ?? []
      }
      const page = async () => (await items.store.page(items.paging(key), world.call)).throttles ?? []
      await world.duringThrottle(refusedCount, async () => void toldThrottles('a get', await settled('a get', get)))
      await world.duringThrottle(refusedCount, async () => void toldThrottles('a page', await settled('a page', page)))
    },
  },
]

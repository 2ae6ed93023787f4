import { inspect } from 'node:util'

import { sum, type Call } from '@spillway/core'

import { sendAborted } from '../call.js'
import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())
const twin = fieldOf('twin', sum())

/** After so many turns of the event loop a request is aborted: before it is sent, on its way, and when its answer may be there. */
const moments = [0, 1, 2, 4, 8, 16]

const writerCount = 20

/** Which of the writers is aborted. */
const isAborted = (i: number) => i % 5 === 2

/** Requests of every kind, each on a key of its own. */
function requestsTo(world: World, name: string): readonly (readonly [string, (call: Call) => Promise<unknown>])[] {
  const { capabilities, directory, records } = world.backend
  const key = world.key(name)
  const shard = world.shard(key, 1)
  const contents = { status: 'read', states: [1] } as const
  const shards = [key, shard].slice(0, capabilities.shardsPerReadMax)
  return [
    ['write', (call) => records.write(world.writing(key, [[total, 1]], world.stamp('w', 1)), call)],
    ['read', (call) => records.read({ shards, fields: [total], consistency: 'strong' }, call)],
    ['seal', (call) => records.seal(shard, [total], call)],
    ['absorb', (call) => records.absorb({ target: key, source: shard, contents, fields: [total] }, call)],
    ['clear', (call) => records.clear(shard, 60_000, call)],
    ['read of the directory', (call) => directory.read(call)],
    ['swap of the directory', (call) => directory.swap('none', 'a', call)],
  ]
}

/** Sends every kind of request and aborts it; whatever comes of it, it settles, and fails only with a `BackendError`. */
async function ensureSettled(world: World, name: string): Promise<void> {
  for (const [what, request] of requestsTo(world, name)) await settled(`an aborted ${what}`, () => sendAborted(request))
  for (const [what, request] of requestsTo(world, `${name}-before`))
    await settled(`a ${what} that was aborted before it was sent`, () => request({ signal: AbortSignal.abort() }))
}

/** Requests that nobody waits for any more, after a time-out of the core's for one. Whoever cannot abort them answers them as all others. */
export const abortRules: readonly Rule[] = [
  {
    id: 'abort-settles',
    claim: 'An aborted request settles, and fails with a `BackendError` if it fails.',
    check: (world) => ensureSettled(world, 'a'),
  },
  {
    id: 'abort-write',
    claim: 'An aborted write is in as a whole or not at all; sent again it is in once.',
    async check(world) {
      for (const moment of moments) {
        const key = world.key(`after-${moment}`)
        const write = world.writing(
          key,
          [
            [total, 1],
            [twin, 1],
          ],
          world.stamp('w', 1),
        )
        const { records } = world.backend
        const outcome = await settled('an aborted write', () =>
          sendAborted((call) => records.write(write, call), moment),
        )
        const isRefused = outcome.status === 'failed' && outcome.error.kind !== 'unknown'
        const [seen, seenTwin] = await world.read(key, [total, twin])
        ensureEqual(seen, seenTwin, 'one field of an aborted write, as against the other,')
        if (outcome.status === 'answered') ensureEqual(seen, 1, 'the total after an aborted write that was answered')
        if (isRefused) ensureEqual(seen, 0, `the total after an aborted write that was «${outcome.error.kind}»`)
        const again = await records.write(write, world.call)
        ensureEqual(again.status, 'done', 'the answer to an aborted write sent again')
        ensureEqual(await world.read(key, [total, twin]), [1, 1], 'the record after an aborted write was sent again')
      }
    },
  },
  {
    id: 'abort-neighbours',
    claim: 'An aborted request does no harm to others that are under way.',
    async check(world) {
      const key = world.key()
      const { records } = world.backend
      const writes = Array.from({ length: writerCount }, (_, i) =>
        world.writing(key, [[total, 1]], world.stamp(`w${i}`, 1)),
      )
      const outcomes = await Promise.all(
        writes.map((write, i) =>
          settled('a write beside an aborted one', () =>
            isAborted(i) ? sendAborted((call) => records.write(write, call)) : records.write(write, world.call),
          ),
        ),
      )
      for (const [i, outcome] of outcomes.entries()) {
        if (isAborted(i)) continue
        if (outcome.status === 'failed')
          ensure(false, `Expected a write beside an aborted one to be done, but it failed: ${outcome.error.message}`)
        else ensureEqual(outcome.answer.status, 'done', 'the answer to a write beside an aborted one')
      }
      for (const write of writes) await records.write(write, world.call)
      ensureEqual(await world.read(key, [total]), [writerCount], 'the total after every write was sent again')
    },
  },
  {
    id: 'abort-swap',
    claim: 'An aborted swap took place or did not, and the directory says which.',
    async check(world) {
      const { directory } = world.backend
      let before = await directory.read(world.call)
      /** Swaps of unknown outcome that expect the version of `before`: one of them may still arrive. */
      let pending: readonly string[] = []
      for (const moment of moments) {
        const text = `after ${moment} turns`
        const { version: expected } = before
        const outcome = await settled('an aborted swap', () =>
          sendAborted((call) => directory.swap(expected, text, call), moment),
        )
        const after = await directory.read(world.call)
        if (outcome.status === 'failed' && outcome.error.kind === 'unknown') pending = [...pending, text]
        if (outcome.status === 'answered' && outcome.answer !== undefined)
          ensureEqual([after.text, after.version], [text, outcome.answer], 'the directory after a swap that took place')
        else if (after.version !== before.version)
          ensure(
            pending.includes(after.text ?? ''),
            `Expected the directory to change by swaps of unknown outcome alone, but it became ${inspect(after.text)}.`,
          )
        else if (outcome.status === 'answered')
          ensure(false, 'Expected a swap with the latest version to take place, but it was refused.')
        if (after.version !== before.version) pending = []
        before = after
      }
      // Each attempt fails at most because of one that was pending, and after that none is.
      let version = await directory.swap(before.version, 'last', world.call)
      version ??= await directory.swap((await directory.read(world.call)).version, 'last', world.call)
      ensure(version !== undefined, 'Expected a swap after aborted ones to take place, but it was refused.')
      ensureEqual((await directory.read(world.call)).text, 'last', 'the directory after the last swap')
    },
  },
  {
    id: 'abort-unreachable',
    claim: 'Also while the store cannot be reached, an aborted request settles, and an aborted write stays in once.',
    needs: ['outage'],
    async check(world) {
      const key = world.key()
      const write = world.writing(key, [[total, 1]], world.stamp('w', 1))
      await world.duringOutage(async () => {
        await ensureSettled(world, 'a')
        await settled('an aborted write', () => sendAborted((call) => world.backend.records.write(write, call)))
      })
      ensureEqual(
        (await world.backend.records.write(write, world.call)).status,
        'done',
        'the answer to the write sent again',
      )
      ensureEqual(await world.read(key, [total]), [1], 'the total after the write was sent again')
    },
  },
]

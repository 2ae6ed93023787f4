import { inspect } from 'node:util'

import { isBackendError, latest, max, mergeRule, sum, union, type Field, type ShardRef } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import { RuleBrokenError } from '../rule-broken-error.js'
import type { Rule } from '../rule.js'
import { settled, typed } from '../settled.js'
import { fieldOf, type Change, type World } from '../world.js'

const total = fieldOf('total', sum())

const digits = mergeRule<number>({
  empty: 0,
  merge: (a, b) => a + b,
  encode: String,
  decode(text) {
    if (!/^\d+$/.test(text)) throw new Error(`Not digits: ${text}`)
    return Number(text)
  },
})

/** The same name under rules of every kind that differ in how they are stored. */
const namesakes: readonly Change[] = [
  [fieldOf('field', sum()), 5],
  [fieldOf('field', max()), 2.5],
  [fieldOf('field', latest()), { at: 'front' }],
  [fieldOf('field', union()), ['a', 'b']],
  [fieldOf('field', digits), 7],
]

/** Reads and seals a field that another rule has stored: it fails as «invalid», or has a state that the rule can read. */
async function ensureNoMiss(world: World, shard: ShardRef, field: Field, stored: Field): Promise<void> {
  const fields = [field]
  const requests = [
    ['a read', () => world.backend.records.read({ shards: [shard], fields, consistency: 'strong' }, world.call)],
    ['a seal', async () => [await world.backend.records.seal(shard, fields, world.call)]],
  ] as const
  for (const [request, send] of requests) {
    const what = `${request} by ${field.rule.id} of what ${stored.rule.id} has stored`
    const outcome = await settled(what, send)
    const [answer] = outcome.status === 'answered' ? outcome.answer : [outcome]
    if (answer?.status === 'failed') {
      const { kind } = typed(what, answer.error)
      ensure(kind === 'invalid', `Expected ${what} to fail as «invalid», if at all, but it failed as «${kind}».`)
      continue
    }
    const state = answer?.states[0]
    ensure(state !== undefined, `Expected ${what} to fail, but it was answered as if nothing were there.`)
    try {
      field.rule.encode(field.rule.merge(state, state))
      field.rule.view(state, field.name)
    } catch (error) {
      ensure(
        false,
        `Expected ${what} to fail or to have a state of that rule, but ${inspect(state)} is none: ${inspect(error)}`,
      )
    }
  }
}

/** The error that a request failed with; an answer breaks the rule. */
async function failureOf(what: string, request: Promise<unknown>): Promise<unknown> {
  let answer: unknown
  try {
    answer = await request
  } catch (error) {
    return error
  }
  throw new RuleBrokenError(
    `Expected ${what} to fail while the store cannot be reached, but it was answered: ${JSON.stringify(answer)}.`,
  )
}

function requestsOf(world: World): readonly (readonly [string, () => Promise<unknown>])[] {
  const key = world.key()
  return [
    ['a write', () => world.write(key, [[total, 1]], world.stamp('w', 2))],
    ['a seal', () => world.backend.records.seal(world.shard(key, 1), [total], world.call)],
    ['an absorb', () => world.absorb(key, world.shard(key, 1), [[total, 1]])],
    ['a swap of the directory', () => world.backend.directory.swap(undefined, 'a', world.call)],
  ]
}

/** What a backend says when its store cannot be reached, or holds something else. */
export const errorRules: readonly Rule[] = [
  {
    id: 'errors-other-rule',
    claim:
      'A field that another rule has stored fails as «invalid», or is a state that the rule can read; it is no miss.',
    async check(world) {
      for (const [i, [stored, change]] of namesakes.entries())
        for (const [j, [field]] of namesakes.entries()) {
          if (i === j) continue
          const shard = world.shard(world.key(`${i}-${j}`), 1)
          await world.write(shard, [[stored, change]])
          const before = await world.read(shard, [stored])
          await ensureNoMiss(world, shard, field, stored)
          ensureEqual(await world.read(shard, [stored]), before, `the field that ${stored.rule.id} has stored`)
        }
    },
  },
  {
    id: 'errors-read',
    claim: 'A failure is never a miss: what cannot be read is not answered as if nothing were there.',
    needs: ['outage'],
    async check(world) {
      const key = world.key()
      await world.write(key, [[total, 5]])
      await world.duringOutage(async () => {
        for (const shards of [[key], [key, world.shard(key, 1)]].slice(
          0,
          world.backend.capabilities.shardsPerReadMax,
        )) {
          const read = { shards, fields: [total], consistency: 'strong' } as const
          const answers = await world.backend.records.read(read, world.call).catch(() => [])
          ensure(
            answers.every(({ status }) => status === 'failed'),
            'Expected no shard to be read while the store cannot be reached.',
          )
        }
        await failureOf('a read of the directory', world.backend.directory.read(world.call))
      })
      ensureEqual(await world.read(key, [total]), [5], 'the record after the outage')
    },
  },
  {
    id: 'errors-write',
    claim: 'What cannot be done is not answered as done.',
    needs: ['outage'],
    async check(world) {
      await world.duringOutage(async () => {
        for (const [what, request] of requestsOf(world)) await failureOf(what, request())
      })
    },
  },
  {
    id: 'errors-typed',
    claim: 'Every failure is a `BackendError` that says what it means for the data.',
    needs: ['outage'],
    async check(world) {
      const key = world.key()
      const requests = [
        ...requestsOf(world),
        ['a read', () => world.contents(key, [total])] as const,
        ['a read of the directory', () => world.backend.directory.read(world.call)] as const,
      ]
      await world.duringOutage(async () => {
        for (const [what, request] of requests) {
          const error = await request().then(
            () => undefined,
            (reason: unknown) => reason,
          )
          const isTyped = error === undefined || error instanceof RuleBrokenError || isBackendError(error)
          ensure(isTyped, `Expected ${what} to fail with a BackendError, but it failed with: ${inspect(error)}`)
        }
      })
    },
  },
  {
    id: 'errors-kind',
    claim:
      'A write whose failure says that nothing was done has done nothing, and one that nobody knows of may be sent again.',
    needs: ['outage'],
    async check(world) {
      const key = world.key()
      const stamp = world.stamp('w', 1)
      let kind = 'none'
      await world.duringOutage(async () => {
        const error = await world.write(key, [[total, 1]], stamp).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        if (isBackendError(error)) kind = error.kind
      })
      if (kind !== 'unknown' && kind !== 'none')
        ensureEqual(await world.read(key, [total]), [0], `the total after «${kind}»`)
      ensureEqual(await world.write(key, [[total, 1]], stamp), 'done', 'the answer to the write sent again')
      ensureEqual(await world.read(key, [total]), [1], 'the total after the write was sent again')
    },
  },
]

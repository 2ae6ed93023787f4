import { sum, type Backend, type ShardRef } from '@spillway/core'

import { newCall } from '../call.js'
import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { settled } from '../settled.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

const writerCount = 20

async function open({ backend }: World): Promise<void> {
  await backend.open?.(newCall())
}

async function close({ backend }: World): Promise<void> {
  await backend.close?.()
}

/** What a backend says of itself. */
function factsOf({ name, capabilities }: Backend): Readonly<Record<string, unknown>> {
  const { partition, ...limits } = capabilities
  return { name, ...limits, ...partition }
}

/** Requests of every kind that need nothing to be there. */
function requestsTo(world: World): readonly (readonly [string, () => Promise<unknown>])[] {
  const { directory, records } = world.backend
  const key = world.key('other')
  return [
    ['a write', () => world.write(key, [[total, 1]], world.stamp('w', 1))],
    ['a seal', () => records.seal(world.shard(key, 1), [total], world.call)],
    ['an absorb', () => world.absorb(key, world.shard(key, 1), [[total, 1]])],
    ['a read of the directory', () => directory.read(world.call)],
    ['a swap of the directory', () => directory.swap(undefined, 'a', world.call)],
  ]
}

/** From the making of a backend to its end. */
export const lifeRules: readonly Rule[] = [
  {
    id: 'life-capabilities',
    claim: 'Name and limits are there before the backend is opened, make sense, and stay as they are.',
    isAboutLife: true,
    async check(world) {
      const before = factsOf(world.backend)
      const { name, reservedMark, integerMax } = before
      for (const text of [name, reservedMark])
        ensure(
          typeof text === 'string' && text !== '',
          'Expected name and reservedMark to be texts that are not empty.',
        )
      for (const limit of ['keyBytesMax', 'changeBytesMax', 'shardsPerReadMax', 'conditionalFieldsMax']) {
        const given = before[limit]
        if (limit === 'conditionalFieldsMax' && given === undefined) continue
        const isSane = Number.isSafeInteger(given) && (given as number) >= 1
        ensure(isSane, `Expected ${limit} to be a whole number of at least 1, but it was ${String(given)}.`)
      }
      for (const limit of ['writeUnitsPerSecond', 'readUnitsPerSecond']) {
        const given = before[limit]
        const isSane = typeof given === 'number' && given > 0
        ensure(isSane, `Expected partition.${limit} to be a number above 0, but it was ${String(given)}.`)
      }
      const isSane = typeof integerMax === 'bigint' && integerMax >= 1n
      ensure(isSane, `Expected integerMax to be a bigint of at least 1n, but it was ${String(integerMax)}.`)
      const { least, most } = world.backend.capabilities.magnitudes ?? { least: 1, most: 1 }
      const isRange = least > 0 && least <= 1 && most >= 1 && most < Infinity
      ensure(
        isRange,
        `Expected magnitudes to reach from above 0 to a finite number, over 1, but it was ${least} to ${most}.`,
      )
      await open(world)
      ensureEqual(factsOf(world.backend), before, 'what the backend says of itself once it is open')
      await close(world)
    },
  },
  {
    id: 'life-open-twice',
    claim: 'To open what is open already does no harm: as another process does that opens the same store.',
    isAboutLife: true,
    async check(world) {
      const key = world.key()
      await open(world)
      await world.write(key, [[total, 1]], world.stamp('w', 1))
      await open(world)
      ensureEqual(await world.read(key, [total]), [1], 'the total after a second opening')
      ensureEqual(await world.write(key, [[total, 1]], world.stamp('w', 1)), 'done', 'the answer to a second copy')
      ensureEqual(await world.read(key, [total]), [1], 'the total after a second copy')
      await close(world)
    },
  },
  {
    id: 'life-close-unopened',
    claim: 'To close what was never opened does no harm.',
    isAboutLife: true,
    async check(world) {
      await close(world)
      await open(world)
      ensureEqual(await world.write(world.key(), [[total, 1]]), 'done', 'the answer to a write after that')
      await close(world)
    },
  },
  {
    id: 'life-reopen',
    claim: 'What the user made, such as a client, is not closed: after its close a backend can be opened again.',
    isAboutLife: true,
    async check(world) {
      const key = world.key()
      await open(world)
      await world.write(key, [[total, 1]], world.stamp('w', 1))
      await close(world)
      await open(world)
      ensureEqual(await world.read(key, [total]), [1], 'the total after the backend was closed and opened')
      ensureEqual(await world.write(key, [[total, 2]], world.stamp('w', 2)), 'done', 'the answer to a next write')
      await close(world)
    },
  },
  {
    id: 'life-after-close',
    claim: 'A request after the close is served or fails with a `BackendError`; what is there is not missed.',
    isAboutLife: true,
    async check(world) {
      const key = world.key()
      await open(world)
      await world.write(key, [[total, 5]])
      await close(world)
      const read = { shards: [key], fields: [total], consistency: 'strong' } as const
      const reading = await settled('a read', () => world.backend.records.read(read, world.call))
      if (reading.status === 'answered' && reading.answer[0]?.status === 'read')
        ensureEqual(total.rule.view(reading.answer[0].states[0], total.name), 5, 'the total read after the close')
      for (const [what, request] of requestsTo(world)) await settled(`${what} after the close`, request)
    },
  },
  {
    id: 'life-during-close',
    claim: 'Requests that are under way when the backend is closed settle, and what was answered «done» is in.',
    isAboutLife: true,
    async check(world) {
      await open(world)
      const keys = Array.from({ length: writerCount }, (_, i) => world.key(`k${i}`))
      const write = (key: ShardRef) => world.write(key, [[total, 1]], world.stamp('w', 1))
      const writing = keys.map((key) => settled('a write during a close', () => write(key)))
      const [, ...outcomes] = await Promise.all([close(world), ...writing])
      await open(world)
      for (const [i, key] of keys.entries()) {
        const outcome = outcomes[i]
        const [seen] = await world.read(key, [total])
        if (outcome?.status === 'answered') ensureEqual(seen, 1, 'the total after a write that was done during a close')
        else if (outcome?.error.kind !== 'unknown')
          ensureEqual(seen, 0, `the total after a write that was «${outcome?.error.kind}» during a close`)
        ensureEqual(await write(key), 'done', 'the answer to a write sent again')
        ensureEqual(await world.read(key, [total]), [1], 'the total after a write was sent again')
      }
      await close(world)
    },
  },
]

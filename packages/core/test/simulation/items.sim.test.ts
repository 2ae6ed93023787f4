import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Backend } from '../../src/index.js'
import { withCollections } from '../doubles/with-collections.js'
import { faultLevels } from './fault-levels.js'
import { type ItemActor, ItemWorld } from './item-world.js'

/** The first stays cold, and so knows no deletes: a delayed copy of a put may bring its item back, as with the plain client. */
const keys = ['cold', 'spread', 'other'] as const
const key = fc.constantFrom(...keys)
const sort = fc.constantFrom('a', 'b', 'c', 'd', 'é', '\u{1f600}', '\uff5e')
const actor = fc.nat(3)

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('write' as const), actor, key, sort, isDelete: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), actor, key, sort }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('readAll' as const),
      actor,
      key,
      order: fc.constantFrom('ascending' as const, 'descending' as const),
      limit: fc.nat(3),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 200 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      key: fc.constantFrom('spread', 'other'),
      wish: fc.constantFrom('grow' as const, 'grow' as const, 'merge' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 200, max: 900 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sleep' as const), ms: fc.constant(25_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('faults' as const), actor, level: fc.integer({ min: 0, max: 3 }) }),
  },
)

const levels = faultLevels(0.1)

describe('the promise for items', () => {
  it('a read has what was acknowledged before it, or something newer, in order and once, under faults, growth and merging back', async () => {
    const total = { written: 0, rejected: 0, unknown: 0, reads: 0, failedReads: 0, growths: 0, drains: 0, copied: 0 }
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 80, maxLength: 250 }), async (seed, steps) => {
        const world = new ItemWorld(seed)
        for (let i = 0; i < 4; i++) await world.join()
        for (const one of ['spread', 'other'])
          for (let i = 0; i < 2; i++) {
            await world.step(one, 'grow')
            await world.clock.advance(400)
          }
        const running: Promise<void>[] = []
        for (const one of steps) await perform(world, one, running)
        await finish(world, running)
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += world.counts[name]
        expect(world.violations).toEqual([])
      }),
      { numRuns: 300 },
    )
    // A run in which nothing was spread, merged back, lost or unknown would show nothing.
    expect(Math.min(...Object.values(total))).toBeGreaterThan(20)
  })

  it('holds for every order in which requests and answers of several clients may pass each other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(),
        fc.array(step, { minLength: 10, maxLength: 50 }),
        async (scheduler, seed, steps) => {
          const world = new ItemWorld(seed)
          const state = { isScheduled: false }
          for (let i = 0; i < 3; i++) await world.join((backend) => interleaved(backend, scheduler, state))
          await world.step('spread', 'grow')
          await world.clock.advance(400)
          state.isScheduled = true
          const running: Promise<void>[] = []
          for (const one of steps) {
            await perform(world, one, running)
            if (scheduler.count() > 0) await scheduler.waitOne()
          }
          state.isScheduled = false
          await scheduler.waitIdle()
          await finish(world, running)
          expect(world.violations).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function perform(world: ItemWorld, one: Step, running: Promise<void>[]): Promise<void> {
  const actorAt = (i: number) => world.actors[i % world.actors.length] as ItemActor
  switch (one.kind) {
    case 'write':
      running.push(world.write(actorAt(one.actor), one.key, one.sort, one.isDelete && one.key !== 'cold'))
      return
    case 'get':
      running.push(world.get(actorAt(one.actor), one.key, one.sort))
      return
    case 'readAll':
      running.push(world.readAll(actorAt(one.actor), one.key, one.order, one.limit))
      return
    case 'step':
      return world.step(one.key, one.wish)
    case 'pause':
      world.clock.pause(one.ms)
      return
    case 'faults':
      actorAt(one.actor).backend.faults = levels[one.level] ?? {}
      return
    case 'advance':
    case 'sleep':
      return world.clock.advance(one.ms)
    default:
      return one satisfies never
  }
}

/** Every request and every answer waits for the scheduler, which draws who goes next. Opening a client does not. */
function interleaved(backend: Backend, scheduler: fc.Scheduler, state: { isScheduled: boolean }): Backend {
  const pass = async <T>(send: () => Promise<T>): Promise<T> => {
    if (!state.isScheduled) return send()
    await scheduler.schedule(Promise.resolve())
    const answer = send().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error
      },
    )
    await scheduler.schedule(Promise.resolve())
    return (await answer)()
  }
  const whole = withCollections(backend, (items) => ({
    put: (put, call) => pass(() => items.put(put, call)),
    delete: (deletion, call) => pass(() => items.delete(deletion, call)),
    get: (read, call) => pass(() => items.get(read, call)),
    page: (page, call) => pass(() => items.page(page, call)),
  }))
  return {
    ...whole,
    name: backend.name,
    capabilities: backend.capabilities,
    records: backend.records,
    directory: {
      read: (call) => pass(() => backend.directory.read(call)),
      swap: (expected, text, call) => pass(() => backend.directory.swap(expected, text, call)),
    },
  }
}

/** Heals everything, lets all that is under way end, and reads every key through every client. */
async function finish(world: ItemWorld, running: Promise<void>[]): Promise<void> {
  for (const { backend } of world.actors) backend.heal()
  await world.clock.run(Promise.all(running))
  for (const order of ['ascending', 'descending'] as const)
    await world.clock.run(
      Promise.all(world.actors.flatMap((one) => keys.map((name) => world.readAll(one, name, order, 2)))),
    )
  await world.clock.run(Promise.all(world.actors.map(({ client }) => client.close())))
}

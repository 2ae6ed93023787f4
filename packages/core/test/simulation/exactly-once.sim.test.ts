import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Backend } from '../../src/index.js'
import { faultLevels } from './fault-levels.js'
import { World } from './world.js'

const keys = ['a', 'declared', 'hot']
const key = fc.constantFrom(...keys)

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      actor: fc.nat(4),
      key,
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), actor: fc.nat(4), key }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 150 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 200, max: 900 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('faults' as const),
      actor: fc.nat(4),
      level: fc.integer({ min: 0, max: 3 }),
    }),
  },
)

const levels = faultLevels(0.08)

describe('the promise', () => {
  it('every acknowledged write is counted exactly once by every later read, under faults and growing routes', async () => {
    const total = { written: 0, rejected: 0, unknown: 0, reads: 0, failedReads: 0, spreadFlushes: 0, growths: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 2, max: 5 }),
        fc.array(step, { minLength: 60, maxLength: 200 }),
        async (seed, actorCount, steps) => {
          const world = new World(seed)
          for (let i = 0; i < actorCount; i++) await world.join()
          const running: Promise<void>[] = []
          const actorAt = (i: number) => world.actors[i % actorCount] as World['actors'][number]
          for (const one of steps) {
            if (one.kind === 'write')
              for (let i = 0; i < one.count; i++) running.push(world.write(actorAt(one.actor), one.key))
            else if (one.kind === 'read') running.push(world.read(actorAt(one.actor), one.key))
            else if (one.kind === 'advance') await world.clock.advance(one.ms)
            else if (one.kind === 'pause') world.clock.pause(one.ms)
            else actorAt(one.actor).backend.faults = levels[one.level] ?? {}
          }
          await finish(world, running)
          for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += world.counts[name]
          expect(world.violations).toEqual([])
        },
      ),
      { numRuns: 800 },
    )
    // A run in which nothing was spread, lost or unknown would show nothing.
    expect(Math.min(...Object.values(total))).toBeGreaterThan(20)
  })

  it('holds for every order in which requests and answers of several clients may pass each other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.nat(),
        fc.array(step, { minLength: 10, maxLength: 40 }),
        async (scheduler, seed, steps) => {
          const world = new World(seed)
          const state = { isScheduled: false }
          for (let i = 0; i < 3; i++) await world.join((backend) => interleaved(backend, scheduler, state))
          state.isScheduled = true
          const running: Promise<void>[] = []
          for (const one of steps) {
            const actor = world.actors[('actor' in one ? one.actor : 0) % 3] as World['actors'][number]
            if (one.kind === 'write') for (let i = 0; i < one.count; i++) running.push(world.write(actor, one.key))
            else if (one.kind === 'read') running.push(world.read(actor, one.key))
            else if (one.kind === 'advance') await world.clock.advance(one.ms)
            if (scheduler.count() > 0) await scheduler.waitOne()
          }
          await finish(world, running, scheduler)
          expect(world.violations).toEqual([])
        },
      ),
      { numRuns: 800 },
    )
  })
})

/** Heals everything, lets all that is under way end, and reads every key through every client. */
async function finish(world: World, running: Promise<void>[], scheduler?: fc.Scheduler): Promise<void> {
  for (const { backend } of world.actors) backend.heal()
  await drain(world, Promise.all(running), scheduler)
  const reads = Promise.all(world.actors.flatMap((actor) => keys.map((one) => world.read(actor, one))))
  await drain(world, reads, scheduler)
  await drain(world, Promise.all(world.actors.map(({ client }) => client.close())), scheduler)
}

async function drain(world: World, work: Promise<unknown>, scheduler: fc.Scheduler | undefined): Promise<void> {
  const progress = { isOver: false }
  const end = () => {
    progress.isOver = true
  }
  work.then(end, end)
  while (!progress.isOver) {
    if (scheduler !== undefined) await scheduler.waitIdle()
    await world.clock.advance(25)
  }
  await work
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
  return {
    ...backend,
    name: backend.name,
    capabilities: backend.capabilities,
    directory: {
      read: (call) => pass(() => backend.directory.read(call)),
      swap: (expected, text, call) => pass(() => backend.directory.swap(expected, text, call)),
    },
    records: {
      write: (write, call) => pass(() => backend.records.write(write, call)),
      read: (read, call) => pass(() => backend.records.read(read, call)),
      seal: (shard, fields, call) => backend.records.seal(shard, fields, call),
      absorb: (absorb, call) => backend.records.absorb(absorb, call),
      clear: (shard, retentionMs, call) => backend.records.clear(shard, retentionMs, call),
    },
  }
}

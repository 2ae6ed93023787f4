import { describe, expect, test } from 'vitest'
import { BackendError, memory, type RecordStore, type ShardWrite } from '../../../src/index.js'
import { counted, FleetWorld, leaseMs, planned, type Process, tickMs } from './fleet-world.js'

const perTick = (perSecond: number) => (perSecond * tickMs) / 1_000

/** Each process writes its part of so many units a second to a key. */
function writing(world: FleetWorld, unitsPerSecond: () => number, key = 'hot'): (process: Process) => void {
  return ({ fleet }) => {
    const count = counted(world.random, perTick(unitsPerSecond() / world.processes.length))
    for (let i = 0; i < count; i++) fleet.count(key, 1)
  }
}

/** A store whose writes are what a test makes of them. */
function storeWith(write: RecordStore['write'], inner = memory().records): RecordStore {
  return Object.create(inner, { read: { value: inner.read.bind(inner) }, write: { value: write } }) as RecordStore
}

/** A store that notes what is written, and refuses it while it is told to. */
function watched(): { store: RecordStore; writes: ShardWrite[]; readCount: number; failure: Error | undefined } {
  const inner = memory().records
  const watch = {
    writes: [] as ShardWrite[],
    readCount: 0,
    failure: undefined as Error | undefined,
    store: {
      ...inner,
      write: async (write, call) => {
        watch.writes.push(write)
        if (watch.failure !== undefined) throw watch.failure
        return inner.write(write, call)
      },
      read: async (read, call) => {
        watch.readCount += 1
        if (watch.failure !== undefined) throw watch.failure
        return inner.read(read, call)
      },
    } satisfies RecordStore,
  }
  return watch
}

describe('a fleet', () => {
  test('spreads a key that is hot in sum, and by its whole rate', async () => {
    const world = new FleetWorld({ processCount: 10 })
    await world.run(
      10_000,
      writing(world, () => 5_000),
    )
    expect(world.routes.get('hot')).toMatchObject({ phase: 'active', write: 8 })
    expect(world.errors).toEqual([])
  })

  test('leaves a key alone that is warm in sum', async () => {
    const world = new FleetWorld({ processCount: 10 })
    await world.run(
      60_000,
      writing(world, () => planned * 0.6),
    )
    expect(world.routes.size).toBe(0)
  })

  test('merges a key back when it has cooled, and not much later than coolMs', async () => {
    const world = new FleetWorld({ processCount: 10 })
    await world.run(
      10_000,
      writing(world, () => 2_000),
    )
    expect(world.routes.get('hot')).toMatchObject({ phase: 'active', write: 4 })
    const cooledMs = world.clock.nowMs()
    await world.run(75_000)
    const drained = world.steps.find(({ step }) => step === 'drain')
    expect(drained).toMatchObject({ key: 'hot', fanout: 1 })
    expect((drained?.atMs ?? 0) - cooledMs).toBeGreaterThan(55_000)
    expect((drained?.atMs ?? 0) - cooledMs).toBeLessThan(70_000)
    expect(world.routes.get('hot')).toMatchObject({ phase: 'cold', write: 1 })
  })

  test('goes on under another leader when its own has died, from a fresh coolMs', async () => {
    const world = new FleetWorld({ processCount: 10 })
    await world.run(
      10_000,
      writing(world, () => 2_000),
    )
    await world.run(40_000)
    const [leader] = world.leaders() as [Process]
    leader.isPaused = true
    const diedMs = world.clock.nowMs()
    await world.run(100_000)
    expect(world.leaders()).not.toContain(leader)
    const drained = world.steps.find(({ step }) => step === 'drain')
    expect((drained?.atMs ?? 0) - diedMs).toBeGreaterThan(60_000)
  })

  test('keeps what a single process declares', async () => {
    const world = new FleetWorld({ processCount: 10 })
    await world.run(
      10_000,
      writing(world, () => 5_000),
    )
    const declaring = world.processes.find((process) => !world.leaders().includes(process))
    await world.run(200_000, (process) => {
      if (process === declaring) process.fleet.declared('hot', 4)
    })
    expect(world.steps.filter(({ step }) => step === 'drain')).toMatchObject([{ fanout: 4 }])
    expect(world.routes.get('hot')).toMatchObject({ phase: 'active', write: 4 })
  })

  test('asks nothing of the store while nothing is written, nor much after it', async () => {
    const watch = watched()
    const world = new FleetWorld({ processCount: 5, store: watch.store })
    await world.run(60_000)
    expect(watch.writes.length + watch.readCount + world.shared.swapCount).toBe(0)
    await world.run(
      10_000,
      writing(world, () => 300),
    )
    await world.run(7 * leaseMs)
    const before = watch.writes.length + watch.readCount + world.shared.swapCount
    await world.run(60_000)
    expect(watch.writes.length + watch.readCount + world.shared.swapCount).toBe(before)
  })

  test('reports at most once an epoch and process, and once for each draw', async () => {
    const watch = watched()
    const world = new FleetWorld({ processCount: 40, store: watch.store })
    await world.run(
      20_000,
      writing(world, () => planned / 2),
    )
    expect(watch.writes.length).toBeGreaterThan(20 * 16 * 0.6)
    expect(watch.writes.length).toBeLessThan(20 * 16 * 1.2)
    watch.writes.length = 0
    await world.run(
      20_000,
      writing(world, () => planned * 100),
    )
    expect(watch.writes.length).toBeLessThan(20 * 40 * 1.3)
  })

  test('is inert where no key may be spread', async () => {
    const watch = watched()
    const world = new FleetWorld({ processCount: 5, store: watch.store, fanoutMax: 1 })
    await world.run(
      10_000,
      writing(world, () => 5_000),
    )
    expect(watch.writes.length + watch.readCount + world.shared.swapCount).toBe(0)
    expect(world.leaders()).toEqual([])
  })
})

/**
 * The bound: at most one merge of a key in coolMs and two leases, and none where its cold times are shorter than coolMs. With
 * coolMs 60 s and leases of 3 s that is nine merges in ten minutes, and as many growths.
 */
describe('a key that swings around the threshold for ten minutes', () => {
  test.each([5_000, 10_000, 30_000, 60_000, 100_000])('each %i ms is merged back never', async (periodMs) => {
    const world = new FleetWorld({ processCount: 4 })
    const rate = () => (world.clock.nowMs() % periodMs < periodMs / 2 ? 4_000 : 0)
    await world.run(600_000, writing(world, rate))
    expect(world.steps.filter(({ step }) => step === 'announce').length).toBeGreaterThan(0)
    expect(world.steps.filter(({ step }) => step === 'announce').length).toBeLessThanOrEqual(3)
    expect(world.steps.filter(({ step }) => step === 'drain')).toEqual([])
  })

  test.each([150_000, 200_000, 300_000])('each %i ms is merged back at most once a period', async (periodMs) => {
    const world = new FleetWorld({ processCount: 4 })
    const rate = () => (world.clock.nowMs() % periodMs < periodMs / 2 ? 4_000 : 0)
    await world.run(600_000, writing(world, rate))
    const drains = world.steps.filter(({ step }) => step === 'drain')
    expect(drains.length).toBeGreaterThan(0)
    expect(drains.length).toBeLessThanOrEqual(600_000 / periodMs)
    for (const [i, { atMs }] of drains.slice(1).entries())
      expect(atMs - (drains[i]?.atMs ?? 0)).toBeGreaterThan(60_000 + 2 * leaseMs)
  })

  test('as wildly as a seed makes it is merged back no more often than the bound says', async () => {
    const coolMs = 6_000
    const world = new FleetWorld({ processCount: 4, coolMs, seed: 7 })
    let rate = 0
    let untilMs = 0
    await world.run(600_000, (process) => {
      if (world.clock.nowMs() >= untilMs) {
        rate = world.random.next() < 0.5 ? 0 : world.random.next() * 8_000
        untilMs = world.clock.nowMs() + world.random.next() * 40_000
      }
      writing(world, () => rate)(process)
    })
    const drains = world.steps.filter(({ step }) => step === 'drain')
    expect(drains.length).toBeGreaterThan(5)
    for (const [i, { atMs }] of drains.slice(1).entries())
      expect(atMs - (drains[i]?.atMs ?? 0)).toBeGreaterThanOrEqual(coolMs + 2 * leaseMs)
  })
})

describe('what fails', () => {
  test('is told, delays nothing, and is over when the store is back', async () => {
    const watch = watched()
    const world = new FleetWorld({ processCount: 5, store: watch.store })
    watch.failure = new BackendError('unavailable', 'Down.')
    await world.run(
      10_000,
      writing(world, () => 5_000),
    )
    expect(world.errors.length).toBeGreaterThan(10)
    expect(new Set(world.errors)).toEqual(new Set([watch.failure]))
    expect(world.routes.size).toBe(0)
    watch.failure = undefined
    await world.run(
      5_000,
      writing(world, () => 5_000),
    )
    expect(world.routes.get('hot')?.read).toBe(8)
  })

  test('of reading does not merge back what could not be seen to be hot', async () => {
    const watch = watched()
    const world = new FleetWorld({ processCount: 5, store: watch.store })
    await world.run(
      10_000,
      writing(world, () => 5_000),
    )
    watch.failure = new BackendError('unavailable', 'Down.')
    await world.run(
      200_000,
      writing(world, () => 5_000),
    )
    expect(world.steps.filter(({ step }) => step === 'drain')).toEqual([])
  })

  test('never leaves two reports of a process under way', async () => {
    const epochs = new Set<number>()
    const world = new FleetWorld({
      processCount: 1,
      requestTimeoutMs: 5_000,
      store: storeWith(({ shard }) => {
        epochs.add(shard.generation.number)
        return new Promise(() => {})
      }),
    })
    await world.run(
      5_000,
      writing(world, () => 5_000),
    )
    expect(epochs.size).toBe(1)
    expect(world.errors).toEqual([])
    await world.run(
      3_000,
      writing(world, () => 5_000),
    )
    expect(world.errors).toMatchObject([{ kind: 'unknown' }])
    expect(epochs.size).toBe(2)
  })
})

describe('closing', () => {
  test('lets another process lead', async () => {
    const world = new FleetWorld({ processCount: 5 })
    await world.run(
      8_000,
      writing(world, () => 500),
    )
    const [leader] = world.leaders() as [Process]
    leader.isPaused = true
    await world.clock.run(leader.fleet.close())
    expect(leader.fleet.leads()).toBe(false)
    expect(world.shared.directory.leader).toBeUndefined()
    await world.run(
      4_000,
      writing(world, () => 500),
    )
    expect(world.leaders()).toHaveLength(1)
  })

  test('waits for the report that is under way, and sends no other', async () => {
    const held: (() => void)[] = []
    const inner = memory().records
    const hold: RecordStore['write'] = async (write, call) => {
      await new Promise<void>((resolve) => held.push(resolve))
      return inner.write(write, call)
    }
    const world = new FleetWorld({ processCount: 1, store: storeWith(hold, inner) })
    const [process] = world.processes as [Process]
    for (let ms = 0; ms < 2_000 && held.length === 0; ms += tickMs)
      await world.run(
        tickMs,
        writing(world, () => 5_000),
      )
    expect(held.length).toBeGreaterThan(0)
    const closed = { is: false }
    const closing = process.fleet.close().then(() => (closed.is = true))
    await world.clock.advance(0)
    expect(closed.is).toBe(false)
    for (const answer of held.splice(0)) answer()
    await closing
    await world.run(
      5_000,
      writing(world, () => 5_000),
    )
    expect(held).toEqual([])
  })

  test('takes a request time-out at most for a directory that does not answer', async () => {
    const world = new FleetWorld({ processCount: 1 })
    await world.run(
      8_000,
      writing(world, () => 500),
    )
    const [process] = world.leaders() as [Process]
    process.routing.swap = () => new Promise(() => {})
    const beganMs = world.clock.nowMs()
    await world.clock.run(process.fleet.close())
    expect(world.clock.nowMs() - beganMs).toBeLessThanOrEqual(1_000)
    expect(process.fleet.close()).toBe(process.fleet.close())
  })

  test('of a leader whose swap fails is told and is over', async () => {
    const world = new FleetWorld({ processCount: 1 })
    await world.run(
      8_000,
      writing(world, () => 500),
    )
    const [process] = world.leaders() as [Process]
    process.routing.failure = new Error('down')
    await world.clock.run(process.fleet.close())
    expect(world.errors).toEqual([process.routing.failure])
  })
})

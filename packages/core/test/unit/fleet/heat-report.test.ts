import { describe, expect, test } from 'vitest'
import { BackendError, memory, type RecordStore, type ShardWrite } from '../../../src/index.js'
import { HeatReports, type ReportParts } from '../../../src/fleet/heat-report.js'
import type { Draws } from '../../../src/fleet/heat-sampler.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'

const none = new Map<string, number>()

function drawn(counts: Record<string, number>, interval = 22): Draws {
  return { interval, countByKey: new Map(Object.entries(counts)) }
}

/** Many keys with long names: about 6 KB. */
const large = drawn(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${'k'.repeat(80)}:${i}`, 1])))

class World {
  readonly clock = new FakeClock()
  readonly backend = memory({ clock: this.clock })
  readonly writes: ShardWrite[] = []
  readonly readSizes: number[] = []
  /** What a write of a reporter does instead of being written. */
  refuse: (() => Promise<never>) | undefined
  /** Makes writes dear: what they cost is said to be so many units. */
  units: number | undefined
  readonly store: RecordStore = {
    ...this.backend.records,
    write: async (write, call) => {
      this.writes.push(write)
      if (this.refuse !== undefined) return this.refuse()
      const answer = await this.backend.records.write(write, call)
      return { ...answer, units: this.units ?? answer.units }
    },
    read: (read, call) => {
      this.readSizes.push(read.shards.length)
      return this.backend.records.read(read, call)
    },
  }

  reporter(seed: number, parts: Partial<ReportParts> = {}): HeatReports {
    const { clock, store } = this
    const random = seededRandom(seed)
    const { capabilities } = this.backend
    return new HeatReports({ store, clock, random, capabilities, requestTimeoutMs: 1_000, epochMs: 1_000, ...parts })
  }
}

describe('reports of one epoch', () => {
  test('add up, whoever they are from, and however alike they are', async () => {
    const world = new World()
    for (let seed = 1; seed <= 20; seed++) await world.reporter(seed).write(7, drawn({ hot: 2, other: 1 }), none)
    await world.reporter(21).write(7, drawn({ hot: 3 }, 5), none)
    await world.reporter(22).write(8, drawn({ hot: 100 }), none)
    const { unitsByKey } = await world.reporter(99).read(7)
    expect(unitsByKey.get('hot')).toEqual({ units: 20 * 44 + 15, variance: 20 * 2 * 22 * 21 + 3 * 5 * 4 })
    expect(unitsByKey.get('other')?.units).toBe(20 * 22)
  })

  test('count once when they are written twice', async () => {
    const world = new World()
    await world.reporter(1).write(7, drawn({ hot: 2 }), none)
    const [write] = world.writes as [ShardWrite]
    await world.backend.records.write(write, { signal: new AbortController().signal })
    expect((await world.reporter(2).read(7)).unitsByKey.get('hot')?.units).toBe(44)
  })

  test('keep any name of a key', async () => {
    const names = ['a.b', '3.4.x.y', '\n', 'f2.k', 'l9', 'snow ☃ and 🜁', '__proto__', '"', ' ']
    const world = new World()
    const counts = new Map(names.map((name, i) => [name, i + 1]))
    await world.reporter(1).write(7, { interval: 1, countByKey: counts }, new Map(names.map((name) => [name, 8])))
    const { unitsByKey, declared } = await world.reporter(2).read(7)
    expect(new Map([...unitsByKey].map(([name, { units }]) => [name, units]))).toEqual(counts)
    expect([...declared.keys()].toSorted()).toEqual(names.toSorted())
  })

  test('say the greatest fanout that was declared', async () => {
    const world = new World()
    await world.reporter(1).write(7, undefined, new Map([['hot', 4]]))
    await world.reporter(2).write(7, undefined, new Map([['hot', 16]]))
    await world.reporter(3).write(7, undefined, new Map([['hot', 8]]))
    expect((await world.reporter(4).read(7)).declared).toEqual(new Map([['hot', 16]]))
  })

  test('go by the expiry of the store, need no dedupe, and stand where no application has a key', async () => {
    const world = new World()
    await world.reporter(1).write(7, drawn({ hot: 1 }), none)
    expect(world.writes).toMatchObject([
      {
        shard: { key: '~spillway~heat', index: 1, generation: { number: 7, nonce: 0 } },
        stamp: undefined,
        expiresInMs: 10_000,
      },
    ])
  })

  test('are not sent when they would say nothing', async () => {
    const world = new World()
    await world.reporter(1).write(7, undefined, none)
    expect(world.writes).toEqual([])
  })

  test('stay within what one write of the store may take', async () => {
    const world = new World()
    const { capabilities } = world.backend
    const declared = new Map(Array.from({ length: 100 }, (_, i) => [`declared:${i}`, 4]))
    await world
      .reporter(1, { capabilities: { ...capabilities, changeBytesMax: 400 } })
      .write(7, drawn({ hot: 1 }), declared)
    const [{ changes }] = world.writes as [ShardWrite]
    const [change] = changes as [{ state: ReadonlySet<string> } & (typeof changes)[0]]
    const bytes = [...change.state].reduce((sum, entry) => sum + entry.length + 1, 0)
    expect(bytes).toBeGreaterThan(300)
    expect(bytes).toBeLessThanOrEqual(400)
    expect((await world.reporter(2).read(7)).unitsByKey.has('hot')).toBe(true)
  })

  test('are left out where no reader knows what they say', async () => {
    const world = new World()
    const reporter = world.reporter(1)
    await reporter.write(7, drawn({ hot: 1 }), none)
    const [write] = world.writes as [ShardWrite]
    const state = new Set([
      '',
      's',
      'sx.1.a.k',
      's1.1.a.',
      'f.k',
      'f99999.k',
      'l',
      'l99999',
      'z1.2',
      's-1.1.a.k',
      's1.1e3.a.k',
    ])
    await world.backend.records.write(
      { ...write, changes: [{ ...write.changes[0]!, state }] },
      { signal: new AbortController().signal },
    )
    const { unitsByKey, declared } = await reporter.read(7)
    expect([...unitsByKey.keys()]).toEqual(['hot'])
    expect(declared.size).toBe(0)
  })
})

describe('the places of reports', () => {
  test('are one as long as reports are small', async () => {
    const world = new World()
    for (let seed = 1; seed <= 50; seed++) await world.reporter(seed).write(7, drawn({ hot: 1 }), none)
    expect(new Set(world.writes.map(({ shard }) => shard.index))).toEqual(new Set([1]))
    await world.reporter(51).read(7)
    expect(world.readSizes).toEqual([1])
  })

  test('become so many that a report costs little more than itself, and all are read', async () => {
    const world = new World()
    const reporters = Array.from({ length: 100 }, (_, i) => world.reporter(i + 1))
    const reader = world.reporter(999)
    const unitsOf = async (epoch: number) => {
      world.writes.length = 0
      let units = 0
      for (const reporter of reporters) await reporter.write(epoch, large, none)
      const found = (await reader.read(epoch)).unitsByKey
      expect(found.size).toBe(60)
      for (const sum of found.values()) expect(sum.units).toBe(100 * 22)
      const bytes = new Map<number, number>()
      for (const { shard, changes } of world.writes.filter((write) => write.shard.index > 1)) {
        const size = [...(changes[0] as { state: ReadonlySet<string> }).state].reduce((sum, e) => sum + e.length + 1, 0)
        bytes.set(shard.index, (bytes.get(shard.index) ?? 0) + size)
        units += Math.ceil((bytes.get(shard.index) as number) / 1_024)
      }
      return units
    }
    const first = await unitsOf(1)
    let last = first
    for (let epoch = 2; epoch <= 8; epoch++) {
      world.readSizes.length = 0
      last = await unitsOf(epoch)
    }
    // 100 reports of 6 units: in one place they would cost 100 x 99 / 2 x 6, some 30,000.
    expect(first).toBeLessThan(3_000)
    expect(last).toBeLessThan(1_500)
    expect(world.readSizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(256)
  })

  test('become fewer again when reports do', async () => {
    const world = new World()
    const reporter = world.reporter(1)
    for (let epoch = 1; epoch <= 3; epoch++) await reporter.write(epoch, large, none)
    for (let epoch = 4; epoch <= 100; epoch++) await reporter.write(epoch, drawn({ hot: 1 }), none)
    world.readSizes.length = 0
    await reporter.read(100)
    expect(world.readSizes).toEqual([1])
  })

  test.each([
    ['throttled', new BackendError('throttled', 'Too fast.')],
    ['refused as too large', new BackendError('invalid', 'Too large.')],
  ])('become more when a report is %s, up to 1,024', async (_, error) => {
    const world = new World()
    const reporter = world.reporter(1)
    world.refuse = () => Promise.reject(error)
    for (let epoch = 1; epoch <= 40; epoch++) await expect(reporter.write(epoch, large, none)).rejects.toBe(error)
    const indexes = world.writes.map(({ shard }) => shard.index)
    expect(indexes[0]).toBeLessThan(32)
    expect(Math.max(...indexes)).toBeGreaterThan(1_024)
    expect(Math.max(...indexes)).toBeLessThan(2_048)
    world.refuse = undefined
    await reporter.write(41, large, none)
    world.readSizes.length = 0
    expect((await world.reporter(2).read(41)).unitsByKey.size).toBe(60)
    expect(Math.max(...world.readSizes)).toBeLessThanOrEqual(100)
  })

  test('are found by a reader that has never seen so many', async () => {
    const world = new World()
    world.units = 100_000
    const busy = Array.from({ length: 40 }, (_, i) => world.reporter(i + 1))
    for (const reporter of busy) await reporter.write(1, drawn({ hot: 1 }), none)
    for (const reporter of busy) for (let i = 0; i < 400; i++) await reporter.write(2, drawn({ [`hot:${i}`]: 1 }), none)
    expect(new Set(world.writes.map(({ shard }) => shard.index)).size).toBeGreaterThan(1_000)
    const { unitsByKey } = await world.reporter(99).read(2)
    expect(unitsByKey.size).toBe(400)
    for (const { units } of unitsByKey.values()) expect(units).toBe(40 * 22)
  })
})

describe('reading', () => {
  test('rejects when a place could not be read, since what is there would be missing', async () => {
    const world = new World()
    const reporter = world.reporter(1)
    await reporter.write(1, large, none)
    const failure = new BackendError('throttled', 'No room.')
    const store: RecordStore = {
      ...world.store,
      read: async ({ shards }) =>
        shards.map((_, i) =>
          i === shards.length - 1 ? { status: 'failed', error: failure } : { status: 'read', states: [undefined] },
        ),
    }
    await expect(world.reporter(1, { store }).read(1)).rejects.toBe(failure)
  })

  test('gives up after the request time-out', async () => {
    const world = new World()
    const store: RecordStore = { ...world.store, read: () => new Promise(() => {}) }
    const read = world.reporter(1, { store }).read(1)
    await expect(world.clock.run(read)).rejects.toMatchObject({ kind: 'unknown' })
    expect(world.clock.nowMs()).toBe(1_000)
  })
})

import { describe, expect, test } from 'vitest'

import {
  type Backend,
  BackendError,
  type ClientOptions,
  createClient,
  memory,
  type RecordStore,
  sum,
  type ThrottleDetail,
} from '../../../src/index.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import { FakeClock, PartitionedBackend, seededRandom } from '../../../src/testing.js'
import type { HeldItems } from '../../doubles/held-items.js'
import { ScriptedBackend } from '../../doubles/scripted-backend.js'

/** So little that every unit is drawn, and what is reported is what was counted. */
const writeUnitsPerSecond = 40

const refusal = (scope: ThrottleDetail['scope'] = 'key-range') =>
  new BackendError('throttled', 'No capacity.', { throttle: { reason: 'Full', scope } })

/** A client whose writes a test answers, and what it tells the fleet. */
async function telling(options: Pick<ClientOptions, 'collapse' | 'detection'> = {}) {
  const clock = new FakeClock()
  const backend = new ScriptedBackend(memory({ clock, writeUnitsPerSecond }))
  const client = await createClient({ ...options, backend, clock, random: seededRandom(1) })
  const counts = client.records('counts', { n: sum() })
  backend.holds.write = true
  const written: Promise<string>[] = []
  return {
    clock,
    client,
    backend,
    write: () =>
      written.push(
        counts.write('k', { n: 1 }).then(
          () => 'written',
          (error: unknown) => (error instanceof Error ? error.name : 'no error'),
        ),
      ),
    outcomes: () => Promise.all(written),
    /** Refuses what comes for so long. */
    refuse: async (ms: number, scope?: ThrottleDetail['scope']) => {
      for (const endMs = clock.nowMs() + ms; clock.nowMs() < endMs;) {
        for (const held of backend.heldWrites.splice(0)) held.fail(refusal(scope))
        await clock.advance(10)
      }
    },
    /** Lets through what is held and what comes; returns when all is reported. */
    serve: async () => {
      backend.holds.write = false
      for (const held of backend.heldWrites.splice(0)) held.pass()
      await clock.advance(5_000)
    },
    units: () => unitsIn(backend, 'k'),
  }
}

/** What reports say of a key, in all. */
function unitsIn({ reports }: ScriptedBackend, key: string): number {
  let units = 0
  for (const { changes } of reports)
    for (const entry of (changes[0]?.state ?? new Set()) as ReadonlySet<string>) {
      const [, count, interval, name] = /^s(\d+)\.(\d+)\.[^.]+\.(.+)$/.exec(entry) ?? []
      if (name === key) units += Number(count) * Number(interval)
    }
  return units
}

describe('what a process tells the fleet', () => {
  test('is what was consumed, where nothing was refused', async () => {
    const site = await telling()
    await site.serve()
    for (let i = 0; i < 50; i++) {
      site.write()
      await site.clock.advance(20)
    }
    await site.clock.advance(3_000)
    expect(await site.outcomes()).toEqual(Array.from({ length: 50 }, () => 'written'))
    expect(site.units()).toBe(site.backend.writes.length)
  })

  test('has a refused write once, and while it is still refused', async () => {
    const site = await telling()
    site.write()
    await site.refuse(3_000)
    expect(site.backend.writes.length).toBeGreaterThan(3)
    expect(site.units()).toBe(1)
    await site.serve()
    expect(await site.outcomes()).toEqual(['written'])
    expect(site.units()).toBe(1)
  })

  test('has what waited behind a refused write as the writes that it would have been', async () => {
    const site = await telling()
    for (let i = 0; i < 15; i++) {
      site.write()
      await site.refuse(200)
    }
    await site.serve()
    expect(new Set(await site.outcomes())).toEqual(new Set(['written']))
    expect(site.units()).toBe(15)
  })

  test.each([
    [100, 20],
    [500, 4],
    [0, 200],
  ])('has what crowds behind it once for each window of %i ms of a hot key, as it comes', async (windowMs, windows) => {
    const site = await telling({ collapse: { windowMs }, detection: { hotWritesPerSecond: 10, tickMs: 10 } })
    for (let ms = 0; ms < 2_000; ms += 10) {
      for (let i = 0; i < 5; i++) site.write()
      await site.refuse(10)
    }
    const whileRefusing = site.units()
    await site.serve()
    expect(new Set(await site.outcomes())).toEqual(new Set(['written']))
    expect(Math.abs(site.units() - windows)).toBeLessThanOrEqual(3 + windows / 20) // before it was hot, and after
    expect(whileRefusing).toBeGreaterThan(windows / 4) // the last epoch is not told yet
  })

  test('has a crowd that comes at once behind it as one', async () => {
    const site = await telling()
    site.write()
    await site.refuse(100)
    for (let i = 0; i < 1_000; i++) site.write()
    await site.refuse(2_000)
    await site.serve()
    expect(new Set(await site.outcomes())).toEqual(new Set(['written']))
    expect(site.units()).toBe(2)
  })

  test('has nothing more of writes that were refused for another reason, or not answered', async () => {
    const site = await telling()
    for (let i = 0; i < 10; i++) {
      site.write()
      await site.refuse(200, i % 2 === 0 ? 'other' : 'index-key-range')
    }
    expect(site.units()).toBe(0)
    site.backend.heldWrites.splice(0)
    await site.clock.advance(2_000) // timed out
    await site.serve()
    expect(new Set(await site.outcomes())).toEqual(new Set(['written']))
    expect(site.units()).toBe(2)
  })

  test('has a write that was given up after refusals, and not one that was refused otherwise', async () => {
    const site = await telling()
    site.write()
    await site.refuse(12_000)
    site.write()
    await site.refuse(12_000, 'other')
    await site.clock.advance(3_000)
    expect(await site.outcomes()).toEqual(['WriteRejectedError', 'WriteRejectedError'])
    expect(site.units()).toBe(1)
  })
})

describe('what a process tells the fleet of a collection', () => {
  const scopes = ['key-range', 'other'] as const

  test.each(scopes)('has each item once, though %s throttles refuse it again and again', async (scope) => {
    const clock = new FakeClock()
    const backend = new ScriptedBackend(memory({ clock, writeUnitsPerSecond }))
    const client = await createClient({ backend, clock, random: seededRandom(1) })
    const items = client.collection<{ readonly n: number }>('items')
    const store = backend.collections as HeldItems
    store.holds = () => true
    const many = Array.from({ length: 10 }, (_, i) => ({ sort: `many-${i}`, item: { n: i } }))
    const written = Promise.all([
      items.put('k', 'one', { n: 1 }),
      items.put('k', 'two', { n: 2 }),
      items.delete('k', 'three'),
      items.putMany('k', many, { appendOnly: true }),
    ])
    for (let ms = 0; ms < 3_000; ms += 10) {
      for (const held of store.held.slice()) held.fail(refusal(scope))
      await clock.advance(10)
    }
    expect(store.requests.length).toBeGreaterThan(16)
    expect(unitsIn(backend, 'k')).toBe(scope === 'key-range' ? 13 : 0)
    store.holds = () => false
    for (const held of store.held.slice()) await held.pass()
    await clock.run(written)
    await clock.advance(3_000)
    expect(unitsIn(backend, 'k')).toBe(13)
    await clock.run(client.close())
  })
})

/** As DynamoDB: a route need not be written to the very shard that is throttled before it becomes active. */
function stampless(backend: Backend): Backend {
  const { records } = backend
  const without: RecordStore = {
    write: (write, call) => records.write(write, call),
    read: (read, call) => records.read(read, call),
    seal: (shard, fields, call) => records.seal(shard, fields, call),
    absorb: (absorb, call) => records.absorb(absorb, call),
    clear: (shard, retentionMs, call) => records.clear(shard, retentionMs, call),
  }
  return { name: backend.name, capabilities: backend.capabilities, directory: backend.directory, records: without }
}

describe('a fleet whose partitions take a sixteenth of what one key is offered, or a tenth after collapsing', () => {
  const processCount = 20
  const offeredPerSecond = 16 * writeUnitsPerSecond
  const stepMs = 50
  /** None sees anything hot by itself, as in a fleet of thousands. */
  const detection = { hotWritesPerSecond: 1_000 }

  /** Offers writes evenly for so long; answers with the key's fanouts as they came, and with whether what was acknowledged is stored. */
  async function offered(seed: number, ms: number) {
    const clock = new FakeClock()
    const layout = { clock, seed, partitionCount: 256, writeUnitsPerSecond, delayMs: { min: 2, max: 6 } }
    const backend = new PartitionedBackend(stampless(memory({ clock, writeUnitsPerSecond })), layout)
    const random = seededRandom(seed)
    const starting = Array.from({ length: processCount }, () =>
      createClient({ backend, clock, detection, random: seededRandom(Math.floor(random.next() * 2 ** 32)) }),
    )
    const clients = await clock.run(Promise.all(starting))
    const records = clients.map((client) => client.records('counts', { n: sum() }, { dedupe: false }))
    const written: Promise<boolean>[] = []
    const fanouts: number[] = []
    for (const endMs = clock.nowMs() + ms; clock.nowMs() < endMs;) {
      for (let i = 0; i < (offeredPerSecond * stepMs) / 1_000; i++) {
        const one = records[Math.floor(random.next() * processCount)]?.write('hot', { n: 1 })
        if (one !== undefined)
          written.push(
            one.then(
              () => true,
              () => false,
            ),
          )
      }
      await clock.advance(stepMs)
      const { text } = await clock.run(backend.directory.read({ signal: new AbortController().signal }))
      const read = decodeDirectory(text ?? '').routes.get('hot')?.read ?? 1
      if (read !== (fanouts.at(-1) ?? 1)) fanouts.push(read)
    }
    const outcomes = await clock.run(Promise.all(written))
    const stored = await clock.run(records[0]?.read('hot') ?? Promise.reject(new Error('no client')))
    await clock.run(Promise.all(clients.map((client) => client.close())))
    return { fanouts, isExact: stored.n === outcomes.filter(Boolean).length }
  }

  test.each([1, 2, 3])('gives it half of what it needs, or all, in two steps, seed %i', async (seed) => {
    const { fanouts, isExact } = await offered(seed, 12_000)
    expect(fanouts[1] ?? fanouts[0]).toBeGreaterThanOrEqual(8) // by what came through it would be 4
    expect(Math.max(...fanouts)).toBeLessThanOrEqual(16)
    expect(isExact).toBe(true)
  })
})

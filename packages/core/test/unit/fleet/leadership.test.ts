import { describe, expect, test } from 'vitest'
import { Leadership } from '../../../src/fleet/leadership.js'
import type { Directory, Leader } from '../../../src/routing/directory.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'

const leaseMs = 3_000
const epochMs = 1_000
const timings = { leaseMs, retryHorizonMs: 300_000, sealRetentionMs: 86_400_000 }

/** A directory, and processes that see it at each refresh. */
class World {
  readonly clock = new FakeClock()
  directory: Directory = { madeMs: 0, counter: 0, timings, hashSeed: 1, routes: new Map() }
  readonly terms: (Leader | undefined)[] = []
  readonly processes: Process[] = []
  swaps = 0

  join(count: number): readonly Process[] {
    for (let i = 0; i < count; i++) this.processes.push(new Process(this, this.processes.length))
    return this.processes
  }

  leaders(): readonly Process[] {
    return this.processes.filter(({ leadership }) => leadership.leadsAt(this.clock.nowMs()))
  }

  /** Each that is not paused looks, and runs once an epoch at its own time with this share; at no time do two lead. */
  async run(ms: number, share = 8, hasRoutes = false): Promise<void> {
    for (const endMs = this.clock.nowMs() + ms; this.clock.nowMs() < endMs;) {
      for (const process of this.processes) process.step(share, hasRoutes)
      await this.clock.advance(50)
      if (this.leaders().length > 1) throw new Error('two lead at once')
    }
  }
}

class Process {
  readonly id: string
  readonly leadership: Leadership
  readonly errors: unknown[] = []
  readonly #world: World
  readonly #phaseMs: number
  #copy: Directory
  isPaused = false
  /** What happens to its swaps. */
  fate: 'done' | 'lost answer' | 'failed' = 'done'

  constructor(world: World, index: number) {
    this.#world = world
    this.#copy = world.directory
    this.id = `p${index}`
    const random = seededRandom(index + 1)
    this.#phaseMs = Math.floor(random.next() * 20) * 50
    this.leadership = new Leadership({
      clock: world.clock,
      random,
      id: this.id,
      leaseMs,
      onError: (error) => this.errors.push(error),
      routing: { latest: () => ({ directory: this.#copy }), swap: (change) => this.#swap(change) },
    })
  }

  step(share: number, hasRoutes: boolean): void {
    if (this.isPaused) return
    const nowMs = this.#world.clock.nowMs()
    const isItsTime = nowMs % epochMs === this.#phaseMs
    if (isItsTime && this.fate !== 'failed') this.#copy = this.#world.directory
    this.leadership.tick(nowMs)
    if (isItsTime) this.leadership.run(nowMs, share, hasRoutes)
  }

  async #swap(change: (directory: Directory) => Directory | undefined): Promise<boolean> {
    await Promise.resolve()
    if (this.fate === 'failed') throw new Error('down')
    const before = this.#copy
    const after = change(before)
    if (after === undefined) return true
    this.#world.swaps += 1
    if (after.counter !== before.counter + 1) throw new Error('a change without a number of its own')
    const isBeaten = this.#world.directory !== before
    if (!isBeaten) {
      this.#world.directory = after
      this.#world.terms.push(after.leader)
    }
    if (this.fate === 'lost answer') throw new Error('lost')
    this.#copy = this.#world.directory
    return !isBeaten
  }
}

describe('a fleet', () => {
  test('has no leader, and makes no request, while there is nothing to decide', async () => {
    const world = new World()
    world.join(20)
    await world.run(60_000, 0)
    expect(world.swaps).toBe(0)
  })

  test.each([1, 3, 20, 200])('of %i that write much has a leader within a few epochs', async (count) => {
    const world = new World()
    world.join(count)
    await world.run(count < 16 ? 6_000 : 3_000)
    expect(world.leaders()).toHaveLength(1)
  })

  test('that only has routes to look after has one, too', async () => {
    const world = new World()
    world.join(5)
    await world.run(15_000, 0, true)
    expect(world.leaders()).toHaveLength(1)
  })

  test('of a thousand finds one with less than two hundred swaps, and then it is one a lease', async () => {
    const world = new World()
    world.join(1_000)
    await world.run(4_000)
    expect(world.leaders()).toHaveLength(1)
    expect(world.swaps).toBeLessThan(200)
    const before = world.swaps
    await world.run(10 * leaseMs)
    expect(world.swaps - before).toBeGreaterThanOrEqual(9)
    expect(world.swaps - before).toBeLessThanOrEqual(11)
  })

  test('keeps its leader, whose term grows each lease', async () => {
    const world = new World()
    world.join(10)
    await world.run(5_000)
    const [leader] = world.leaders()
    await world.run(60_000)
    expect(world.leaders()).toEqual([leader])
    expect(world.terms.map((entry) => entry?.term)).toEqual(world.terms.map((_, i) => i + 1))
  })
})

/** A fleet, and who leads it. */
async function led(count = 10): Promise<readonly [World, Process]> {
  const world = new World()
  world.join(count)
  await world.run(8_000)
  return [world, world.leaders()[0] as Process]
}

describe('a leader', () => {
  test('that has died is followed by another three leases after its last term, and no sooner', async () => {
    const [world, leader] = await led()
    leader.isPaused = true
    const diedMs = world.clock.nowMs()
    while (world.directory.leader?.id === leader.id && world.clock.nowMs() < diedMs + 60_000) await world.run(50)
    const tookMs = world.clock.nowMs() - diedMs
    expect(tookMs).toBeGreaterThan(2 * leaseMs)
    expect(tookMs).toBeLessThan(3 * leaseMs + 6 * epochMs)
  })

  test('that was paused no longer leads when it comes back', async () => {
    const [world, leader] = await led()
    leader.isPaused = true
    await world.run(20_000)
    leader.isPaused = false
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(false)
    await world.run(20_000)
    expect(world.leaders()).toHaveLength(1)
    expect(world.leaders()).not.toContain(leader)
  })

  test('whose swaps fail stops two leases after the last that did not, and says why', async () => {
    const [world, leader] = await led(1)
    leader.fate = 'failed'
    await world.run(leaseMs)
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(true)
    await world.run(leaseMs)
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(false)
    expect(leader.errors.length).toBeGreaterThan(0)
    leader.fate = 'done'
    await world.run(2 * leaseMs)
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(true)
  })

  test('stops by the clock that a suspended machine sees, before anybody can follow it', async () => {
    const [world, leader] = await led(1)
    world.clock.jumpWall(2 * leaseMs)
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(false)
  })

  test('whose swap was done although its answer was lost leads after the next one', async () => {
    const world = new World()
    const [process] = world.join(1) as [Process]
    process.fate = 'lost answer'
    while (world.directory.leader === undefined) await world.run(50)
    expect(process.leadership.leadsAt(world.clock.nowMs())).toBe(false)
    process.fate = 'done'
    await world.run(2 * leaseMs)
    expect(process.leadership.leadsAt(world.clock.nowMs())).toBe(true)
    expect(world.directory.leader?.term).toBeGreaterThan(1)
  })

  test('resigns after five leases in which there was nothing to decide', async () => {
    const [world, leader] = await led()
    await world.run(5 * leaseMs - 1_000, 0)
    expect(world.directory.leader?.id).toBe(leader.id)
    await world.run(2 * leaseMs, 0)
    expect(world.directory.leader).toBeUndefined()
    expect(world.leaders()).toEqual([])
    const before = world.swaps
    await world.run(60_000, 0)
    expect(world.swaps).toBe(before)
  })

  test('that closes resigns at once, so that another follows without waiting', async () => {
    const [world, leader] = await led()
    leader.isPaused = true
    await leader.leadership.close(world.clock.nowMs())
    expect(world.directory.leader).toBeUndefined()
    expect(leader.leadership.leadsAt(world.clock.nowMs())).toBe(false)
    await world.run(6_000)
    expect(world.leaders()).toHaveLength(1)
  })

  test('is not put out of office by a process that closes', async () => {
    const [world, leader] = await led()
    const other = world.processes.find((process) => process !== leader) as Process
    await other.leadership.close(world.clock.nowMs())
    expect(world.leaders()).toEqual([leader])
  })
})

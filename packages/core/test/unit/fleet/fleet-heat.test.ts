import { describe, expect, test } from 'vitest'
import { FleetHeat, type HeatBounds } from '../../../src/fleet/fleet-heat.js'
import { activate, announce, drain, foresee } from '../../../src/routing/phases.js'
import type { Route } from '../../../src/routing/route.js'

const bounds: HeatBounds = { unitsPerShard: 700, fanoutMax: 64, coolMs: 60_000, declaredMs: 60_000, epochMs: 1_000 }
function routeOf(fanout: number): Route {
  return activate(announce(undefined, fanout, { number: 1, nonce: 0 }, 1), 2)
}

/** What reports say of a key that was drawn one unit in `interval`. */
function units(perEpoch: number, interval = 22): { units: number; variance: number } {
  return { units: perEpoch, variance: perEpoch * (interval - 1) }
}

/** A leader's heat, epoch by epoch; routes have been seen for ever. */
class World {
  readonly heat: FleetHeat
  routes = new Map<string, Route>()
  declared = new Map<string, number>()
  epoch = 100
  nowMs = 0

  constructor(some: Partial<HeatBounds> = {}) {
    this.heat = new FleetHeat({ ...bounds, ...some })
  }

  note(unitsOfKeys: Record<string, number>, interval?: number, reported = new Map<string, number>()): void {
    this.epoch += 1
    this.nowMs += bounds.epochMs
    const unitsByKey = new Map(Object.entries(unitsOfKeys).map(([key, count]) => [key, units(count, interval)]))
    this.heat.note(this.epoch, this.nowMs, { unitsByKey, declared: reported }, this.declared, this.routes)
  }

  noteFor(ms: number, unitsOfKeys: Record<string, number>, reported?: Map<string, number>): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) this.note(unitsOfKeys, undefined, reported)
  }

  wishes(): Record<string, number> {
    return Object.fromEntries(this.heat.wishes())
  }

  shrinks(seenForMs = Number.POSITIVE_INFINITY): Record<string, number> {
    return Object.fromEntries(this.heat.shrinks(this.nowMs, this.routes, () => seenForMs))
  }
}

describe('a key grows', () => {
  test.each([
    ['at once when one epoch leaves no doubt', [900], 2],
    ['when two epochs in a row are above what its shard is planned for', [750, 750], 2],
    ['to what its rate asks for at once', [20_000], 32],
    ['to no more than it may have', [500_000], 64],
  ] as [string, number[], number][])('%s', (_, epochs, fanout) => {
    const world = new World()
    for (const count of epochs) world.note({ hot: count, cold: 600 })
    expect(world.wishes()).toEqual({ hot: fanout })
  })

  test.each([
    ['for one epoch that may be chance', [750]],
    ['for two such epochs that are not neighbours', [750, 0, 750]],
    ['for what is below', [690, 690, 690]],
    ['any more once an epoch is below', [20_000, 100]],
  ])('not %s', (_, epochs) => {
    const world = new World()
    for (const count of epochs) world.note({ hot: count })
    expect(world.wishes()).toEqual({})
  })

  test('not for two such epochs between which one was not read', () => {
    const world = new World()
    world.note({ hot: 750 })
    world.epoch += 1
    world.note({ hot: 750 })
    expect(world.wishes()).toEqual({})
  })

  test('sooner the more often it was drawn', () => {
    const world = new World()
    world.note({ hot: 800 }, 6)
    expect(world.wishes()).toEqual({ hot: 2 })
    world.note({ hot: 0, other: 800 }, 22)
    expect(world.wishes()).toEqual({})
  })

  test('by what all its shards are planned for', () => {
    const world = new World()
    world.routes.set('hot', routeOf(8))
    world.note({ hot: 5_000 })
    expect(world.wishes()).toEqual({})
    world.note({ hot: 7_000 })
    expect(world.wishes()).toEqual({ hot: 16 })
  })

  test('before colder ones', () => {
    const world = new World()
    world.note({ warm: 2_000, hottest: 9_000, hot: 4_000 })
    expect([...world.heat.wishes().keys()]).toEqual(['hottest', 'hot', 'warm'])
  })

  test('among the 1,024 hottest only', () => {
    const world = new World()
    world.note(Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`key:${i}`, 1_000 + i])))
    expect(world.heat.wishes().size).toBe(1_024)
    expect(world.heat.wishes().has('key:2999')).toBe(true)
    expect(world.heat.wishes().has('key:0')).toBe(false)
  })
})

describe('a key shrinks', () => {
  test('to what has been enough for twice its rate for coolMs, and not before', () => {
    const world = new World()
    world.routes.set('hot', routeOf(16))
    world.note({ hot: 9_000 })
    world.noteFor(60_000, { hot: 1_000 })
    expect(world.shrinks().hot).not.toBe(4)
    world.noteFor(15_000, { hot: 1_000 })
    expect(world.shrinks()).toEqual({ hot: 4 })
  })

  test('to one shard when nothing is written any more', () => {
    const world = new World()
    world.routes.set('hot', routeOf(2))
    world.note({ hot: 1_000 })
    world.noteFor(64_000, {})
    expect(world.shrinks()).toEqual({ hot: 1 })
  })

  test('not while twice its rate needs what it has', () => {
    const world = new World()
    world.routes.set('hot', routeOf(2))
    world.noteFor(600_000, { hot: 500 })
    expect(world.shrinks()).toEqual({})
  })

  test('not when it is hot for a moment in every coolMs', () => {
    const world = new World()
    world.routes.set('hot', routeOf(4))
    for (let i = 0; i < 12; i++) {
      world.noteFor(3_000, { hot: 2_500 })
      world.noteFor(56_000, {})
      expect(world.shrinks()).toEqual({})
    }
  })

  test('not sooner than coolMs after its route has changed', () => {
    const world = new World()
    world.routes.set('hot', routeOf(4))
    world.noteFor(120_000, {})
    expect(world.shrinks(59_999)).toEqual({})
    expect(world.shrinks(60_000)).toEqual({ hot: 1 })
  })

  test('not in the middle of another step', () => {
    const world = new World()
    world.routes.set('hot', drain(foresee(routeOf(4), 2, 3), 2, 3))
    world.noteFor(120_000, {})
    expect(world.shrinks()).toEqual({})
  })

  test('not below what this process declares', () => {
    const world = new World()
    world.routes.set('hot', routeOf(16))
    world.declared.set('hot', 4)
    world.noteFor(120_000, {})
    expect(world.shrinks()).toEqual({ hot: 4 })
  })

  test('not below what another process declares, until it has long been silent', () => {
    const world = new World()
    world.routes.set('hot', routeOf(16))
    for (let i = 0; i < 4; i++) {
      world.note({}, undefined, new Map([['hot', 8]]))
      world.noteFor(29_000, {})
    }
    expect(world.shrinks()).toEqual({ hot: 8 })
    world.noteFor(125_000, {})
    expect(world.shrinks()).toEqual({ hot: 1 })
  })

  test('not before the reports of coolMs were read, whatever was seen before a gap', () => {
    const world = new World()
    world.routes.set('hot', routeOf(4))
    world.noteFor(59_000, {})
    world.epoch += 10
    world.nowMs += 10_000
    world.noteFor(59_000, {})
    expect(world.shrinks()).toEqual({})
    world.noteFor(5_000, {})
    expect(world.shrinks()).toEqual({ hot: 1 })
  })

  test('not on what is known when reports have not been read of late', () => {
    const world = new World()
    world.routes.set('hot', routeOf(4))
    world.noteFor(120_000, {})
    world.nowMs += 3_001
    expect(world.shrinks()).toEqual({})
  })

  test('at once where no time to cool is asked for, but never while it is hot', () => {
    const world = new World({ coolMs: 0, declaredMs: 3_000 })
    world.routes.set('hot', routeOf(4))
    world.noteFor(20_000, { hot: 2_500 })
    expect(world.shrinks()).toEqual({})
    world.noteFor(20_000, {})
    expect(world.shrinks()).toEqual({ hot: 1 })
  })
})

test('a leader that begins anew knows nothing of before', () => {
  const world = new World()
  world.routes.set('cooling', routeOf(4))
  world.noteFor(120_000, { hot: 900 })
  world.heat.reset()
  expect(world.wishes()).toEqual({})
  expect(world.shrinks()).toEqual({})
  world.noteFor(30_000, {})
  expect(world.shrinks()).toEqual({})
})

test('keys that are spread no more are forgotten', () => {
  const world = new World()
  world.routes.set('hot', routeOf(4))
  world.noteFor(120_000, {})
  world.routes = new Map()
  world.note({})
  world.routes = new Map([['hot', routeOf(4)]])
  world.note({})
  expect(world.shrinks()).toEqual({})
})

import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { decodeDirectory, encodeDirectory } from '../../../src/routing/directory.js'
import { activate, announce, drain, foresee, finish, settle } from '../../../src/routing/phases.js'
import { type Route, shardOf } from '../../../src/routing/route.js'

const stepNumbers = fc.array(fc.record({ doublings: fc.integer({ min: 1, max: 3 }), goesBack: fc.boolean() }), {
  minLength: 1,
  maxLength: 30,
})
type Step = typeof stepNumbers extends fc.Arbitrary<(infer S)[]> ? S : never

/** The next route of a life that is drawn: grows or shrinks where it may choose. */
function next(route: Route | undefined, step: Step, number: number): Route {
  const { phase, write } = route ?? { phase: 'cold', write: 1 }
  const generation = { number, nonce: number }
  switch (phase) {
    case 'cold':
      return announce(route, 2 ** step.doublings, generation, number)
    case 'announced':
      return activate(route!, number)
    case 'active':
      if (step.goesBack && write > 1) return shrink(route!, Math.max(1, write / 2 ** step.doublings), number)
      return announce(route, write * 2 ** step.doublings, generation, number)
    case 'draining':
      return settle(route!, number)
    case 'settled':
      return finish(route!, number)
    default:
      return phase satisfies never
  }
}

/** Foreseen first, where writes were never there; whoever draws the next step may change its mind then. */
function shrink(route: Route, fanout: number, number: number): Route {
  return route.writeHistory.includes(fanout) ? drain(route, fanout, number) : foresee(route, fanout, number)
}

/** Every route of a life, oldest first. */
function lifeOf(steps: readonly Step[]): Route[] {
  const routes: Route[] = []
  for (const [i, step] of steps.entries()) routes.push(next(routes.at(-1), step, i + 1))
  return routes
}

test('neighbouring phases are safe beside each other: each reads where the other writes, at the same places', () => {
  const property = fc.property(stepNumbers, (steps) => {
    let before: Route | undefined
    for (const route of lifeOf(steps)) {
      const [beforeRead, beforeWrite] = [before?.read ?? 1, before?.write ?? 1]
      expect(route.write).toBeLessThanOrEqual(beforeRead)
      expect(beforeWrite).toBeLessThanOrEqual(route.read)
      for (let i = 0; i < Math.max(route.write, beforeWrite); i++)
        expect(shardOf('k', route, i)).toEqual(shardOf('k', before, i))
      before = route
    }
  })
  fc.assert(property)
})

test('a route keeps its shape: powers of two, a generation a doubling, all fanouts that its items may lie under', () => {
  const property = fc.property(stepNumbers, (steps) => {
    const writtenUnder = new Set([1])
    for (const route of lifeOf(steps)) {
      expect(route.write).toBeLessThanOrEqual(route.read)
      expect(Number.isInteger(Math.log2(route.read)) && Number.isInteger(Math.log2(route.write))).toBe(true)
      // What is left of the shards that a settled route has given up must still be found.
      const given = route.generations.length - Math.log2(route.read)
      expect([given > 0, given >= 0]).toEqual([route.phase === 'settled', true])
      writtenUnder.add(route.write)
      // Settling, whatever lies above has been copied below.
      if (route.phase === 'settled') for (const w of writtenUnder) if (w > route.write) writtenUnder.delete(w)
      expect(route.writeHistory).toEqual(expect.arrayContaining([...writtenUnder]))
      expect(Math.max(...route.writeHistory)).toBeLessThanOrEqual(route.read)
    }
  })
  fc.assert(property)
})

test('no place is used in two lives of a shard', () => {
  const property = fc.property(stepNumbers, (steps) => {
    const openSince = new Map<number, number>()
    const used = new Set<string>()
    for (const route of lifeOf(steps)) {
      for (const index of openSince.keys()) if (index >= route.read) openSince.delete(index)
      for (let index = 1; index < route.read; index++) {
        const { generation } = shardOf('k', route, index)
        const place = `${index}.${generation.number}`
        if (openSince.get(index) === generation.number) continue
        expect(used.has(place)).toBe(false)
        used.add(place)
        openSince.set(index, generation.number)
      }
    }
  })
  fc.assert(property)
})

/** No client makes a route that is wider, and none accepts one. */
function isWithinLimits({ read }: Route): boolean {
  return read <= 1_024
}

test('a directory survives its encoding, whatever its keys are called', () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('__proto__', 'constructor', 'toString', '', 'routes', '"', '\\'),
  )
  const whole = fc.maxSafeNat()
  const route: fc.Arbitrary<Route> = stepNumbers.map((steps) => lifeOf(steps).findLast(isWithinLimits) as Route)
  const directory = fc.record({
    madeMs: whole,
    counter: whole,
    timings: fc.record({ leaseMs: whole, retryHorizonMs: whole, sealRetentionMs: whole }),
    hashSeed: fc.integer({ min: 0, max: 0xffffffff }),
    routes: fc.array(fc.tuple(key, route), { maxLength: 8 }).map((entries) => new Map(entries)),
  })
  const property = fc.property(directory, (given) => {
    expect(decodeDirectory(encodeDirectory(given))).toEqual(given)
  })
  fc.assert(property)
})

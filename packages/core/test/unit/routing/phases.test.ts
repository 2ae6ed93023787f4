import { describe, expect, test } from 'vitest'
import { activate, announce, drain, finish, foresee, settle } from '../../../src/routing/phases.js'
import { type Route, shardOf, shardsToRead, shardToWrite } from '../../../src/routing/route.js'

const opening = (number: number) => ({ number, nonce: number * 7 })

/** A route in each phase: grown to 8 and taken back to 2. */
const announced = announce(undefined, 8, opening(1), 1)
const active = activate(announced, 2)
const draining = drain(foresee(active, 2, 3), 2, 3)
const settled = settle(draining, 4)
const cold = finish(settle(drain(active, 1, 3), 4), 5)
const routes: Record<Route['phase'], Route> = { cold, announced, active, draining, settled }

const steps: Record<string, { readonly after: readonly Route['phase'][]; take(route: Route): Route }> = {
  announce: { after: ['cold', 'active'], take: (route) => announce(route, 16, opening(9), 9) },
  activate: { after: ['announced'], take: (route) => activate(route, 9) },
  drain: { after: ['active'], take: (route) => drain(route, 1, 9) },
  foresee: { after: ['active'], take: (route) => foresee(route, 4, 9) },
  settle: { after: ['draining'], take: (route) => settle(route, 9) },
  finish: { after: ['settled'], take: (route) => finish(route, 9) },
}

const pairs = Object.entries(steps).flatMap(([name, step]) =>
  (Object.keys(routes) as Route['phase'][]).map((phase) => ({ name, step, phase })),
)
const legal = pairs.filter(({ step, phase }) => step.after.includes(phase))
const illegal = pairs.filter(({ step, phase }) => !step.after.includes(phase))

describe('steps of a route', () => {
  test.each(legal)('$name may follow $phase', ({ step, phase }) => {
    const before = JSON.stringify(routes[phase])
    expect(step.take(routes[phase]).revision).toBe(9)
    expect(JSON.stringify(routes[phase])).toBe(before)
  })

  test.each(illegal)('$name may not follow $phase', ({ name, step, phase }) => {
    expect(() => step.take(routes[phase])).toThrow(new RegExp(`^route: ${name} may follow .*, not ${phase}$`))
  })

  test('lead from cold to active, with reads ahead of writes', () => {
    expect(announced).toMatchObject({ phase: 'announced', read: 8, write: 1, writeHistory: [1] })
    expect(active).toMatchObject({ phase: 'active', read: 8, write: 8, writeHistory: [1, 8] })
  })

  test('lead back with writes ahead of reads, and remember every fanout that was written under', () => {
    expect(draining).toMatchObject({ phase: 'draining', read: 8, write: 2, writeHistory: [1, 8, 2] })
    expect(settled).toMatchObject({ phase: 'settled', read: 2, write: 2, writeHistory: [1, 2] })
    expect(finish(settled, 5)).toMatchObject({ phase: 'active', read: 2, write: 2, writeHistory: [1, 2] })
    expect(cold).toMatchObject({ phase: 'cold', read: 1, write: 1, generations: [], writeHistory: [1] })
  })

  test.each([0, 1, 3, 8, 7.5, Number.NaN])('do not grow a fanout of 8 to %s', (fanout) => {
    expect(() => announce(active, fanout, opening(2), 9)).toThrow(RangeError)
  })

  test.each([0, 3, 8, 16, 0.5])('do not take a fanout of 8 back to %s', (fanout) => {
    expect(() => drain(active, fanout, 9)).toThrow(RangeError)
    expect(() => foresee(active, fanout, 9)).toThrow(RangeError)
  })

  test('take a fanout back only to where readers look already', () => {
    expect(() => drain(active, 4, 9)).toThrow(RangeError)
    expect(foresee(active, 4, 9)).toMatchObject({ phase: 'active', read: 8, write: 8, writeHistory: [1, 8, 4] })
    expect(drain(foresee(active, 4, 9), 4, 10)).toMatchObject({ phase: 'draining', read: 8, write: 4 })
  })

  test('open the shards of a growth in a generation of its own, and leave the others where they are', () => {
    const grown = announce(finish(settled, 5), 8, opening(6), 7)
    expect(grown.generations).toEqual([opening(1), opening(6), opening(6)])
    expect(shardOf('k', grown, 1)).toEqual(shardOf('k', active, 1))
    expect(shardOf('k', grown, 2)).not.toEqual(shardOf('k', active, 2))
  })
})

describe('shards of a route', () => {
  test('are the key itself where there is no route', () => {
    const own = { key: 'k', index: 0, generation: { number: 0, nonce: 0 } }
    expect(shardsToRead('k', undefined)).toEqual([own])
    expect(shardToWrite('k', undefined, 12_345)).toEqual(own)
    expect(() => shardOf('k', undefined, 1)).toThrow(RangeError)
    expect(() => shardOf('k', finish(settled, 6), 2)).toThrow(RangeError)
  })

  test('are read up to `read` and written up to `write`', () => {
    expect(shardsToRead('k', draining).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    const written = new Set(Array.from({ length: 64 }, (_, hash) => shardToWrite('k', draining, hash).index))
    expect([...written].toSorted((a, b) => a - b)).toEqual([0, 1])
  })
})

import { describe, expect, test } from 'vitest'
import type { Directory } from '../../../src/routing/directory.js'
import { heal } from '../../../src/routing/heal.js'
import { activate, announce } from '../../../src/routing/phases.js'
import type { Route } from '../../../src/routing/route.js'

const timings = { leaseMs: 3, retryHorizonMs: 4, sealRetentionMs: 5 }

/** A directory of one of two makings. */
function directory(making: 1 | 2, counter: number, routes: Record<string, Route>): Directory {
  return { madeMs: making * 100, counter, timings, hashSeed: 7 - making, routes: new Map(Object.entries(routes)) }
}

const announced = announce(undefined, 8, { number: 10, nonce: 1 }, 11)
const active = activate(announced, 12)
const other = announce(undefined, 2, { number: 20, nonce: 2 }, 21)

describe('healing', () => {
  test('changes nothing where nothing is missing', () => {
    const remembered = directory(1, 12, { a: active })
    expect(heal(remembered, remembered)).toBeUndefined()
    expect(heal(remembered, directory(1, 21, { a: active, b: other }))).toBeUndefined()
    expect(heal(directory(1, 11, { a: announced }), remembered)).toBeUndefined()
    expect(heal(directory(1, 0, {}), remembered)).toBeUndefined()
  })

  test('brings back a directory that vanished, with its seed and a counter well ahead', () => {
    const remembered = directory(1, 12, { a: active })
    expect(heal(remembered, undefined)).toEqual({ ...remembered, healCount: 1, counter: 1_012 })
  })

  test('brings back a route that is missing, and one that is shown in an earlier revision', () => {
    const remembered = directory(1, 21, { a: active, b: other })
    expect(heal(remembered, directory(1, 11, { a: announced }))).toEqual({
      ...remembered,
      healCount: 1,
      counter: 1_021,
    })
  })

  test('keeps what others changed later', () => {
    const healed = heal(directory(1, 12, { a: active }), directory(1, 21, { a: announced, b: other }))
    expect(healed?.routes).toEqual(new Map([['a', active]]).set('b', other))
  })

  test('of two routes under one revision keeps that of the higher generation, whoever remembers it', () => {
    const low = announce(undefined, 8, { number: 10, nonce: 1 }, 11)
    const high = announce(undefined, 2, { number: 10, nonce: 2 }, 11)
    expect(heal(directory(1, 11, { a: high }), directory(1, 11, { a: low }))?.routes.get('a')).toBe(high)
    expect(heal(directory(1, 11, { a: low }), directory(1, 11, { a: high }))).toBeUndefined()
  })

  test('prefers the directory that was made first to one that a newcomer made, which loses only what both have', () => {
    const elder = directory(1, 12, { a: active })
    const younger = directory(2, 21, { a: other, b: other })
    const merged = { ...elder, healCount: 1, counter: 1_021, routes: new Map([['a', active]]).set('b', other) }
    expect(heal(elder, younger)).toEqual(merged)
    expect(heal(younger, merged)).toBeUndefined()
    expect(heal(younger, elder)).toEqual(merged)
  })

  test('keeps the seed of the directory that was made first, also where nothing is spread', () => {
    const elder = directory(1, 0, {})
    expect(heal(elder, directory(2, 0, {}))).toEqual({ ...elder, healCount: 1, counter: 1_000 })
    expect(heal(directory(2, 0, {}), elder)).toBeUndefined()
  })
})

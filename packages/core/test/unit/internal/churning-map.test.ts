import { describe, expect, test } from 'vitest'

import { ChurningMap } from '../../../src/internal/churning-map.js'

describe('a map whose entries come and go', () => {
  test('holds what a Map holds, however often it has moved to a new one', () => {
    const map = new ChurningMap<string, number>()
    const exact = new Map<string, number>()
    for (let i = 0; i < 20_000; i++) {
      map.set(`key ${i}`, i)
      exact.set(`key ${i}`, i)
      const gone = `key ${i - (i % 300)}`
      expect(map.delete(gone)).toBe(exact.delete(gone))
    }
    expect([...map.values()]).toEqual([...exact.values()])
    expect(map.size).toBe(exact.size)
    for (const [key, value] of exact) expect(map.get(key)).toBe(value)
    expect(map.get('never set')).toBeUndefined()
  })

  test('lets an iteration reach every entry that was there, when others are set meanwhile', () => {
    const map = new ChurningMap<number, number>()
    for (let i = 0; i < 100; i++) map.set(i, i)
    const seen: number[] = []
    for (const value of map.values()) {
      if (value < 100) seen.push(value)
      for (let i = 0; i < 50; i++) {
        map.set(1_000 + i, 1_000 + i)
        map.delete(1_000 + i)
      }
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })
})

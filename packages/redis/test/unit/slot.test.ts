import { reservedMark } from '@spillway/core'
import { describe, expect, test } from 'vitest'

import { placeOf } from '../../src/physical-key.js'
import { slotCount, slotOf, tailFor, tailLength, crc16 } from '../../src/slot.js'

const keys = [
  'user',
  '',
  'é',
  '👋',
  'a{b',
  'a}b',
  'a{}b',
  '{}',
  '{a}',
  'x{tag}y',
  'x{tag}y{other}',
  '{{a}}',
  'a{b}{',
  '}{a}',
]

function shardOf(key: string, index: number, number = 7, nonce = 0xc0ffee) {
  return { key, index, generation: { number, nonce } }
}

describe('slots', () => {
  test('are those of the cluster specification', () => {
    expect(crc16('123456789')).toBe(0x31c3)
    expect(slotOf('foo{bar}')).toBe(slotOf('bar'))
    expect(slotOf('foo')).toBe(12_182)
    expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'))
  })

  test('can all be reached from any state by a tail', () => {
    for (const state of [0, 1, 0xffff, 0x1234]) {
      const reached = new Set<number>()
      for (let slot = 0; slot < slotCount; slot++) {
        const tail = tailFor(state, slot)
        if (tail.length === tailLength && crc16(tail, state) % slotCount === slot) reached.add(slot)
      }
      expect(reached.size).toBe(slotCount)
    }
  })
})

describe('places', () => {
  test('of shard 0 are the key, byte for byte', () => {
    for (const key of keys) expect(placeOf(shardOf(key, 0, 0, 0))).toBe(key)
  })

  test('keep a hash tag, with the suffix inside its braces', () => {
    expect(placeOf(shardOf('x{tag}y', 1))).toMatch(/^x\{tag~spillway~1\.7\.00c0ffee\....\}y$/)
    expect(placeOf(shardOf('user', 3))).toMatch(/^user~spillway~3\.7\.00c0ffee\....$/)
  })

  test.each(keys)('of %j stand at equal distances on the ring of slots, for every power of two', (key) => {
    for (const fanout of [2, 4, 16, 64, 1_024]) {
      const slots = Array.from({ length: fanout }, (_, i) => slotOf(placeOf(shardOf(key, i)))).toSorted((a, b) => a - b)
      const distances = slots.slice(1).map((slot, i) => slot - (slots[i] as number))
      expect(new Set(distances)).toEqual(new Set([slotCount / fanout]))
    }
  })

  test('differ for every key, index and generation', () => {
    const places = keys.flatMap((key) =>
      [
        [1, 7, 1],
        [11, 7, 1],
        [1, 17, 1],
        [1, 7, 2],
        [2, 7, 1],
        [1, 2 ** 45, 0xffffffff],
      ].map(([index, number, nonce]) => placeOf(shardOf(key, index as number, number, nonce))),
    )
    expect(new Set(places).size).toBe(places.length)
    for (const place of places) expect(place).toContain(reservedMark)
  })
})

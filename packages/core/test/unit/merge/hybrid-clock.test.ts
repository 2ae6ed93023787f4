import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../src/testing.js'
import { HybridClock } from '../../../src/merge/hybrid-clock.js'
import { compareStamps, type Stamp } from '../../../src/merge/stamp.js'

const startMs = 1_000_000
const skewMaxMs = 60_000

function clocks(): { wall: FakeClock; stamps: HybridClock } {
  const wall = new FakeClock({ wallMs: startMs })
  return { wall, stamps: new HybridClock(wall, 'w', skewMaxMs) }
}

function seen(timeMs: number, order = 0): Stamp {
  return { timeMs, order, writer: 'other' }
}

describe('a hybrid clock', () => {
  test('follows the wall clock and orders what falls into one millisecond', async () => {
    const { wall, stamps } = clocks()
    expect(stamps.next()).toEqual({ timeMs: startMs, order: 0, writer: 'w' })
    expect(stamps.next()).toEqual({ timeMs: startMs, order: 1, writer: 'w' })
    await wall.advance(1)
    expect(stamps.next()).toEqual({ timeMs: startMs + 1, order: 0, writer: 'w' })
  })

  test('never goes back when the wall clock does', () => {
    const { wall, stamps } = clocks()
    const before = stamps.next()
    wall.jumpWall(-5_000)
    expect(compareStamps(stamps.next(), before)).toBeGreaterThan(0)
  })

  test('stamps later than anything that it has been shown', () => {
    const { stamps } = clocks()
    stamps.observe(seen(startMs + 500, 7))
    expect(stamps.next()).toEqual({ timeMs: startMs + 500, order: 8, writer: 'w' })
    stamps.observe(seen(startMs + 500, 3))
    expect(stamps.next().order).toBe(9)
    stamps.observe(seen(startMs + 500, 20))
    expect(stamps.next().order).toBe(21)
    stamps.observe(seen(startMs - 1, 99))
    expect(stamps.next()).toMatchObject({ timeMs: startMs + 500, order: 22 })
  })

  test('follows a stamp that is ahead by the skew allowed, and not one that is a millisecond further', () => {
    const { stamps } = clocks()
    stamps.observe(seen(startMs + skewMaxMs + 1))
    expect(stamps.next().timeMs).toBe(startMs)
    stamps.observe(seen(startMs + skewMaxMs))
    expect(stamps.next().timeMs).toBe(startMs + skewMaxMs)
  })
})

describe('compareStamps', () => {
  test('goes by time, then order, then writer', () => {
    const stamps: Stamp[] = [
      { timeMs: 1, order: 9, writer: 'z' },
      { timeMs: 2, order: 0, writer: 'z' },
      { timeMs: 2, order: 1, writer: 'a' },
      { timeMs: 2, order: 1, writer: 'b' },
    ]
    expect(stamps.toReversed().toSorted(compareStamps)).toEqual(stamps)
    expect(compareStamps(seen(1, 1), seen(1, 1))).toBe(0)
  })
})

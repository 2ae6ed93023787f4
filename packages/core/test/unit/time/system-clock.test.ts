import { afterEach, describe, expect, test, vi } from 'vitest'

import { SystemClock } from '../../../src/time/system-clock.js'

let wallMs = 1_000_000
let monotonicMs = 500

/** The machine's clocks, set by hand: neither can be made to stand still or to jump for real. */
function clockOfMachine(): SystemClock {
  vi.spyOn(Date, 'now').mockImplementation(() => wallMs)
  vi.spyOn(performance, 'now').mockImplementation(() => monotonicMs)
  return new SystemClock()
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('elapsed time', () => {
  test('goes by the wall clock where the monotonic one stood still, as in a suspend', () => {
    const clock = clockOfMachine()
    const beganMs = clock.nowMs()
    wallMs += 60_000
    monotonicMs += 5
    expect(clock.nowMs() - beganMs).toBe(59_999) // less the millisecond that a wall clock may have rounded up
    expect(clock.monotonicMs()).toBe(monotonicMs)
  })

  test('goes by the monotonic clock where the wall clock is set back', () => {
    const clock = clockOfMachine()
    const beganMs = clock.nowMs()
    wallMs -= 3_600_000
    monotonicMs += 40
    expect(clock.nowMs() - beganMs).toBe(40)
    expect(clock.wallMs()).toBe(wallMs)
  })

  test('adds up the larger delta from question to question, so that two jumps do not cancel each other', () => {
    const clock = clockOfMachine()
    const beganMs = clock.nowMs()
    wallMs += 10_001
    expect(clock.nowMs() - beganMs).toBe(10_000)
    wallMs -= 10_001
    monotonicMs += 7
    expect(clock.nowMs() - beganMs).toBe(10_007)
  })

  test('does not go back, and does not drift by the rounding of a wall clock that ticks in whole milliseconds', () => {
    const clock = clockOfMachine()
    const beganMs = clock.nowMs()
    for (let i = 0; i < 1_000; i++) {
      monotonicMs += 0.5
      wallMs += i % 2
      clock.nowMs()
    }
    expect(clock.nowMs() - beganMs).toBe(500)
    wallMs -= 5
    expect(clock.nowMs() - beganMs).toBe(500)
  })
})

test("without interference it keeps pace with the machine's own", () => {
  const clock = new SystemClock()
  const [beganMs, machineBeganMs] = [clock.nowMs(), performance.now()]
  let machineMs = 0
  while (machineMs < 20) machineMs = performance.now() - machineBeganMs
  expect(clock.nowMs() - beganMs).toBeGreaterThanOrEqual(20)
})

import { describe, expect, test } from 'vitest'
import { createClient, memory, sum } from '../../../src/index.js'
import { FakeClock, type FakeClockOptions, FaultyBackend, seededRandom } from '../../../src/testing.js'
import { refusalOf, refusalsOf } from '../../doubles/refusal.js'

const wait = (clock: FakeClock, ms: number) => new Promise<number>((resolve) => clock.setTimer(() => resolve(ms), ms))

describe('run', () => {
  test('brings about a client on a backend that takes time, which awaited alone would never open', async () => {
    const clock = new FakeClock()
    const random = seededRandom(1)
    const backend = new FaultyBackend(memory(), { clock, random, faults: { delayMs: { min: 20, max: 30 } } })
    const client = await clock.run(createClient({ backend, clock, random }))
    const posts = client.records('post', { views: sum() })
    await clock.run(posts.write('p1', { views: 2 }))
    expect(await clock.run(posts.read('p1'))).toEqual({ views: 2 })
    await clock.run(client.close())
    expect(clock.nowMs()).toBeGreaterThan(60)
  })

  test('stops at the timer that settles the promise, and leaves the later ones alone', async () => {
    const clock = new FakeClock()
    const later = wait(clock, 900)
    expect(await clock.run(wait(clock, 250))).toBe(250)
    expect(clock.nowMs()).toBe(250)
    expect(clock.timerCount).toBe(1)
    await clock.run(later)
    expect(clock.nowMs()).toBe(900)
  })

  test('does not move time for a promise that is settled already', async () => {
    const clock = new FakeClock()
    expect(await clock.run(Promise.resolve(5))).toBe(5)
    await expect(clock.run(Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(clock.nowMs()).toBe(0)
  })

  test('moves in steps of the size that is given', async () => {
    const clock = new FakeClock()
    await clock.run(wait(clock, 250), 100)
    expect(clock.nowMs()).toBe(300)
  })

  test('gives up after ten minutes of its own time, timers or none', async () => {
    const clock = new FakeClock()
    const tick = () => void clock.setTimer(tick, 500)
    tick()
    const message =
      'Error: The promise did not settle in 600000 ms of virtual time: no timer of this clock brings it about.'
    expect(await refusalOf(() => clock.run(new Promise(() => undefined)))).toBe(message)
    expect(clock.nowMs()).toBe(600_000)
    const idle = new FakeClock()
    expect(await refusalOf(() => idle.run(new Promise(() => undefined), 7_000))).toBe(message)
    expect(idle.nowMs()).toBe(600_000)
  })
})

test('times that make no sense are refused, and time stays', async () => {
  const clock = new FakeClock()
  const cases: Record<string, () => unknown> = {
    'advance NaN': () => clock.advance(Number.NaN),
    'advance for ever': () => clock.advance(Infinity),
    'advance back': () => clock.advance(-1),
    'advance by nothing': () => (clock.advance as () => unknown).call(clock),
    'pause back': () => clock.pause(-1),
    'pause NaN': () => clock.pause(Number.NaN),
    'jump NaN': () => clock.jumpWall(Number.NaN),
    'run no promise': () => clock.run((() => undefined) as unknown as Promise<void>),
    'run in steps of 0': () => clock.run(Promise.resolve(), 0),
    'begin NaN': () => new FakeClock({ nowMs: Number.NaN }),
    'begin with an unknown option': () => new FakeClock({ now: 5 } as FakeClockOptions),
  }
  expect(await refusalsOf(cases, (call) => call())).toMatchInlineSnapshot(`
    {
      "advance NaN": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was NaN.",
      "advance back": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was -1.",
      "advance by nothing": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was undefined.",
      "advance for ever": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was Infinity.",
      "begin NaN": "INVALID_ARGUMENT: nowMs must be a finite number, but was NaN.",
      "begin with an unknown option": "INVALID_ARGUMENT: options must be made of nowMs, wallMs, but was "now".",
      "jump NaN": "INVALID_ARGUMENT: byMs must be a finite number, but was NaN.",
      "pause NaN": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was NaN.",
      "pause back": "INVALID_ARGUMENT: byMs must be a finite number of at least 0, but was -1.",
      "run in steps of 0": "INVALID_ARGUMENT: stepMs must be a number above 0, but was 0.",
      "run no promise": "INVALID_ARGUMENT: promise must be a promise, but was a function.",
    }
  `)
  expect([clock.nowMs(), clock.wallMs()]).toEqual([0, 1_700_000_000_000])
})

import { expect, test } from 'vitest'

import { type Clock, createClient, memory, sum } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { HeldBackend } from '../../simulation/held-backend.js'

/** A clock that knows whether its timers would keep a process alive. */
function watchedClock() {
  const fake = new FakeClock()
  const alive = new Set<object>()
  const clock: Clock = {
    nowMs: () => fake.nowMs(),
    monotonicMs: () => fake.monotonicMs(),
    wallMs: () => fake.wallMs(),
    setTimer(callback, delayMs, options) {
      const id = {}
      const timer = fake.setTimer(() => {
        alive.delete(id)
        callback()
      }, delayMs)
      if (options?.isBackground !== true) alive.add(id)
      return {
        clear() {
          alive.delete(id)
          timer.clear()
        },
        keepAlive: () => alive.add(id),
      }
    },
  }
  return { fake, clock, alive }
}

test('a process stays alive while a request has no answer, and no longer', async () => {
  const { fake, clock, alive } = watchedClock()
  const backend = new HeldBackend(memory())
  const client = await createClient({ backend, clock, random: seededRandom(1), limits: { writeTimeoutMs: 500 } })
  const records = client.records('r', { n: sum() })
  await fake.advance(1_000)
  expect(alive.size).toBe(0)
  backend.holds = (operation) => operation === 'write' || operation === 'read'
  const writing = records.write('k', { n: 1 }).catch((error: unknown) => error)
  expect(alive.size).toBe(1)
  await fake.advance(400)
  expect(alive.size).toBeGreaterThan(0)
  await fake.advance(2_000)
  expect(await writing).toMatchObject({ code: 'WRITE_UNKNOWN' })
  await fake.advance(100)
  expect(alive.size).toBe(0)
  const reading = records.read('k').catch((error: unknown) => error)
  expect(alive.size).toBe(1)
  await fake.advance(10_000)
  expect(await reading).toMatchObject({ code: 'READ_FAILED' })
  await fake.advance(100)
  expect(alive.size).toBe(0)
})

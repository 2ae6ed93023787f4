import { describe, expect, test, vi } from 'vitest'
import { type Backend, BackendError, type ClientEvents, memory, sum } from '../../../src/index.js'
import { decodeDirectory } from '../../../src/routing/directory.js'
import { FakeClock } from '../../../src/testing.js'
import { opened, throttled } from '../../doubles/opened.js'
import { shortLease } from '../../doubles/spread.js'
import { call } from '../backend/requests.js'

const rules = [{ match: 'hot', fanout: 2 }]

/** Ways in which a directory refuses a swap. */
const refusals: Record<string, () => Promise<string | undefined>> = {
  throttled: () => Promise.reject(throttled),
  unavailable: () => Promise.reject(new BackendError('unavailable', 'The directory is down.')),
  'in conflict': () => Promise.resolve(undefined),
}

describe('a directory that refuses swaps', () => {
  test.each(Object.entries(refusals))('because it is %s is asked at growing intervals', async (_, refuse) => {
    const clock = new FakeClock()
    const inner = memory()
    const state = { isRefusing: false, swapsMs: [] as number[] }
    const store: Backend = {
      ...inner,
      directory: {
        read: (c) => inner.directory.read(c),
        swap: (expected, text, c) => {
          state.swapsMs.push(clock.nowMs())
          return state.isRefusing ? refuse() : inner.directory.swap(expected, text, c)
        },
      },
    }
    await opened({ store, clock, sharding: { rules } })
    state.isRefusing = true
    state.swapsMs = []
    await clock.advance(10_000)
    expect(state.swapsMs.length).toBeGreaterThan(8)
    expect(state.swapsMs.length).toBeLessThan(45)
    expect(state.swapsMs.filter((ms) => ms > 9_000).length).toBeLessThan(
      state.swapsMs.filter((ms) => ms < 1_000).length,
    )
    state.isRefusing = false
    await clock.advance(1_100)
    expect(decodeDirectory((await store.directory.read(call)).text ?? '').routes.get('hot')?.phase).toBe('announced')
  })

  test('is asked again soon when it had accepted one in between', async () => {
    const { backend, clock } = await opened({ routing: shortLease, sharding: { rules } })
    backend.holds.directory = true
    /** Lets reads through, and answers the next swap; gives back the time that it took to come. */
    const answerSwap = async (answer: 'pass' | 'fail') => {
      const fromMs = clock.nowMs()
      for (;;) {
        for (const held of backend.heldDirectory.splice(0)) {
          if (held.request.operation === 'swap') {
            if (answer === 'pass') held.pass()
            else held.fail(throttled)
            await clock.advance(0)
            return clock.nowMs() - fromMs
          }
          held.pass()
        }
        await clock.advance(10)
      }
    }
    for (let i = 0; i < 8; i++) await answerSwap('fail')
    await answerSwap('pass') // announced
    await answerSwap('fail') // and to be active: the first refusal of a new row
    expect(await answerSwap('pass')).toBeLessThanOrEqual(25 + 50 + 10)
  })
})

/** A client whose pattern matches far more keys than there is room for, all of which are written again and again. */
async function overfilled() {
  const world = await opened({
    routing: { ...shortLease, directoryBytesMax: 1_024 },
    sharding: { rules: [{ match: /^tenant-/, fanout: 2 }] },
  })
  const posts = world.client.records('post', { views: sum() })
  const full: ClientEvents['directory-full'][] = []
  world.client.on('directory-full', (event) => full.push(event))
  const step = async () => {
    for (let i = 0; i < 200; i++) void posts.write(`tenant-${i}`, { views: 1 })
    await world.clock.advance(50)
  }
  return { ...world, full, step }
}

describe('a directory that a pattern overfills', () => {
  test('names no key twice for one version of it', async () => {
    const { backend, full, step } = await overfilled()
    const versions = new Set<string>()
    for (let i = 0; i < 40; i++) {
      await step()
      const { text = '' } = await backend.directory.read(call)
      versions.add(JSON.stringify((JSON.parse(text) as { routes: unknown }).routes)) // who leads says nothing of them
    }
    expect(versions.size).toBe(2) // announced, active
    expect(full.length).toBeGreaterThan(0)
    expect(full.length).toBeLessThanOrEqual(versions.size)
    const { text = '' } = await backend.directory.read(call)
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(1_024)
    expect(decodeDirectory(text).routes.size).toBeGreaterThan(8)
  })

  test('is encoded once for all wishes, and not at all while it stays full', async () => {
    const { full, step } = await overfilled()
    const encoding = vi.spyOn(JSON, 'stringify')
    try {
      await step()
      const characters = encoding.mock.results.reduce((total, { value }) => total + String(value).length, 0)
      expect(characters).toBeLessThan(4 * 1_024)
      await step()
      encoding.mockClear()
      const told = full.length
      for (let i = 0; i < 4; i++) await step()
      expect(encoding).not.toHaveBeenCalled()
      expect(full.length).toBe(told)
    } finally {
      encoding.mockRestore()
    }
  })
})

describe('wishes', () => {
  test('of heat come before those of patterns, however many keys a pattern matches', async () => {
    const { client, backend, clock } = await opened({
      routing: { refreshMs: 20, leaseMs: 900, directoryBytesMax: 1_024 },
      memory: { writeUnitsPerSecond: 10 },
      detection: { hotWritesPerSecond: 5 },
      sharding: { rules: [{ match: /^tenant-/, fanout: 2 }] },
    })
    const posts = client.records('post', { views: sum() })
    const routed: string[] = []
    client.on('route-changed', ({ key }) => routed.push(key))
    backend.holds.directory = true
    await clock.advance(20) // a refresh that the first swap waits for
    for (let i = 0; i < 1_100; i++) void posts.write(`tenant-${i}`, { views: 1 })
    for (let i = 0; i < 70; i++) {
      await posts.write('hot', { views: 1 }, { ack: 'buffered' })
      await clock.advance(10)
    }
    expect(client.hotKeys()[0]).toMatchObject({ key: 'hot', isWriteHot: true, phase: 'cold' })
    backend.holds.directory = false
    for (const held of backend.heldDirectory.splice(0)) held.pass()
    await clock.advance(100)
    expect(routed[0]).toBe('hot')
    expect(routed.length).toBeGreaterThan(5)
  })
})

import { describe, expect, test } from 'vitest'
import { type Backend, type BackendError, type ClientEvents, memory, sum } from '../../../src/index.js'
import { codeOf, opened, watch } from '../../doubles/opened.js'
import { refusalsOf } from '../../doubles/refusal.js'
import { call } from '../backend/requests.js'

describe('the directory', () => {
  test('is made by the first client and fetched once by every other', async () => {
    const { backend, clock } = await opened()
    expect(backend.directoryRequests.map(({ operation }) => operation)).toEqual(['read', 'swap', 'read'])
    const second = await opened({ store: backend, clock, seed: 2 })
    expect(second.backend.directoryRequests.map(({ operation }) => operation)).toEqual(['read'])
  })

  test('is made once when two clients start at the same time', async () => {
    const { backend, clock } = await opened()
    const before = await backend.directory.read(call)
    await Promise.all([2, 3, 4].map((seed) => opened({ store: backend, clock, seed })))
    expect(await backend.directory.read(call)).toEqual(before)
  })

  test('refuses a client whose timings differ, and closes its backend', async () => {
    const { backend, clock } = await opened()
    const timings = {
      leaseMs: { routing: { leaseMs: 4_000 } },
      retryHorizonMs: { routing: { retryHorizonMs: 400_000 } },
      sealRetentionMs: { routing: { sealRetentionMs: 86_400_001 } },
    }
    const refusals = await refusalsOf(timings, (options) => opened({ store: backend, clock, ...options }))
    expect(refusals).toMatchInlineSnapshot(`
      {
        "leaseMs": "DIRECTORY_MISMATCH: routing.leaseMs must be the same for every client of a backend: the directory says 3000, this client's options say 4000.",
        "retryHorizonMs": "DIRECTORY_MISMATCH: routing.retryHorizonMs must be the same for every client of a backend: the directory says 300000, this client's options say 400000.",
        "sealRetentionMs": "DIRECTORY_MISMATCH: routing.sealRetentionMs must be the same for every client of a backend: the directory says 86400000, this client's options say 86400001.",
      }
    `)
    expect(await codeOf(opened({ store: backend, clock, routing: { refreshMs: 500 } }))).toBe('resolved')
    expect(await codeOf(opened({ store: backend, clock, routing: { directoryBytesMax: 2_048 } }))).toBe('resolved')
  })

  test('of another format refuses the client', async () => {
    const { backend, clock } = await opened()
    const { version } = await backend.directory.read(call)
    await backend.directory.swap(version, JSON.stringify({ format: 2 }), call)
    expect(await codeOf(opened({ store: backend, clock }))).toBe('DIRECTORY_MISMATCH')
  })

  test('that cannot be read fails the start', async () => {
    const { backend, clock } = await opened()
    backend.holds.directory = true
    const starting = opened({ store: backend, clock })
    const code = codeOf(starting)
    await clock.advance(2_000)
    expect(await code).toBe('BACKEND')
  })
})

const header = {
  format: 1,
  madeMs: 8,
  counter: 9,
  leaseMs: 3_000,
  retryHorizonMs: 300_000,
  sealRetentionMs: 86_400_000,
}
const hash = { version: 1, seed: 1 }
const documentWith = (...routes: unknown[]) => JSON.stringify({ ...header, hash, routes })
const [g, h] = [
  [7, 1],
  [8, 1],
]

const malformed = {
  empty: '',
  'half a document': '{"format":1,"cou',
  null: 'null',
  'an array': '[]',
  'an object without a format': '{}',
  'no time of making': JSON.stringify({ ...header, madeMs: null, hash, routes: [] }),
  'no counter': JSON.stringify({ ...header, counter: undefined, hash, routes: [] }),
  'an unsafe counter': JSON.stringify({ ...header, counter: 2 ** 53, hash, routes: [] }),
  'no lease': JSON.stringify({ ...header, leaseMs: null, hash, routes: [] }),
  'no hash': JSON.stringify({ ...header, routes: [] }),
  'no seed': JSON.stringify({ ...header, hash: { version: 1 }, routes: [] }),
  'no routes': JSON.stringify({ ...header, hash }),
  'a route that is no tuple': documentWith({ key: 'k' }),
  'a key that is no text': documentWith([1, 'active', 2, 2, [g], [1, 2], 5]),
  'two routes of a key': documentWith(['k', 'active', 2, 2, [g], [1, 2], 5], ['k', 'active', 2, 2, [g], [1, 2], 6]),
  'an unknown phase': documentWith(['k', 'hot', 2, 2, [g], [1, 2], 5]),
  'a fanout of three': documentWith(['k', 'active', 3, 2, [g, g], [1, 2], 5]),
  'a fanout beyond all bounds': documentWith(['k', 'announced', 2 ** 40, 1, [g], [1], 5]),
  'writes beyond reads': documentWith(['k', 'active', 2, 4, [g, h], [1, 4], 5]),
  'too few generations': documentWith(['k', 'active', 4, 4, [g], [1, 4], 5]),
  'a generation that is no pair': documentWith(['k', 'active', 2, 2, [7], [1, 2], 5]),
  'a history of other things': documentWith(['k', 'active', 2, 2, [g], [1, '2'], 5]),
  'no revision': documentWith(['k', 'active', 2, 2, [g], [1, 2], null]),
}

describe('a malformed directory', () => {
  test('refuses the client with BACKEND of kind invalid, and says what is wrong', async () => {
    const refusals = await refusalsOf(malformed, async (text) => {
      const store = memory()
      await store.directory.swap(undefined, text, call)
      const error: unknown = await opened({ store }).catch((reason: unknown) => reason)
      const { code, kind, retryable, message } = error as BackendError
      const [, what] = /holds something else than a directory of routes: (.*)\. Restore/.exec(message) ?? []
      throw new Error(`${code}, ${kind}, ${retryable ? 'worth another try' : 'final'}: ${what}`)
    })
    expect(refusals).toMatchInlineSnapshot(`
      {
        "a fanout beyond all bounds": "Error: BACKEND, invalid, final: routes[0].read must be a power of two up to 1024, but was 1099511627776",
        "a fanout of three": "Error: BACKEND, invalid, final: routes[0].read must be a power of two up to 1024, but was 3",
        "a generation that is no pair": "Error: BACKEND, invalid, final: routes[0].generations must be at least 1 pairs of whole numbers, but was an array of 1",
        "a history of other things": "Error: BACKEND, invalid, final: routes[0].writeHistory must be powers of two up to 1024, but was an array of 2",
        "a key that is no text": "Error: BACKEND, invalid, final: routes[0].key must be a text, but was 1",
        "a route that is no tuple": "Error: BACKEND, invalid, final: routes[0] must be a tuple of 7, but was an object",
        "an array": "Error: BACKEND, invalid, final: the document must be an object, but was an empty array",
        "an object without a format": "Error: BACKEND, invalid, final: format must be a whole number, but was undefined",
        "an unknown phase": "Error: BACKEND, invalid, final: routes[0].phase must be cold, announced, active, draining, settled, but was "hot"",
        "an unsafe counter": "Error: BACKEND, invalid, final: counter must be a whole number, but was 9007199254740992",
        "empty": "Error: BACKEND, invalid, final: it is not JSON (0 characters)",
        "half a document": "Error: BACKEND, invalid, final: it is not JSON (16 characters)",
        "no counter": "Error: BACKEND, invalid, final: counter must be a whole number, but was undefined",
        "no hash": "Error: BACKEND, invalid, final: hash must be an object, but was undefined",
        "no lease": "Error: BACKEND, invalid, final: leaseMs must be a number of milliseconds, but was null",
        "no revision": "Error: BACKEND, invalid, final: routes[0].revision must be a whole number, but was null",
        "no routes": "Error: BACKEND, invalid, final: routes must be an array, but was undefined",
        "no seed": "Error: BACKEND, invalid, final: hash.seed must be a whole number below 2 ** 32, but was undefined",
        "no time of making": "Error: BACKEND, invalid, final: madeMs must be a whole number, but was null",
        "null": "Error: BACKEND, invalid, final: the document must be an object, but was null",
        "too few generations": "Error: BACKEND, invalid, final: routes[0].generations must be at least 2 pairs of whole numbers, but was an array of 1",
        "two routes of a key": "Error: BACKEND, invalid, final: routes must be one for each key, but was an array of 2",
        "writes beyond reads": "Error: BACKEND, invalid, final: routes[0].write must be a power of two up to 2, but was 4",
      }
    `)
  })

  test('with another way of hashing is one of another version', async () => {
    const store = memory()
    await store.directory.swap(
      undefined,
      JSON.stringify({ ...header, hash: { version: 2, seed: 1 }, routes: [] }),
      call,
    )
    expect(await codeOf(opened({ store }))).toBe('DIRECTORY_MISMATCH')
  })

  test('met by a refresh is reported, and never acted upon', async () => {
    const { client, backend, clock } = await opened()
    const posts = client.records('post', { views: sum() })
    const failures: ClientEvents['directory-failed'][] = []
    client.on('directory-failed', (event) => failures.push(event))
    await posts.write('k', { views: 1 })
    const { text, version } = await backend.directory.read(call)
    const broken = await backend.directory.swap(version, malformed['too few generations'], call)
    await clock.advance(2_500)
    expect(failures).toMatchObject([{ error: { kind: 'invalid' } }, { error: { kind: 'invalid' } }])
    await posts.write('k', { views: 1 }) // under the lease of what it had
    const requestCount = backend.writes.length + backend.reads.length
    clock.pause(1_000)
    const late = [watch(posts.write('k', { views: 1 })), watch(posts.read('k'))]
    await clock.advance(11_000)
    expect(late.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
    expect(backend.writes.length + backend.reads.length).toBe(requestCount)
    await backend.directory.swap(broken, text ?? '', call)
    await clock.advance(2_000)
    expect(await posts.read('k')).toEqual({ views: 2 })
  })
})

describe('a directory that does not keep what it is given', () => {
  test('fails the start after five rounds', async () => {
    const store = memory()
    const counts = { reads: 0, swaps: 0 }
    const forgetful: Backend = {
      ...store,
      directory: {
        read: () => {
          counts.reads += 1
          return Promise.resolve({ text: undefined, version: undefined })
        },
        swap: () => {
          counts.swaps += 1
          return Promise.resolve(counts.swaps % 2 === 0 ? undefined : 'some')
        },
      },
    }
    await expect(opened({ store: forgetful })).rejects.toMatchObject({ code: 'BACKEND', kind: 'unavailable' })
    expect(counts).toEqual({ reads: 5, swaps: 5 })
  })
})

describe('closing a client', () => {
  test('waits for the directory request that is under way, and no longer than its time-out', async () => {
    for (const isAnswered of [true, false]) {
      const { client, backend, clock } = await opened()
      backend.holds.directory = true
      await clock.advance(1_000)
      expect(backend.heldDirectory).toHaveLength(1)
      const closing = watch(client.close())
      await clock.advance(0)
      expect([closing.state, backend.closeCount]).toEqual(['open', 0])
      if (isAnswered) backend.heldDirectory[0]?.pass()
      await clock.advance(isAnswered ? 0 : 1_000)
      expect([closing.state, backend.closeCount, clock.timerCount]).toEqual(['resolved', 1, 0])
    }
  })

  test('makes no directory request any more, neither for a swap that is beaten nor for one that waits', async () => {
    const { client, backend, clock } = await opened({ sharding: { rules: [{ match: 'hot', fanout: 2 }] } })
    backend.holds.directory = true
    await clock.advance(50)
    expect(backend.heldDirectory.map(({ request }) => request.operation)).toEqual(['swap'])
    const closing = watch(client.close())
    backend.heldDirectory[0]?.with(undefined)
    await clock.advance(5_000)
    expect([closing.state, backend.heldDirectory.length, clock.timerCount]).toEqual(['resolved', 1, 0])

    const other = await opened({ sharding: { rules: [{ match: /^hot/, fanout: 2 }] } })
    other.backend.holds.directory = true
    await other.clock.advance(1_000)
    await other.client.records('post', { views: sum() }).write('hot', { views: 1 })
    await other.clock.advance(50)
    expect(other.backend.heldDirectory.map(({ request }) => request.operation)).toEqual(['read'])
    const otherClosing = watch(other.client.close())
    other.backend.heldDirectory[0]?.pass()
    await other.clock.advance(5_000)
    expect([otherClosing.state, other.backend.heldDirectory.length]).toEqual(['resolved', 1])
  })
})

import { describe, expect, test } from 'vitest'
import { codeOf, opened } from '../../doubles/opened.js'
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

import { describe, expect, test } from 'vitest'
import { type Backend, BackendError, createClient, memory, sum } from '../../src/index.js'
import { FakeClock, seededRandom } from '../../src/testing.js'
import { refused, watch } from '../doubles/opened.js'

const never = () => new Promise<void>(() => {})
const cannotOpen = () => Promise.reject(new BackendError('invalid', 'There is no table.'))
const cannotClose = () => Promise.reject(new Error('cannot close'))

/** Options for a client of `memory()` with some parts of it replaced. */
function optionsWith(parts: Partial<Backend>) {
  const clock = new FakeClock()
  return { clock, options: { backend: { ...memory(), ...parts }, clock, random: seededRandom(1) } }
}

describe('createClient()', () => {
  test('rejects when the backend does not open in time, and closes it should it open later', async () => {
    const log: string[] = []
    const openings: (() => void)[] = []
    const { clock, options } = optionsWith({
      open: () => new Promise((resolve) => openings.push(resolve)),
      close: () => Promise.resolve(void log.push('close')),
    })
    const creating = watch(createClient(options))
    await clock.advance(1_000)
    expect(creating.error).toMatchObject({ code: 'BACKEND', kind: 'unknown' })
    expect(clock.timerCount).toBe(0)
    openings[0]?.()
    await clock.advance(0)
    expect(log).toEqual(['close'])
  })

  test('tells which step of which backend has failed, and what bounds it where time may help', async () => {
    const { directory } = memory()
    const unreadable = { swap: directory.swap.bind(directory), read: () => new Promise<never>(() => {}) }
    const told: (string | undefined)[] = []
    for (const parts of [{ open: never }, { open: cannotOpen }, { directory: unreadable }]) {
      const { clock, options } = optionsWith(parts)
      const creating = watch(createClient(options))
      await clock.advance(1_000)
      told.push((creating.error as BackendError | undefined)?.message)
    }
    expect(told).toMatchInlineSnapshot(`
      [
        "Opening the backend "memory" failed, in one attempt of at most 1000 ms (limits.requestTimeoutMs): The backend gave no answer within 1000 ms.",
        "Opening the backend "memory" failed: There is no table.",
        "Reading the directory of routes from the backend "memory" failed, in one attempt of at most 1000 ms (limits.requestTimeoutMs): The backend gave no answer within 1000 ms.",
      ]
    `)
  })

  test.each([cannotClose, never])('rejects for what failed, not for the closing after it (%#)', async (close) => {
    const backend = memory()
    await backend.directory.swap(undefined, '{"format":9}', { signal: new AbortController().signal })
    const { clock, options } = optionsWith({ ...backend, close })
    const creating = watch(createClient(options))
    await clock.advance(1_000)
    expect(creating.error).toMatchObject({ code: 'DIRECTORY_MISMATCH' })
    expect(clock.timerCount).toBe(0)
  })
})

describe('close()', () => {
  test.each([
    [cannotClose, 'cannot close'],
    [never, 'no answer within 1000 ms'],
  ])('says what could not be written, also when the backend cannot be closed (%#)', async (close, why) => {
    const { records } = memory()
    const { clock, options } = optionsWith({
      close,
      records: {
        write: () => Promise.reject(refused),
        read: (read, call) => records.read(read, call),
        seal: (shard, fields, call) => records.seal(shard, fields, call),
        absorb: (absorb, call) => records.absorb(absorb, call),
        clear: (shard, retentionMs, call) => records.clear(shard, retentionMs, call),
      },
    })
    const client = await createClient(options)
    await client.records('post', { views: sum() }).write('k', { views: 1 }, { ack: 'buffered' })
    const closing = client.close()
    await clock.advance(1_000)
    const report = await closing
    expect(report).toMatchObject({ failureCount: 1, failures: [{ record: 'post', key: 'k' }] })
    expect(report.closeError).toBeInstanceOf(BackendError)
    expect(report.closeError?.message).toContain(why)
    expect(await client.close()).toBe(report)
    expect(clock.timerCount).toBe(0)
  })

  test('has no error to tell when the backend is closed', async () => {
    const { options } = optionsWith({})
    const client = await createClient(options)
    expect(await client.close()).toStrictEqual({
      failures: [],
      failureCount: 0,
      closeError: undefined,
      kept: undefined,
    })
  })
})

import { describe, expect, test } from 'vitest'

import { type Client, createClient, memory, sum, union } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { HeldBackend } from '../../simulation/held-backend.js'

async function opened(limits: object = {}) {
  const backend = new HeldBackend(memory())
  const clock = new FakeClock()
  const client: Client = await createClient({ backend, clock, random: seededRandom(1), limits })
  return { client, backend, clock, records: client.records('r', { a: sum(), b: sum() }) }
}

describe('code of the caller that runs while a change is merged', () => {
  test('may write the same key: both changes count, one flight at a time', async () => {
    const { records, backend } = await opened()
    backend.holds = (operation) => operation === 'write'
    let inner: Promise<void> | undefined
    const outer = records.write('k', {
      get a() {
        inner ??= records.write('k', { a: 10 })
        return 1
      },
    })
    await Promise.resolve()
    expect(backend.heldOf('write')).toHaveLength(1)
    await backend.heldOf('write')[0]?.pass()
    await outer
    backend.holds = () => false
    await backend.heldOf('write')[0]?.pass()
    await inner
    expect(await records.read('k')).toEqual({ a: 11, b: 0 })
  })

  test('may write between two fields of one change', async () => {
    const { records } = await opened()
    const inner: Promise<void>[] = []
    await records.write('k', {
      a: 100,
      get b() {
        inner.push(records.write('k', { a: 1_000 }))
        return 1
      },
    })
    await Promise.all(inner)
    expect(await records.read('k')).toEqual({ a: 1_100, b: 1 })
  })

  test('may flush or close: what is being merged is sent once', async () => {
    const { client, records, backend } = await opened()
    backend.holds = (operation) => operation === 'write'
    const first = records.write('k', { a: 1 })
    const open = records.write('k', { a: 7 })
    const flushed: Promise<unknown>[] = []
    const last = records.write('k', {
      get b() {
        flushed.push(client.flush())
        return 2
      },
    })
    backend.holds = () => false
    await backend.heldOf('write')[0]?.pass()
    await Promise.all([first, open, last, ...flushed])
    expect(await records.read('k')).toEqual({ a: 8, b: 2 })
  })
})

test('a caller may use its object again at once, also while its change waits for room', async () => {
  const { client, backend } = await opened({ keysMax: 1 })
  const records = client.records('sets', { ids: union(), n: sum() })
  backend.holds = (operation) => operation === 'write'
  const before = records.write('other', { n: 1 })
  const change = { n: 1, ids: ['x'] }
  const waiting = [records.write('k', change)]
  change.n = 2
  change.ids.push('y')
  waiting.push(records.write('k', change))
  backend.holds = () => false
  await backend.heldOf('write')[0]?.pass()
  await Promise.all([before, ...waiting])
  expect(await records.read('k')).toEqual({ n: 3, ids: new Set(['x', 'y']) })
  expect(backend.writes.map(({ changes }) => changes.map(({ state }) => state))).toContainEqual([new Set(['x']), 1])
})

test('a pending read of a growing set does not see what is written after it', async () => {
  const { client, backend } = await opened()
  const records = client.records('sets', { ids: union() })
  backend.holds = (operation) => operation === 'read'
  await records.write('k', { ids: ['a'] })
  backend.holds = (operation) => operation === 'read' || operation === 'write'
  const flying = records.write('k', { ids: ['b'] })
  const open = records.write('k', { ids: ['c'] })
  const read = records.read('k', { pending: true })
  backend.holds = (operation) => operation === 'read'
  await backend.heldOf('write')[0]?.pass()
  await flying
  await new Promise((resolve) => setImmediate(resolve))
  await backend.heldOf('read')[0]?.pass()
  const seen = await read
  backend.holds = () => false
  await Promise.all([open, records.write('k', { ids: ['d'] })])
  expect(seen.ids).toEqual(new Set(['a', 'b', 'c']))
})

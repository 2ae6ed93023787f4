import { describe, expect, test } from 'vitest'
import { sum } from '../../../src/index.js'
import { lost, opened, throttled, watch } from '../../doubles/opened.js'
import { shortLease } from '../../doubles/spread.js'

/** A write that left while its key was announced and whose first attempt ends with `error` once the key is active. */
async function retriedAcrossGrowth(error: unknown) {
  const limits = { requestTimeoutMs: 60_000, writeTimeoutMs: 100_000 }
  const sharding = { rules: [{ match: 'hot', fanout: 64 }] }
  const { client, backend, clock } = await opened({ routing: shortLease, sharding, limits })
  const posts = client.records('post', { views: sum() })
  backend.holds.write = true
  const writing = watch(posts.write('hot', { views: 1 }))
  if (error === lost) await backend.heldWrites[0]?.store()
  await clock.advance(1_000)
  expect(client.hotKeys()).toEqual([])
  await posts.read('hot')
  expect(backend.reads[0]?.shards).toHaveLength(64)
  backend.heldWrites[0]?.fail(error)
  backend.holds.write = false
  await clock.advance(100)
  expect(writing.state).toBe('resolved')
  expect(await posts.read('hot')).toEqual({ views: 1 })
  return backend.writes
}

describe('a second attempt', () => {
  test('goes to the same shard under the same number while the first may be in, wherever the route leads by now', async () => {
    const [first, second, ...more] = await retriedAcrossGrowth(lost)
    expect(second?.shard).toEqual(first?.shard)
    expect(second?.stamp).toEqual(first?.stamp)
    expect(second?.changes).toEqual(first?.changes)
    expect(more).toEqual([])
  })

  test('goes where the route leads when the first is surely not in', async () => {
    const [first, second, ...more] = await retriedAcrossGrowth(throttled)
    expect(first?.shard.index).toBe(0)
    expect(second?.shard.index).toBeGreaterThan(0)
    expect(more).toEqual([])
  })
})

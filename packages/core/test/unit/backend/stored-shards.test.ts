import { expect, test } from 'vitest'
import { StoredShards } from '../../../src/backend/stored-shards.js'
import { FakeClock } from '../../../src/time/fake-clock.js'

test('places of which one a second comes stay as many as are alive, and a third, for ever', async () => {
  const clock = new FakeClock()
  const shards = new StoredShards(clock)
  for (let second = 0; second < 5_000; second++) {
    shards.at(`report ${second}`)
    shards.expire(`report ${second}`, 60_000)
    await clock.advance(1_000)
    expect(shards.count).toBeLessThanOrEqual(60 + 60 / 3 + 1)
  }
})

test('places that stay for a day do not keep those behind them that go in seconds', async () => {
  const clock = new FakeClock()
  const shards = new StoredShards(clock)
  for (let i = 0; i < 300; i++) {
    shards.at(`remains ${i}`)
    shards.expire(`remains ${i}`, 86_400_000)
  }
  for (let second = 0; second < 5_000; second++) {
    shards.at(`report ${second}`)
    shards.expire(`report ${second}`, 10_000)
    await clock.advance(1_000)
  }
  expect(shards.count).toBeLessThanOrEqual((300 + 10) * (4 / 3) + 1)
  expect(shards.get('remains 299')).toBeDefined()
})

test('a place is there until its time is over, and then a new one', async () => {
  const clock = new FakeClock()
  const shards = new StoredShards(clock)
  const shard = shards.at('a')
  shards.expire('a', 1_000)
  await clock.advance(600)
  shards.expire('a', 500)
  await clock.advance(499)
  expect(shards.get('a')).toBe(shard)
  await clock.advance(1)
  expect(shards.get('a')).toBeUndefined()
  expect(shards.at('a')).not.toBe(shard)
  await clock.advance(10_000)
  expect(shards.get('a')).toBeDefined()
})

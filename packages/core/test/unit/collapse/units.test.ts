import { expect, test } from 'vitest'

import { createClient, memory, sum } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('units of %s do not spoil the rates of a key', async (units) => {
  const clock = new FakeClock()
  const store = memory()
  const write: typeof store.records.write = async (one, call) => ({ ...(await store.records.write(one, call)), units })
  const records = {
    write,
    read: store.records.read.bind(store.records),
    seal: store.records.seal.bind(store.records),
    absorb: store.records.absorb.bind(store.records),
    clear: store.records.clear.bind(store.records),
  }
  const backend = { ...store, records }
  const detection = { hotWritesPerSecond: 10 }
  const client = await createClient({ backend, clock, random: seededRandom(1), detection })
  const counts = client.records('counts', { n: sum() })
  for (let i = 0; i < 100; i++) {
    const written = counts.write('k', { n: 1 })
    await clock.advance(10)
    await clock.run(written)
  }
  const [hot] = client.hotKeys()
  expect(hot?.key).toBe('k')
  for (const rate of [hot?.writeUnitsPerSecond, hot?.physicalWritesPerSecond, hot?.headroom])
    expect(Number.isFinite(rate)).toBe(true)
  await clock.run(client.close())
})

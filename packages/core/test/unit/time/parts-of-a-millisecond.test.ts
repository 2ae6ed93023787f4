import { expect, test } from 'vitest'

import { createClient, latest, memory, sum } from '../../../src/index.js'
import { FakeClock, seededRandom } from '../../../src/testing.js'
import { call } from '../backend/requests.js'

/** As `performance.timeOrigin + performance.now()` would tell it. */
class PreciseClock extends FakeClock {
  override wallMs(): number {
    return super.wallMs() + 0.4756
  }
}

test('a wall clock that tells parts of a millisecond makes a directory that others can read, and stamps that can be stored', async () => {
  const [backend, clock] = [memory(), new PreciseClock()]
  const precise = await createClient({ backend, clock, sharding: { rules: [{ match: 'hot', fanout: 4 }] } })
  await clock.advance(20_000)
  const other = await createClient({ backend, clock: new FakeClock(), random: seededRandom(2) })
  const rules = { views: sum(), title: latest<string>() }
  await precise.records('post', rules).write('hot', { views: 1, title: 'a' })
  expect(await other.records('post', rules).read('hot')).toEqual({ views: 1, title: 'a' })
  expect((await backend.directory.read(call))?.text).toContain('"hot"')
})

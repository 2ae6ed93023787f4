import { fc } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { createClient, memory, sum } from '../../../src/index.js'
import { FakeClock, FaultyBackend, seededRandom } from '../../../src/testing.js'

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('write' as const, 'write' as const, 'read' as const, 'pending' as const, 'flush' as const),
    waitMs: fc.constantFrom(0, 0, 1, 7, 40, 150),
  }),
  { minLength: 1, maxLength: 40 },
)

/** One read with what it may say: all that was settled before it began, and no more than was accepted when it ended. */
interface Seen {
  readonly least: number
  readonly most: number
  readonly views: number
}

async function run(drawn: typeof steps extends fc.Arbitrary<infer S> ? S : never, seed: number, isHot: boolean) {
  const clock = new FakeClock()
  const faults = { delayMs: { min: 1, max: 60 }, throttle: 0.1, loseAnswer: 0.1, duplicateDelivery: 0.1 }
  const backend = new FaultyBackend(memory(), { clock, random: seededRandom(seed), faults })
  const detection = isHot ? { hotWritesPerSecond: 0.001 } : {}
  const opening = createClient({ backend, clock, random: seededRandom(seed + 1), detection })
  await clock.advance(500)
  const client = await opening
  const posts = client.records('post', { views: sum() })
  let accepted = 0
  let settled = 0
  const seen: Seen[] = []
  const read = (least: number, pending: boolean) =>
    posts.read('k', { pending }).then(({ views }) => seen.push({ least, most: accepted, views }))
  const operations: Promise<unknown>[] = []
  for (const { kind, waitMs } of drawn) {
    if (kind === 'write') {
      accepted += 1
      operations.push(posts.write('k', { views: 1 }).then(() => (settled += 1)))
    } else if (kind === 'flush') operations.push(client.flush())
    else operations.push(read(kind === 'pending' ? accepted : settled, kind === 'pending'))
    await clock.advance(waitMs)
  }
  await clock.advance(30_000)
  await Promise.all(operations)
  const { views } = await drain(clock, posts.read('k'))
  await drain(clock, client.close())
  return { seen, views, accepted, timerCount: clock.timerCount }
}

async function drain<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  await clock.advance(30_000)
  return promise
}

test('a pending read counts every accepted change exactly once, and an ordinary read every acknowledged one', async () => {
  const property = fc.asyncProperty(steps, fc.nat(), fc.boolean(), async (drawn, seed, isHot) => {
    const { seen, views, accepted, timerCount } = await run(drawn, seed, isHot)
    for (const read of seen) {
      expect(read.views).toBeGreaterThanOrEqual(read.least)
      expect(read.views).toBeLessThanOrEqual(read.most)
    }
    expect(views).toBe(accepted)
    expect(timerCount).toBe(0)
  })
  await fc.assert(property, { numRuns: 60 })
})

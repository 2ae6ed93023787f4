import { expect, test } from 'vitest'
import { memory, sum } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import { codeOf, opened } from '../../doubles/opened.js'

test('a writer whose clock is slower than the horizon is long gets in: the shard says which number it takes', async () => {
  const store = memory()
  const wallMs = 1_700_000_000_000
  const [first, second, slow] = await Promise.all(
    [wallMs, wallMs, wallMs - 360_000].map(async (ms, i) => {
      const world = await opened({ store, seed: i + 1, clock: new FakeClock({ wallMs: ms }) })
      return { ...world, posts: world.client.records('post', { views: sum() }) }
    }),
  )
  await first?.posts.write('k', { views: 1 })
  await second?.clock.advance(400_000)
  for (let i = 0; i < 2; i++) await second?.posts.write('k', { views: 10 })
  const writing = codeOf(slow!.posts.write('k', { views: 100 }))
  await slow?.clock.advance(1_000)
  expect(await writing).toBe('resolved')
  expect(await second?.posts.read('k')).toEqual({ views: 121 })
})

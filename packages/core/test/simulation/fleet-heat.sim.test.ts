import { describe, expect, test } from 'vitest'
import { counted, FleetWorld, refreshMs, tickMs, unitsPerSecondMax } from '../unit/fleet/fleet-world.js'

const processCount = 200
const hotPerSecond = unitsPerSecondMax / processCount
/** Of which the hot key is 0.2 %. */
const allPerSecond = hotPerSecond / 0.002
const coldKeys = Array.from({ length: 20_000 }, (_, i) => `cold:${i}`)

describe('a key that is 0.2 % of the traffic of each of 200 processes, and all of a partition in sum', () => {
  test.each(Array.from({ length: 20 }, (_, i) => i + 1))(
    'is found within three refreshes after its traffic began, seed %i',
    async (seed) => {
      const world = new FleetWorld({ processCount, seed })
      const { random } = world
      const writeOthers = (count: number, write: (key: string) => void) => {
        for (let i = 0; i < count; i++) write(coldKeys[Math.floor(random.next() * coldKeys.length)] as string)
      }
      const others = counted(random, ((allPerSecond - hotPerSecond) * tickMs) / 1_000)
      await world.run(Math.floor((random.next() * 1_000) / tickMs) * tickMs)
      for (let ms = 0; ms < 3 * refreshMs && world.routes.size === 0; ms += tickMs)
        await world.run(tickMs, ({ fleet }) => {
          const hot = counted(random, (hotPerSecond * tickMs) / 1_000)
          for (let i = 0; i < hot; i++) fleet.count('hot', 1)
          writeOthers(others, (key) => fleet.count(key, 1))
        })
      expect([...world.routes.keys()]).toEqual(['hot'])
      expect(world.errors).toEqual([])
    },
  )
})

import { describe, expect, test } from 'vitest'
import { createClient, memory, sum } from '../../src/index.js'
import { decodeDirectory } from '../../src/routing/directory.js'
import { FakeClock, seededRandom } from '../../src/testing.js'
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

describe('the same in 200 clients, whose partitions serve 100 units a second', () => {
  test.each([1, 2])('is found within three refreshes, and merged back when it has cooled, seed %i', async (seed) => {
    const clock = new FakeClock()
    const backend = memory({ clock, writeUnitsPerSecond: 100 })
    const random = seededRandom(seed)
    const failures: unknown[] = []
    const clients = await Promise.all(
      Array.from({ length: processCount }, async () => {
        const own = seededRandom(Math.floor(random.next() * 2 ** 32))
        const client = await createClient({ backend, clock, random: own, sharding: { coolMs: 10_000 } })
        client.on('fleet-failed', (event) => failures.push(event))
        return client
      }),
    )
    const records = clients.map((client) => client.records('views', { views: sum() }))
    const directory = async () => {
      const { text } = await backend.directory.read({ signal: new AbortController().signal })
      return decodeDirectory(text ?? '').routes
    }
    const sent: Promise<void>[] = []
    let hotCount = 0
    for (let ms = 0; ms < 3 * refreshMs && !(await directory()).has('hot'); ms += tickMs) {
      for (const record of records) {
        const hot = counted(random, (0.5 * tickMs) / 1_000)
        hotCount += hot
        if (hot > 0) sent.push(record.write('hot', { views: 1 }))
        const others = counted(random, (249.5 * tickMs) / 1_000)
        for (let i = 0; i < others; i++) {
          const key = coldKeys[Math.floor(random.next() * coldKeys.length)] as string
          sent.push(record.write(key, { views: 1 }))
        }
      }
      await clock.advance(tickMs)
    }
    expect([...(await directory()).keys()]).toEqual(['hot'])
    await Promise.all(sent)
    for (let s = 0; s < 40 && (await directory()).get('hot')?.phase !== 'cold'; s++) await clock.advance(1_000)
    expect((await directory()).get('hot')?.phase).toBe('cold')
    expect(await records[0]?.read('hot')).toEqual({ views: hotCount })
    await clock.run(Promise.all(clients.map((client) => client.close())))
    expect(failures).toEqual([])
  })
})

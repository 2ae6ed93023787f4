import { expect, it } from 'vitest'

import { memory } from '../../../src/index.js'
import { FakeClock } from '../../../src/testing.js'
import { opened } from '../../doubles/opened.js'
import { openedSpread, shortLease } from '../../doubles/spread.js'

interface Item {
  readonly n: number
}

const sorts = Array.from({ length: 40 }, (_, i) => `s${i}`)

it.each(['put', 'delete'] as const)(
  'a client with a slow clock that has seen what a %s left in another place puts something newer',
  async (before) => {
    const store = memory()
    const quick = await openedSpread(2, { store, clock: new FakeClock({ wallMs: 1_700_000_030_000 }) })
    const theirs = quick.client.collection<Item>('items')
    for (const sort of sorts) await theirs.put('hot', sort, { n: 1 })
    if (before === 'delete') for (const sort of sorts) await theirs.delete('hot', sort)
    await quick.clock.run(quick.client.close())
    const grown = await openedSpread(4, { store, seed: 2 })
    await grown.clock.run(grown.client.close())
    for (const [i, sort] of sorts.entries()) {
      const slow = await opened({ store, routing: shortLease, seed: 3 + i }) // it has seen nothing else
      const items = slow.client.collection<Item>('items')
      expect((await items.get('hot', sort))?.n).toBe(before === 'put' ? 1 : undefined)
      await items.put('hot', sort, { n: 2 })
      expect(await items.get('hot', sort)).toEqual({ n: 2 })
      await slow.clock.run(slow.client.close())
    }
  },
)

import { describe, expect, it } from 'vitest'

import { memory } from '../../../src/index.js'
import { opened } from '../../doubles/opened.js'
import { shortLease } from '../../doubles/spread.js'
import { spreadCollection } from '../../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

const call = { signal: new AbortController().signal }
const sorts = Array.from({ length: 20 }, (_, i) => `s${i}`)

describe('a delete by a process that does not know the route, which the directory has lost', () => {
  it('has it written back and reaches the item wherever it stands', async () => {
    const store = memory()
    const first = await spreadCollection<Item>(4, {}, { store })
    for (const sort of sorts) await first.items.put('hot', sort, { n: 1 })
    await first.clock.run(first.client.close())
    const { text, version } = await store.directory.read(call)
    const document = JSON.parse(text ?? '') as Record<string, unknown>
    await store.directory.swap(version, JSON.stringify({ ...document, routes: [] }), call)

    const { client, clock } = await opened({ store, seed: 3, routing: shortLease })
    const items = client.collection<Item>('items')
    for (const sort of sorts) await clock.run(items.delete('hot', sort))
    const left = await Promise.all(sorts.map((sort) => clock.run(items.get('hot', sort))))
    expect(left).toEqual(sorts.map(() => undefined))
  })
})

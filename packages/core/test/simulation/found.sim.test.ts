// What the simulation of a fleet has found, each as a history of its own: seeds lead into other worlds as soon as these change.

import { describe, expect, it } from 'vitest'

import { BackendError, memory } from '../../src/index.js'
import { opened } from '../doubles/opened.js'
import { shortLease } from '../doubles/spread.js'
import { spreadCollection } from '../doubles/spread-collection.js'

interface Item {
  readonly n: number
}

const call = { signal: new AbortController().signal }

describe('found by the simulation', () => {
  // 2026-11-22, seed 2457: the delete was refused as not written, and its tombstone hid an acknowledged put.
  it('a delete that is in, but whose route could not be written back in time, is unknown and not rejected', async () => {
    const store = memory()
    const first = await spreadCollection<Item>(2, {}, { store })
    await first.items.put('hot', 'a', { n: 1 })
    await first.clock.run(first.client.close())
    const { text, version } = await store.directory.read(call)
    const document = JSON.parse(text ?? '') as Record<string, unknown>
    await store.directory.swap(version, JSON.stringify({ ...document, routes: [] }), call)

    const refusing = {
      ...store,
      directory: {
        read: () => store.directory.read(call),
        swap: () => Promise.reject(new BackendError('unavailable', 'by the test')),
      },
    }
    const { clock } = first
    const { client } = await opened({ store: refusing, seed: 3, clock, routing: shortLease })
    const deletion = clock.run(client.collection<Item>('items').delete('hot', 'a'))
    await expect(deletion).rejects.toMatchObject({ code: 'WRITE_UNKNOWN' })
  })
})

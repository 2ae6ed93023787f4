import type { Collection, CollectionOptions, SortType } from '../../src/index.js'
import type { HeldItems } from './held-items.js'
import type { Opened, OpenOptions } from './opened.js'
import { openedSpread } from './spread.js'

/** A client, and a collection in it of which the key `hot` is spread over `fanout` shards. */
export async function spreadCollection<Item extends object, Sort extends SortType = 'string'>(
  fanout: number,
  options: CollectionOptions<Item, Sort> = {},
  clientOptions: OpenOptions = {},
): Promise<Opened & { readonly items: Collection<Item, Sort>; readonly store: HeldItems }> {
  const world = await openedSpread(fanout, clientOptions)
  const store = world.backend.collections as HeldItems
  return {
    ...world,
    store,
    items: world.client.collection<Item, Sort>('items', { ...options, sort: options.sort ?? ('string' as Sort) }),
  }
}

/** Everything that an iteration or an array of entries gives. */
export async function allOf<T>(entries: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

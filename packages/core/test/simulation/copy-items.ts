import type { Backend } from '../../src/index.js'
import { loadItemHash } from '../../src/routing/item-hash.js'
import { homeOf } from '../../src/routing/placement.js'
import { type Route, shardsToRead } from '../../src/routing/route.js'

const call = { signal: new AbortController().signal }

/** Tombstones outlive everything that can be alive under the limits of the simulations. */
const retentionMs = 20_000

/**
 * Merging back, as the protocol says: every item and tombstone of the shards that go is copied to its place among those that
 * stay, unless something newer is there. Answers with how many there were.
 */
export async function copyItems({ collections }: Backend, key: string, route: Route, seed: number): Promise<number> {
  if (collections === undefined) return 0
  const hash = await loadItemHash()
  let count = 0
  for (const shard of shardsToRead(key, route).slice(route.write)) {
    const { items } = await collections.page(
      {
        shard,
        sortType: 'string',
        lower: undefined,
        upper: undefined,
        order: 'ascending',
        limit: 1_000,
        consistency: 'strong',
      },
      call,
    )
    for (const { sort, stamp, value } of items) {
      if (stamp === undefined) continue
      const home = homeOf(key, route, hash(sort, seed))
      count += 1
      if (value !== undefined) await collections.put({ shard: home, sort, value, stamp }, call)
      else await collections.delete({ shard: home, sort, stamp, mode: 'tombstone', retentionMs }, call)
    }
  }
  return count
}

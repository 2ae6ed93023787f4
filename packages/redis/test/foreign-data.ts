import type { ShardRef } from '@spillway/core'
import type { RedisProcess } from '@spillway/testkit'

import { placeOf } from '../src/physical-key.js'
import { tagEnd } from '../src/slot.js'

/** Puts a plain string in a shard's place until the returned function is called; `nodeOf` names the primary of a key. */
export async function spoil(
  shard: ShardRef,
  nodeOf: (key: string) => Promise<RedisProcess> | RedisProcess,
): Promise<() => Promise<void>> {
  const place = placeOf(shard)
  const end = tagEnd(place)
  const aside = `aside{${end < 0 ? place : place.slice(place.indexOf('{') + 1, end)}}` // in the same slot
  const node = await nodeOf(place)
  await node.call('RENAME', place, aside)
  await node.call('SET', place, 'foreign')
  return async () => {
    await node.call('RENAME', aside, place)
  }
}

// Problem: the shards of a key must fall on different primaries, and be found again wherever the slots have moved since.
// Scheme: shard 0 is the key. Any other is the key with a suffix of the mark, index, generation and a tail of three characters,
//   chosen so that the shard's slot is the key's own, moved round the ring of slots by the index with its bits reversed: half a
//   ring for shard 1, a quarter and three quarters for 2 and 3. Where a key has a hash tag the suffix stands inside its braces.
// Invariants: the place of a shard depends on nothing but its ref; no two shards of keys without the mark share a place; all
//   that belongs to a shard is in one Redis key, and so in one slot; the shards of a key have different slots, at equal
//   distances for each power of two.
// Cost: one CRC over the key for each shard but the first, once for as long as its route is.
// Source: redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec, «Hash tags»; van der Corput's sequence.

import { reservedMark, type ShardRef } from '@spillway/core'

import { crc16, slotCount, slotOf, tagEnd, tailFor } from './slot.js'

const places = new WeakMap<ShardRef, string>()

/** The Redis key of a shard, such as `user~spillway~3.lx2k9f.00c0ffee.7Qx`. */
export function placeOf(shard: ShardRef): string {
  if (shard.index === 0) return shard.key
  let place = places.get(shard)
  if (place === undefined) {
    place = suffixed(shard)
    places.set(shard, place)
  }
  return place
}

function suffixed({ key, index, generation }: ShardRef): string {
  const { number, nonce } = generation
  const suffix = `${reservedMark}${index}.${number.toString(36)}.${nonce.toString(16).padStart(8, '0')}.`
  const target = (slotOf(key) + ringOffset(index)) % slotCount
  const end = tagEnd(key)
  if (end < 0) return `${key}${suffix}${tailFor(crc16(suffix, crc16(key)), target)}`
  const tag = key.slice(key.indexOf('{') + 1, end)
  return `${key.slice(0, end)}${suffix}${tailFor(crc16(suffix, crc16(tag)), target)}${key.slice(end)}`
}

const slotBits = 14

/** How far round the ring a shard stands from shard 0. */
function ringOffset(index: number): number {
  let offset = 0
  for (let bit = 0; bit < slotBits; bit++) offset = (offset << 1) | ((index >> bit) & 1)
  return offset
}

// Problem: an item must be found again without asking every shard, by every process and every later version of this library.
// Scheme: its shard is the seeded XXH64 of its sort bytes, modulo the fanout; seed and version stand in the directory's header.
// Invariants: a hash never changes for a directory, for it decides where data lies.
// Cost: some 75 ns; WebAssembly, made once a process.
// Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md; docs/routing.md, «Rules for collections».

import xxhash, { type XXHashAPI } from 'xxhash-wasm'

import { sortBytes, type SortValue } from '../item/sort-value.js'

/** The low 32 bits of an item's hash under a directory's seed. */
export type ItemHash = (sort: SortValue, seed: number) => number

let loading: Promise<XXHashAPI> | undefined

/** Makes the hash. Rejects where WebAssembly is forbidden. */
export async function loadItemHash(): Promise<ItemHash> {
  loading ??= xxhash()
  const api = await loading
  return (sort, seed) => {
    const hash = typeof sort === 'string' ? api.h64(sort, BigInt(seed)) : api.h64Raw(sortBytes(sort), BigInt(seed))
    return Number(hash & 0xffff_ffffn)
  }
}

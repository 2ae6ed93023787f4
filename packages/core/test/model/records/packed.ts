// Problem: states are compared and kept by the million.
// Scheme: what a shard holds stands in small integers: two bits a write say how often it is counted, two bits a shard say up to
//   which generation it was absorbed, four bits a writer say which of its numbers was applied last.

/** So many writes have room in the counts of a shard. */
export const writesMax = 4

/** So many shards a key has at most. */
export const shardsMax = 4

/** So many writers have room in the numbers of a shard. */
export const writersMax = 3

/** The highest generation that has room. */
export const generationMax = 3

/** The highest sequence number that has room. */
export const sequenceMax = 14

/** How often a write is counted; 3 stands for more, too. */
export function countOf(counts: number, write: number): number {
  return (counts >> (2 * write)) & 3
}

/** What two shards count together. */
export function countsSum(counts: number, others: number): number {
  let sum = 0
  for (let write = 0; write < writesMax; write++)
    sum |= Math.min(3, countOf(counts, write) + countOf(others, write)) << (2 * write)
  return sum
}

/** Up to which generation a shard was absorbed; 0 when it was not. */
export function absorbedOf(absorbed: number, shard: number): number {
  return shard === 0 ? 0 : (absorbed >> (2 * (shard - 1))) & 3
}

/** With one more shard recorded. */
export function withAbsorbed(absorbed: number, shard: number, generation: number): number {
  return shard === 0 || absorbedOf(absorbed, shard) >= generation
    ? absorbed
    : (absorbed & ~(3 << (2 * (shard - 1)))) | (generation << (2 * (shard - 1)))
}

/** The later of both, shard by shard. */
export function absorbedUnion(absorbed: number, others: number): number {
  let union = absorbed
  for (let shard = 1; shard < shardsMax; shard++) union = withAbsorbed(union, shard, absorbedOf(others, shard))
  return union
}

/** The number of a writer that was applied last; 0 when none is known. */
export function lastOf(last: number, writer: number): number {
  return (last >> (4 * writer)) & 15
}

/** With another last number for a writer. */
export function withLast(last: number, writer: number, sequence: number): number {
  return (last & ~(15 << (4 * writer))) | (sequence << (4 * writer))
}

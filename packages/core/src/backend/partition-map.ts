/**
 * Which of `partitionCount` partitions a place lies in: partitions are equal ranges of a 32-bit hash (FNV-1a with a
 * final mix), as DynamoDB's are ranges of a hash that it does not disclose. Another `seed` gives another layout.
 * Source: HowItWorks.Partitions.html.
 */
export function partitionOf(place: string, partitionCount: number, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < place.length; i++) hash = Math.imul(hash ^ place.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296) * partitionCount)
}

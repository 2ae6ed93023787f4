// Problem: a shard says for ever which others it has taken in, and every write pays for its bytes.
// Scheme: shards that were opened together share a generation, so what a whole merge leaves is one range for each doubling:
//   `1.lx2k9f,2-3.lx2k9g,4-7.lx2k9h`, index or range, and generation in base 36.
// Invariants: what is read back is what was written, one entry a shard.
// Cost: about 12 bytes for each doubling once all its shards are in: 80 for a fanout of 64.
// Source: docs/routing.md, rule absorbed.

import type { AbsorbedShard } from '@spillway/core'

/** Absorbed shards as text; at most one entry a shard. */
export function absorbedText(entries: readonly AbsorbedShard[]): string {
  const sorted = entries.toSorted((a, b) => a.index - b.index)
  const parts: string[] = []
  for (let from = 0; from < sorted.length;) {
    const { index, generation } = sorted[from] as AbsorbedShard
    let count = 1
    while (isNext(sorted[from + count], index + count, generation)) count += 1
    const range = count === 1 ? `${index}` : `${index}-${index + count - 1}`
    parts.push(`${range}.${generation.toString(36)}`)
    from += count
  }
  return parts.join(',')
}

function isNext(entry: AbsorbedShard | undefined, index: number, generation: number): boolean {
  return entry?.index === index && entry.generation === generation
}

/** The inverse of {@link absorbedText}; undefined stands for none. */
export function absorbedOf(text: string | undefined): readonly AbsorbedShard[] | undefined {
  if (text === undefined || text === '') return undefined
  return text.split(',').flatMap((part) => {
    const [range = '', suffix = ''] = part.split('.')
    const [first = '', last = first] = range.split('-')
    const generation = parseInt(suffix, 36)
    const count = Number(last) - Number(first) + 1
    return Array.from({ length: count }, (_, i) => ({ index: Number(first) + i, generation }))
  })
}

/** One entry a shard, with its highest generation. */
export function united(entries: readonly AbsorbedShard[]): readonly AbsorbedShard[] {
  const highest = new Map<number, AbsorbedShard>()
  for (const entry of entries) {
    const known = highest.get(entry.index)
    if (known === undefined || known.generation < entry.generation) highest.set(entry.index, entry)
  }
  return [...highest.values()]
}

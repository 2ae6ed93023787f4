import type { AbsorbedShard } from '@spillway/core'

/** Absorbed shards as text: index and generation in base 36, such as `1.lx2k9f,3.lx2k9g`. Short, for it stays in the item. */
export function absorbedText(entries: readonly AbsorbedShard[]): string {
  return entries.map(({ index, generation }) => `${index}.${generation.toString(36)}`).join(',')
}

/** The inverse of {@link absorbedText}; undefined stands for none. */
export function absorbedOf(text: string | undefined): readonly AbsorbedShard[] | undefined {
  if (text === undefined || text === '') return undefined
  return text.split(',').map((entry) => {
    const dot = entry.indexOf('.')
    return { index: Number(entry.slice(0, dot)), generation: parseInt(entry.slice(dot + 1), 36) }
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

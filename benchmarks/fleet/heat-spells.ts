import type { Stream } from './stream.js'

/** A time in which a key is offered more writes than one shard is planned for. */
export interface HeatSpell {
  readonly key: string
  readonly beganMs: number
  readonly endedMs: number
}

/** What one shard is planned for by default: 0.7 of a partition's 1,000 write units. */
const plannedPerSecond = 700

/** A second counts as hot from so many times the plan on: nearer to it chance decides. */
const certainFactor = 1.25

/** Seconds between hot ones that belong to the same spell. */
const gapSecondsMax = 5

/** Shorter spells are over before anybody could act on them. */
const spellSecondsMin = 4

/** The spells of a stream, in the order of their beginnings. */
export function heatSpells({ keys, timesMs, keyIndexes, reads, durationMs }: Stream): readonly HeatSpell[] {
  const secondCount = Math.ceil(durationMs / 1_000)
  const counts = new Uint32Array(keys.length * secondCount)
  for (let i = 0; i < timesMs.length; i++) {
    if (reads[i] === 1) continue
    const at = (keyIndexes[i] ?? 0) * secondCount + Math.floor((timesMs[i] ?? 0) / 1_000)
    counts[at] = (counts[at] ?? 0) + 1
  }
  const spells = keys.flatMap((key, index) =>
    spellsOf(counts.subarray(index * secondCount, (index + 1) * secondCount)).map(([first, last]) => ({
      key,
      beganMs: first * 1_000,
      endedMs: (last + 1) * 1_000,
    })),
  )
  return spells.toSorted((a, b) => a.beganMs - b.beganMs)
}

/** First and last seconds. */
function spellsOf(counts: Uint32Array): readonly (readonly [first: number, last: number])[] {
  const spells: [number, number][] = []
  counts.forEach((count, second) => {
    if (count < plannedPerSecond * certainFactor) return
    const spell = spells.at(-1)
    if (spell !== undefined && second - spell[1] <= gapSecondsMax) spell[1] = second
    else spells.push([second, second])
  })
  return spells.filter(([first, last]) => last - first + 1 >= spellSecondsMin)
}

import type { CapacityLane } from './capacity-lane.js'

/** One write unit is a write of up to 1 KB: bp-partition-key-design.html. */
const bytesPerWriteUnit = 1_024

/** One read unit is one strong read of up to 4 KB, or two eventual ones: the same page. */
const bytesPerReadUnit = 4_096

/** What a read of up to 4 KB costs: the same page. */
export const leastReadUnits = { strong: 1, eventual: 0.5 } as const

/** What it costs to write so many bytes: at least one unit. */
export function writeUnitsOf(bytes: number): number {
  return bytes <= bytesPerWriteUnit ? 1 : Math.ceil(bytes / bytesPerWriteUnit)
}

/** What it costs to read so many bytes, of one item or of all items of a page: at least one unit, or half of one. */
export function readUnitsOf(bytes: number, consistency: 'strong' | 'eventual'): number {
  return leastReadUnits[consistency] * (bytes <= bytesPerReadUnit ? 1 : Math.ceil(bytes / bytesPerReadUnit))
}

/** What it is taken to cost to delete an item; how large it is, nobody knows in advance. */
export const deleteUnits = 1

/** Charges what a request took beyond what was taken for it in advance; answers with the whole. */
export function settleUnits(lane: CapacityLane, taken: number, told: number | undefined, nowMs: number): number {
  if (told === undefined || told <= taken) return taken
  lane.charge(told - taken, nowMs)
  return told
}

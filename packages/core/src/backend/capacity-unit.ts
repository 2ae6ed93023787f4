import type { CapacityLane } from './capacity-lane.js'

/** One write unit is a write of up to 1 KB: bp-partition-key-design.html. */
export const bytesPerWriteUnit = 1_024

/** One read unit is one strong read of up to 4 KB, or two eventual ones: the same page. */
export const bytesPerReadUnit = 4_096

/** Charges what a request took beyond what was taken for it in advance; answers with the whole. */
export function settleUnits(lane: CapacityLane, taken: number, told: number | undefined, nowMs: number): number {
  if (told === undefined || told <= taken) return taken
  lane.charge(told - taken, nowMs)
  return told
}

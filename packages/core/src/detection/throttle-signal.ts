// Problem: a throttle is direct evidence of heat, and it comes even when no key is over its own limit, because two
// half-hot keys may share a partition. But the throttled request need not be the guilty one: any key that lives on the
// partition is turned away, too, and the store does not name the key.
// Scheme: a throttle of a key range makes a key hot if the key brings traffic of its own that could matter to a
// partition: a quarter of the threshold; or, since each of many processes sees but a part of a key's rate, a tenth of this
// process's traffic with at least a fortieth of the threshold. A key below that is a victim, and victims stay cold.
// Invariants: a throttle of a table, an index as a whole or an account is evidence against no key, since
// spreading could not help it. The evidence of one throttle lasts one half-life. More throttles never make a victim guilty.
// Cost: a few comparisons per tracked key and tick.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing-workflow.html (which
// reasons name a key range); .../bp-partition-key-design.html (limits hold per partition, whatever keys are on it).

/** What stands for and against a key at a tick. */
export interface ThrottleEvidence {
  /** Throttles of a key range in requests of this key, decayed to now. */
  readonly keyRangeThrottles: number
  /** The key's own rate on that side, a second: logical operations or capacity units, whichever is higher. */
  readonly ownPerSecond: number
  /** The key's part of this process's logical operations on that side, 0 to 1. */
  readonly share: number
  /** The rate at which the key would be hot by itself. */
  readonly hotPerSecond: number
}

/** One throttle decays to a half in one half-life; then it counts no more. */
const evidenceMin = 0.5

/** Four keys of this rate fill what one hot key fills; more of them on one partition are not worth treating one by one. */
const partnerFraction = 1 / 4

/** A tenth of a process's traffic on one key is no accident among thousands of keys. */
const shareMin = 1 / 10

/** In a process that is almost idle any key has a large share. Below this it needs 40 processes alike to fill a partition. */
export const victimFraction = 1 / 40

/** Whether the throttles of late make this key hot although its own rate does not. Pure. */
export function isImplicated(evidence: ThrottleEvidence): boolean {
  if (evidence.keyRangeThrottles < evidenceMin) return false
  const load = evidence.ownPerSecond / evidence.hotPerSecond
  return load >= partnerFraction || (load >= victimFraction && evidence.share >= shareMin)
}

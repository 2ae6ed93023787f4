import type { World } from './world.js'

/** What a rule needs beside the contract itself; a harness without it does not run the rule. */
export type Need = 'outage'

/** One thing that every backend must keep. */
export interface Rule {
  /** Stable, such as `dedupe-same`. Reports and waivers go by it. */
  readonly id: string
  /** What holds for a backend that keeps the rule, in a sentence. */
  readonly claim: string
  /** What the harness must be able to do. @default nothing more than to open */
  readonly needs?: Need
  /** Tries a backend that nothing else uses meanwhile. Rejects with `RuleBrokenError` when the claim does not hold. */
  check(world: World): Promise<void>
}

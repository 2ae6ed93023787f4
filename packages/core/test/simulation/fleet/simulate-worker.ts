// A process of `npm run simulate`: runs the seeds that it is given, and tells what came of them.

import { type Counts, noCounts } from './counts.js'
import { runSeedAlone } from './run-seeds.js'

/** Seeds to be run. */
export interface Batch {
  readonly from: number
  readonly count: number
  /** Whether to tell what happened, line by line. */
  readonly isChronicled: boolean
  /** Whether to go on behind a seed that broke a promise. */
  readonly isEveryFailureWanted: boolean
}

/** A seed that broke a promise, or was to be looked at. */
export interface Failure {
  readonly seed: number
  /** Undefined when every promise was kept. */
  readonly violation: string | undefined
  readonly history: readonly string[]
}

/** What came of them. */
export interface BatchResult {
  readonly from: number
  readonly seedCount: number
  readonly counts: Counts
  readonly worldMs: number
  readonly failures: readonly Failure[]
}

async function run({ from, count, isChronicled, isEveryFailureWanted }: Batch): Promise<BatchResult> {
  const counts = noCounts()
  const failures: Failure[] = []
  const failuresMax = isEveryFailureWanted ? Infinity : 1
  let worldMs = 0
  let seed = from
  for (; seed < from + count && failures.length < failuresMax; seed++) {
    const result = await runSeedAlone(seed, isChronicled)
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += result.counts[name]
    worldMs += result.worldMs
    if (result.violation !== undefined || isChronicled) failures.push(result)
  }
  return { from, seedCount: seed - from, counts, worldMs, failures }
}

process.on('message', (batch: Batch) => {
  void run(batch).then((result) => process.send?.(result))
})

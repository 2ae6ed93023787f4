import { inspect } from 'node:util'

import { loadItemHash } from '../../../src/routing/item-hash.js'
import { runSeed, type SeedResult } from './fleet-run.js'
import { outsideReactions } from './microtasks.js'

let uncaught: unknown

process.on('unhandledRejection', (reason) => {
  uncaught ??= reason
})

/** Runs the world of a seed from anywhere. A promise of it that was rejected and that nobody looks after is a violation, too. */
export async function runSeedAlone(seed: number, isChronicled = false): Promise<SeedResult> {
  await loadItemHash() // from then on it is there without waiting
  uncaught = undefined
  const result = await outsideReactions(() => runSeed(seed, isChronicled))
  if (uncaught === undefined || result.violation !== undefined) return result
  return { ...result, violation: `a rejection was caught by nobody: ${inspect(uncaught)}` }
}

import { type SeedResult, runSeed } from './fleet-run.js'
import { outsideReactions } from './microtasks.js'
import { loadItemHash } from '../../../src/routing/item-hash.js'

/** Runs the world of a seed from anywhere. Whatever was rejected in it and caught by nobody is a violation, too. */
export async function runSeedAlone(seed: number, isChronicled = false): Promise<SeedResult> {
  await loadItemHash() // from then on it is there without waiting
  return outsideReactions(() => runSeed(seed, isChronicled))
}

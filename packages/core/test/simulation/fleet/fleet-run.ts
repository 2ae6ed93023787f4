import { act } from './act.js'
import { weighted } from './draws.js'
import type { Counts } from './counts.js'
import { end } from './fleet-end.js'
import { FleetWorld } from './fleet-world.js'
import { takeMachineClocks } from './machine-clocks.js'

/** A leader is found after a few epochs of a quarter of a second each. */
const electionMsMax = 2_000

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number
  /** What went wrong first; undefined when all promises were kept. */
  readonly violation: string | undefined
  readonly counts: Counts
  /** What happened, a line each; empty unless it was asked for. */
  readonly history: readonly string[]
  /** How much time passed in the world. */
  readonly worldMs: number
}

/** Runs the world of a seed. Must be called outside of promise reactions: see `outsideReactions`. */
export function runSeed(seed: number, isChronicled = false): SeedResult {
  const restore = takeMachineClocks()
  const { stackTraceLimit } = Error
  if (!isChronicled) Error.stackTraceLimit = 0 // a third of what a failure costs
  try {
    const world = new FleetWorld(seed, isChronicled)
    live(world)
    if (world.violation === undefined) end(world)
    const { violation, counts, chronicle, time, director } = world
    counts.growths = director.growthCount
    counts.drains = director.drainCount
    return { seed, violation, counts, history: chronicle.lines, worldMs: time.nowMs }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    restore()
  }
}

/** Where nothing is spread nobody leads. */
function findLeader({ profile, director, time, store }: FleetWorld): void {
  for (const key of [...profile.recordKeys, ...profile.itemKeys]) director.grow(key, profile.fanoutMax)
  time.run(electionMsMax, () => store.directory?.leader !== undefined)
}

/** Everything that may happen happens. */
function live(world: FleetWorld): void {
  const { profile, random, time, network } = world
  for (let slot = 0; slot < profile.processCount; slot++) world.start(slot)
  time.run(20, () => world.violation !== undefined)
  if (profile.isLed) findLeader(world)
  network.faults = profile.network
  const weights = Object.values(profile.weights) as number[]
  const names = Object.keys(profile.weights) as (keyof typeof profile.weights)[]
  for (let step = 0; step < profile.stepCount && world.violation === undefined; step++) {
    act(world, names[weighted(random, weights)]!)
    time.run(random.next() * random.next() * 2 * profile.gapMaxMs, () => world.violation !== undefined)
  }
}

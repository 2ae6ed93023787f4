import { calm, routesOf } from './network.js'
import { act } from './act.js'
import { weighted } from './draws.js'
import type { Counts } from './counts.js'
import { FleetWorld } from './fleet-world.js'
import { takeMachineClocks } from './machine-clocks.js'
import { clockSkewMaxMs } from './profile.js'

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

/** After so long everything that was begun in a world without faults must have come to its end. */
const endMsMax = 10_000

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

/** Everything that may happen happens. */
function live(world: FleetWorld): void {
  const { profile, random, time, network } = world
  for (let slot = 0; slot < profile.processCount; slot++) world.start(slot)
  time.run(20, () => world.violation !== undefined)
  network.faults = profile.network
  const weights = Object.values(profile.weights) as number[]
  const names = Object.keys(profile.weights) as (keyof typeof profile.weights)[]
  for (let step = 0; step < profile.stepCount && world.violation === undefined; step++) {
    act(world, names[weighted(random, weights)]!)
    time.run(random.next() * random.next() * 2 * profile.gapMaxMs, () => world.violation !== undefined)
  }
}

/** Nothing is disturbed any more: all must end, come to rest and be there. */
function end(world: FleetWorld): void {
  const { network, store, processes, time, random } = world
  world.chronicle.note('world', 'is healed')
  network.faults = calm
  store.isDown = false
  store.throttled.clear()
  for (const process of processes) process.heal(time)
  const isSettled = () => world.restartsDue === 0 && world.up.length === processes.length && world.openCount === 0
  settle(world, isSettled, 'an operation never ended')
  settle(world, () => isAtRest(world), 'a route never came to rest')
  if (world.violation === undefined && random.next() < 0.3) mergeAllBack(world)
  if (world.violation === undefined) readAll(world)
  if (world.violation === undefined && world.profile.isSeenLater) seeLater(world)
}

/** When tombstones and sealed places are gone nothing may come back that they have kept out. */
function seeLater(world: FleetWorld): void {
  const { retryHorizonMs, leaseMs, sealRetentionMs } = world.profile.timings
  const { time, store } = world
  time.run(
    Math.max(sealRetentionMs, 2 * retryHorizonMs + leaseMs + clockSkewMaxMs) + 1,
    () => world.violation !== undefined,
  )
  for (const key of world.profile.itemKeys) store.sweep(key)
  readAll(world)
}

function mergeAllBack(world: FleetWorld): void {
  const { director, store } = world
  const keys = [...(store.directory?.routes.keys() ?? [])]
  for (const key of keys) director.mergeBack(key, 1)
  settle(world, () => isAtRest(world), 'a merge to one shard never ended')
}

function readAll(world: FleetWorld): void {
  const { profile, up } = world
  world.time.run(2 * profile.timings.refreshMs, () => world.violation !== undefined)
  for (const process of up) {
    for (const key of profile.recordKeys) world.read(process, key)
    for (const key of profile.itemKeys) world.scan(process, key, 'ascending', 2)
  }
  const { failedReads } = world.counts
  settle(world, () => world.openCount === 0, 'a last read never ended')
  if (world.counts.failedReads > failedReads) world.fail('a read failed although nothing was wrong any more')
}

function isAtRest({ store }: FleetWorld): boolean {
  for (const { phase } of store.directory?.routes.values() ?? [])
    if (phase !== 'active' && phase !== 'cold') return false
  return true
}

function settle(world: FleetWorld, isOver: () => boolean, otherwise: string): void {
  if (world.violation !== undefined) return
  const isDone = () => world.violation !== undefined || isOver()
  world.time.run(endMsMax, isDone)
  if (!isDone()) world.fail(`${otherwise} within ${endMsMax} ms: ${routesOf(world.store)}`)
}

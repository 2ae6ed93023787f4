import { calm, routesOf } from './network.js'
import { happens, oneOf, weighted, wholeBetween } from './draws.js'
import type { Counts } from './counts.js'
import { FleetWorld } from './fleet-world.js'
import { takeMachineClocks } from './machine-clocks.js'
import { leaseMs } from './profile.js'

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

function act(world: FleetWorld, what: keyof FleetWorld['profile']['weights']): void {
  const { profile, random, director, up } = world
  const { recordKeys, itemKeys, sorts } = profile
  const keys = [...new Set([...recordKeys, ...itemKeys])]
  if (what === 'announce') return director.grow(oneOf(random, keys), profile.fanoutMax)
  if (what === 'drain') return director.mergeBack(oneOf(random, keys))
  if (up.length === 0) return
  const process = oneOf(random, up)
  switch (what) {
    case 'write': {
      const key = oneOf(random, recordKeys)
      for (let left = wholeBetween(random, 1, 3); left > 0 && !process.isDead; left--) world.write(process, key)
      return
    }
    case 'read':
      return world.read(process, oneOf(random, recordKeys))
    case 'put':
    case 'delete':
      return world.change(process, oneOf(random, itemKeys), oneOf(random, sorts), what === 'delete')
    case 'get':
      return world.get(process, oneOf(random, itemKeys), oneOf(random, sorts))
    case 'scan': {
      const order = oneOf(random, ['ascending', 'descending'] as const)
      return world.scan(process, oneOf(random, itemKeys), order, wholeBetween(random, 0, 3))
    }
    default:
      disturb(world, what, process)
  }
}

type Fault = Exclude<
  keyof FleetWorld['profile']['weights'],
  'announce' | 'drain' | 'write' | 'read' | 'put' | 'delete' | 'get' | 'scan'
>

function disturb(world: FleetWorld, what: Fault, process: FleetWorld['up'][number]): void {
  const { random, profile, time, store, director, chronicle } = world
  const { maySuspendLongMs, isWallSkewed } = profile
  const whileMs = wholeBetween(random, 30, maySuspendLongMs)
  switch (what) {
    case 'crash':
      return crash(world, process)
    case 'pause':
    case 'suspend': {
      const frozen =
        what === 'pause' ? 'neither' : isWallSkewed ? oneOf(random, ['monotonic', 'wall'] as const) : 'monotonic'
      process.stop(frozen)
      return time.after(whileMs, () => process.goOn(time))
    }
    case 'partition':
      process.isCutOff = true
      chronicle.note(process.name, 'is cut off')
      return time.after(whileMs, () => {
        process.isCutOff = false
        chronicle.note(process.name, 'is connected again')
      })
    case 'throttle': {
      const shard = `${oneOf(random, [...profile.recordKeys, ...profile.itemKeys])}#${wholeBetween(random, 0, profile.fanoutMax - 1)}`
      store.throttled.add(shard)
      chronicle.note('store', `throttles ${shard}`)
      return time.after(whileMs, () => store.throttled.delete(shard))
    }
    case 'outage':
      store.isDown = true
      chronicle.note('store', 'is down')
      return time.after(whileMs, () => (store.isDown = false))
    case 'contention':
      for (let i = 0; i < 10; i++) time.after(i * 7, () => director.contend())
      return
    case 'jumpWall': {
      if (!isWallSkewed) return
      const byMs = wholeBetween(random, -300, 300)
      chronicle.note(process.name, `has its wall clock set by ${byMs} ms`)
      return process.clock.jumpWall(byMs)
    }
    case 'forget': {
      director.look()
      const count = store.forget(wholeBetween(random, 1, 2))
      return chronicle.note(
        'store',
        `forgets the newest ${count} changes of the directory: version ${store.document.version}`,
      )
    }
    default:
      what satisfies never
  }
}

/** At once, or before one of the next requests; some time later another process takes its place. */
function crash(world: FleetWorld, process: FleetWorld['up'][number]): void {
  const { random, time, processes, counts } = world
  const slot = processes.indexOf(process)
  process.crash(happens(random, 0.5) ? wholeBetween(random, 1, 4) : 0)
  counts.crashes += 1
  world.restartsDue += 1
  time.after(wholeBetween(random, 50, 1_500), () => {
    if (!process.isDead) process.crash()
    world.restartsDue -= 1
    world.start(slot)
  })
}

/** Nothing is disturbed any more: all must end, come to rest and be there. */
function end(world: FleetWorld): void {
  const { network, store, processes, time, random } = world
  world.chronicle.note('world', 'is healed')
  network.faults = calm
  store.isDown = false
  store.throttled.clear()
  for (const process of processes) {
    process.isCutOff = false
    process.goOn(time)
  }
  const isSettled = () => world.restartsDue === 0 && world.up.length === processes.length && world.openCount === 0
  settle(world, isSettled, 'an operation never ended')
  settle(world, () => isAtRest(world), 'a route never came to rest')
  if (world.violation === undefined && random.next() < 0.3) mergeAllBack(world)
  if (world.violation === undefined) readAll(world)
}

function mergeAllBack(world: FleetWorld): void {
  const { director, store } = world
  const keys = [...(store.directory?.routes.keys() ?? [])]
  for (const key of keys) director.mergeBack(key, 1)
  settle(world, () => isAtRest(world), 'a merge to one shard never ended')
}

function readAll(world: FleetWorld): void {
  const { profile, up } = world
  world.time.run(2 * profile.refreshMs, () => world.violation !== undefined)
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
  if (!isDone()) world.fail(`${otherwise} within ${Math.floor(endMsMax / leaseMs)} leases: ${routesOf(world.store)}`)
}

import type { ShardRef } from '../../../src/index.js'
import { shardsToRead } from '../../../src/routing/route.js'
import type { FleetWorld } from './fleet-world.js'
import { calm, routesOf } from './network.js'
import { clockSkewMaxMs } from './profile.js'
import { rules } from './simulated-process.js'

/** A cold route is dropped after 1.1 horizons and up to three leases, by a clock that may be slow. */
const gone = { horizons: 1.2, leases: 4 }

/** After so long everything that was begun in a world without faults must have come to its end. */
const endMsMax = 10_000

const call = { signal: new AbortController().signal }

/** Nothing is disturbed any more: all must end, come to rest and be there. */
export function end(world: FleetWorld): void {
  const { network, store, processes, time, random, profile } = world
  world.chronicle.note('world', 'is healed')
  world.isHealed = true
  network.faults = calm
  store.isDown = false
  store.throttled.clear()
  for (const process of processes) process.heal(time)
  const isSettled = () => world.restartsDue === 0 && world.up.length === processes.length && world.openCount === 0
  settle(world, isSettled, 'an operation never ended')
  if (profile.isForgetful) wait(world, 2 * profile.timings.leaseMs) // what was lost last comes back
  settle(world, () => isAtRest(world), 'a route never came to rest')
  const isMergedBack = random.next() < 0.3 && !profile.isSelfGoverned
  if (isMergedBack) mergeAllBack(world)
  readAll(world)
  if (isMergedBack) readOnce(world)
  if (profile.isSeenLater) seeLater(world, isMergedBack)
}

/** The director wishes it again and again, as a fleet does: some merges take two of its steps. */
function mergeAllBack(world: FleetWorld): void {
  const { director, store, time, profile } = world
  const untilMs = time.nowMs + 2 * endMsMax
  director.giveUpLost()
  for (;;) {
    const spread = [...(store.directory?.routes ?? [])].filter(([, { phase }]) => phase !== 'cold')
    if (world.violation !== undefined || spread.length === 0) return
    if (time.nowMs > untilMs) return world.fail(`a merge to one shard never ended: ${routesOf(store)}`)
    for (const [key] of spread) director.mergeBack(key, 1)
    wait(world, profile.timings.leaseMs)
  }
}

/** Through every process. */
function readAll(world: FleetWorld): void {
  const { profile, counts } = world
  wait(world, 2 * profile.timings.refreshMs)
  if (world.violation !== undefined) return
  world.isAtRest = true
  const { failedReads } = counts
  for (const process of world.up) {
    for (const key of profile.recordKeys) world.read(process, key)
    for (const key of profile.itemKeys) world.scan(process, key, 'ascending', 2)
  }
  settle(world, () => world.openCount === 0, 'a last read never ended')
  if (counts.failedReads > failedReads) world.fail('a read failed although nothing was wrong any more')
}

/** A key that was merged back costs one request a read again. */
function readOnce(world: FleetWorld): void {
  const { profile, network, store } = world
  const [key] = profile.recordKeys
  const [process] = world.up
  if (world.violation !== undefined || key === undefined || process === undefined) return
  // What a failover took may come back at any time, and a leader spreads what was throttled of late: it is merged back again.
  if ((profile.isForgetful || profile.isLed) && (store.directory?.routes.get(key)?.phase ?? 'cold') !== 'cold') return
  const before = network.readCounts.get(key) ?? 0
  world.read(process, key)
  settle(world, () => world.openCount === 0, 'a read never ended')
  const requestCount = (network.readCounts.get(key) ?? 0) - before
  if (requestCount !== 1) world.fail(`a read of ${key} took ${requestCount} requests after it was merged back`)
}

/** When tombstones and sealed places are gone nothing may come back that they have kept out, nor may more be left than the keys. */
function seeLater(world: FleetWorld, isMergedBack: boolean): void {
  const { profile, store } = world
  const { retryHorizonMs, leaseMs, sealRetentionMs } = profile.timings
  const tombstoneMs = 2 * retryHorizonMs + leaseMs + clockSkewMaxMs
  // Nothing is under way but second copies, which come within the horizon; the rest of the time would pass with nothing in it.
  const awakeMs = gone.horizons * retryHorizonMs + gone.leases * leaseMs
  wait(world, awakeMs)
  store.passMs(Math.max(0, (profile.isForgetful ? tombstoneMs : Math.max(sealRetentionMs, tombstoneMs)) - awakeMs))
  for (const key of profile.itemKeys) store.sweep(key)
  readAll(world)
  settle(world, () => isAtRest(world), 'a route never came to rest')
  // What a failover took may have come back meanwhile, and been merged back once more.
  if (isMergedBack && !profile.isLed) settle(world, () => !isColdRouteLeft(world), 'a cold route was never dropped')
  if (world.violation !== undefined) return
  if (!profile.isForgetful && isMergedBack && !profile.isLed && (store.directory?.routes.size ?? 0) > 0)
    world.fail(`there are routes left: ${routesOf(store)}`)
  if (!profile.isForgetful) for (const shard of store.places.values()) checkRemains(world, shard)
}

/** A place that belongs to no route any more holds no field. */
function checkRemains(world: FleetWorld, shard: ShardRef): void {
  const { key, index, generation } = shard
  const route = world.store.directory?.routes.get(key)
  if (route !== undefined && shardsToRead(key, route)[index]?.generation.number === generation.number) return
  if (world.store.hasExpired(shard)) return
  const fields = Object.entries(rules).map(([name, rule]) => ({ name, rule }))
  const read = { shards: [world.store.placed(shard)], fields, consistency: 'strong' } as const
  void world.store.inner.records.read(read, call).then(([contents]) => {
    if (contents?.status !== 'read' || contents.states.every((state) => state === undefined)) return
    world.fail(`shard ${index} of ${key}, generation ${generation.number}, was never cleared`)
  })
  wait(world, 0)
}

function isAtRest({ store }: FleetWorld): boolean {
  for (const { phase } of store.directory?.routes.values() ?? [])
    if (phase !== 'active' && phase !== 'cold') return false
  return true
}

function isColdRouteLeft({ store }: FleetWorld): boolean {
  for (const { phase } of store.directory?.routes.values() ?? []) if (phase === 'cold') return true
  return false
}

function wait(world: FleetWorld, ms: number): void {
  world.time.run(ms, () => world.violation !== undefined)
}

function settle(world: FleetWorld, isOver: () => boolean, otherwise: string): void {
  if (world.violation !== undefined) return
  const isDone = () => world.violation !== undefined || isOver()
  world.time.run(endMsMax, isDone)
  if (!isDone()) world.fail(`${otherwise} within ${endMsMax} ms: ${routesOf(world.store)}`)
}

import { happens, oneOf, weighted, wholeBetween } from './draws.js'
import type { FleetWorld } from './fleet-world.js'
import type { Weights } from './profile.js'

/** Does one thing, and draws everything about it. */
export function act(world: FleetWorld, what: keyof Weights): void {
  const { profile, random, director, up } = world
  const { recordKeys, itemKeys } = profile
  const keys = [...new Set([...recordKeys, ...itemKeys])]
  if (what === 'announce') return director.grow(oneOf(random, keys), profile.fanoutMax)
  if (what === 'drain') return director.mergeBack(oneOf(random, keys))
  if (up.length === 0) return
  if (isTalk(what)) return talk(world, oneOf(random, up), what)
  // A clock that is set shows where another process is the one that is left behind.
  const disturbed = what === 'jumpWall' ? up : up.filter(({ isSpared }) => !isSpared)
  if (disturbed.length > 0) disturb(world, what, oneOf(random, disturbed))
}

type Talk = 'write' | 'read' | 'put' | 'delete' | 'get' | 'scan'

const talks: readonly Talk[] = ['write', 'read', 'put', 'delete', 'get', 'scan']

function isTalk(what: string): what is Talk {
  return (talks as readonly string[]).includes(what)
}

function talk(world: FleetWorld, process: FleetWorld['up'][number], what: Talk): void {
  const { profile, random } = world
  const { recordKeys, itemKeys, sorts } = profile
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
      return world.scan(process, oneOf(random, itemKeys), order, wholeBetween(random, 0, 2))
    }
    default:
      what satisfies never
  }
}

type Fault = Exclude<keyof Weights, Talk | 'announce' | 'drain'>

function disturb(world: FleetWorld, what: Fault, process: FleetWorld['up'][number]): void {
  const { random, profile, time, store, director, chronicle, up } = world
  const { faultMaxMs, wallSkewMs } = profile
  const whileMs = wholeBetween(random, 30, faultMaxMs)
  switch (what) {
    case 'crash':
      return crash(world, process)
    case 'pause':
    case 'suspend': {
      const frozen =
        what === 'pause' ? 'neither' : wallSkewMs > 0 ? oneOf(random, ['monotonic', 'wall'] as const) : 'monotonic'
      process.stop(frozen)
      return time.after(whileMs, () => goOn(world, process))
    }
    case 'partition':
      process.isCutOff = true
      chronicle.note(process.name, 'is cut off')
      return time.after(whileMs, () => {
        process.isCutOff = false
        chronicle.note(process.name, 'is connected again')
      })
    case 'blind':
      process.isBlind = true
      chronicle.note(process.name, 'cannot reach the directory')
      return time.after(whileMs, () => {
        process.isBlind = false
        chronicle.note(process.name, 'reaches the directory again')
      })
    case 'lag': {
      const lag = () => (happens(random, 0.6) ? wholeBetween(random, 20, faultMaxMs) : 0)
      process.lagMs = { there: lag(), back: lag() }
      chronicle.note(process.name, `lags by ${process.lagMs.there} and ${process.lagMs.back} ms`)
      return time.after(whileMs, () => {
        process.lagMs = { there: 0, back: 0 }
      })
    }
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
    case 'jumpWall':
      if (wallSkewMs === 0) return
      return soonAfterChange(world, oneOf(random, [60, 150]), () => {
        if (world.isHealed) return
        const byMs = wholeBetween(random, -wallSkewMs, wallSkewMs)
        chronicle.note(process.name, `has its wall clock set by ${byMs} ms`)
        process.clock.jumpWall(byMs)
        for (let left = 3; left > 0; left--) {
          talkSoon(world, process, 60)
          talkSoon(world, oneOf(random, up), 90)
        }
      })
    case 'forget':
      return soonAfterChange(world, 400, () => failOver(world))
    default:
      what satisfies never
  }
}

/** What a process does first when it has been away is what it should not do. */
function goOn(world: FleetWorld, process: FleetWorld['up'][number]): void {
  process.goOn(world.time)
  for (let left = 3; left > 0; left--) talkSoon(world, process, 30)
}

/** It is asked something within so many milliseconds. */
function talkSoon(world: FleetWorld, process: FleetWorld['up'][number], soonMs: number): void {
  const { random, time, profile } = world
  time.after(random.next() * soonMs, () => {
    if (world.isHealed || !world.up.includes(process)) return
    const weights = talks.map((one) => profile.weights[one])
    talk(world, process, talks[weighted(random, weights)]!)
  })
}

/** At once, or up to so much later than the next change of the directory: most of what can go wrong does so then. */
function soonAfterChange({ random, time, store }: FleetWorld, soonMs: number, run: () => void): void {
  if (happens(random, 0.3)) return run()
  const { version } = store.document
  const look = (left: number) => {
    if (store.document.version !== version) time.after(random.next() * soonMs, run)
    else if (left > 0) time.after(15, () => look(left - 1))
  }
  look(40)
}

/** What was not replicated yet is lost, which is never long ago; what brings it about may have taken all processes with it. */
function failOver(world: FleetWorld): void {
  const { random, store, chronicle } = world
  if (world.isHealed) return
  const count = world.forget(wholeBetween(random, 1, 2))
  if (count === 0) return
  chronicle.note('store', `forgets the newest ${count} changes of the directory: version ${store.document.version}`)
  if (happens(random, 0.4)) for (const process of world.up) crash(world, process)
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

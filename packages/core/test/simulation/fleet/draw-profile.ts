// What a seed is made of: how large its world is, how its faults are distributed, and what its processes do. Every strength is drawn
// for itself, and each fault is absent from many seeds, since a world in which everything fails gets nowhere. In many worlds
// routes move on while something is still under way from before: leases are short against what a request may take, a leader takes
// their steps at once, only one process is disturbed, or only the data is slow and not the directory.
// Source: Groce et al., «Swarm testing» (ISSTA 2012).

import type { Random } from '../../../src/chance/random.js'
import { inClimate } from './climates.js'
import { happens, oneOf, wholeBetween } from './draws.js'
import type { NetworkFaults, Profile, Timings, Weights } from './profile.js'

/** How fast routes go on against requests. */
interface Pace {
  readonly isHasty: boolean
  readonly isLagging: boolean
}

interface Memory {
  readonly isForgetful: boolean
}

type Kind = 'records' | 'items' | 'both' | 'shared'

/** Draws a world. */
export function drawProfile(random: Random): Profile {
  return inClimate(drawAll(random), random)
}

/** Each strength for itself. */
function drawAll(random: Random): Profile {
  const kind = oneOf<Kind>(random, ['records', 'items', 'both', 'shared'])
  const keyCount = random.next() < 0.8 ? 1 : 2
  const names = ['k', 'm'].slice(0, keyCount)
  const recordKeys = kind === 'items' ? [] : names.map((name) => (kind === 'shared' ? name : `r/${name}`))
  const itemKeys = kind === 'records' ? [] : names.map((name) => (kind === 'shared' ? name : `c/${name}`))
  const isForgetful = random.next() < 0.25
  const isHasty = random.next() < 0.5 // leases are short against what a request may take
  const wallSkewMs = random.next() < 0.7 ? 0 : kind === 'records' ? oneOf(random, [300, 3_000]) : 300
  const isLed = random.next() < (wallSkewMs > 0 ? 0.7 : 0.35) // a clock that is set matters where it decides
  const isLagging = isLed && random.next() < 0.6 // data is slow, and its routes go on
  const timings = drawTimings(random, { isForgetful, isHasty, isLagging })
  const processCount = oneOf(random, [2, 2, 2, 3, 3, 4, 5])
  return {
    processCount,
    disturbedCount: oneOf(random, [1, processCount]),
    stepCount: wholeBetween(random, 30, 80),
    gapMaxMs: oneOf(random, isHasty ? [30, 80] : isLed ? [30, 80, 200] : [30, 80, 200, 400]),
    recordKeys,
    itemKeys,
    sorts: ['a', 'b', 'c', 'd'].slice(0, wholeBetween(random, 1, 4)),
    timings,
    windowMs: oneOf(random, [0, 40]),
    fanoutMax: oneOf(random, [2, 2, 4, 8]),
    shardsPerReadMax: oneOf(random, [1, 1, 2, 100]),
    itemsPerPageMax: oneOf(random, [1, 2, 1_000, 1_000]),
    faultMaxMs: oneOf(random, [400, 900, 2_000]),
    isRateSkewed: random.next() < 0.5,
    wallSkewMs,
    isForgetful,
    isSelfGoverned: !isForgetful && random.next() < 0.1,
    isLed,
    isSeenLater: random.next() < (kind === 'records' ? 0.05 : 0.5),
    network: drawNetwork(random, timings, { isHasty, isLagging }),
    weights: {
      ...drawWeights(random, kind, { isForgetful, isLagging }),
      jumpWall: wallSkewMs > 0 ? random.next() * 10 : 0,
    },
  }
}

/** What a failover takes is seconds old, and seals stay for a day: so none expires in a world that forgets. */
function drawTimings(random: Random, { isForgetful, isHasty, isLagging }: Pace & Memory): Timings {
  const isPatient = isLagging || random.next() < 0.45
  const retryHorizonMs = isPatient ? 3_000 : oneOf(random, [1_000, 1_500])
  const requestTimeoutMs = oneOf(random, isLagging ? [50, 100, 500, 2_000] : [50, 100, 150, 500])
  return {
    tickMs: isHasty ? 20 : 50,
    refreshMs: isHasty ? 20 : oneOf(random, [50, 90]),
    leaseMs: isHasty ? 60 : oneOf(random, [150, 150, 300]),
    retryHorizonMs,
    sealRetentionMs: isForgetful ? 600_000 : retryHorizonMs + oneOf(random, [200, 2_000]),
    requestTimeoutMs,
    writeTimeoutMs: isPatient ? 2_500 : 700,
    shardTimeoutMs: isPatient ? 2_500 : 700,
  }
}

function drawNetwork(random: Random, { retryHorizonMs }: Timings, { isHasty, isLagging }: Pace): NetworkFaults {
  return {
    delayMaxMs: oneOf(random, isHasty ? [2, 10] : [2, 10, 40]),
    slow: isLagging ? 0.2 + random.next() / 2 : sometimes(random, 0.3),
    slowMaxMs: oneOf(random, isLagging ? [900, 1_500] : [100, 300, 900]),
    loseRequest: sometimes(random, 0.15),
    loseAnswer: sometimes(random, 0.3),
    duplicate: sometimes(random, 0.4),
    duplicateMaxMs: oneOf(random, [100, 600, retryHorizonMs, 3 * retryHorizonMs]),
    leaveOut: sometimes(random, 0.2),
    isDirectorySpared: isLagging || random.next() < 0.3,
  }
}

function drawWeights(
  random: Random,
  kind: Kind,
  { isForgetful, isLagging }: Pick<Pace, 'isLagging'> & Memory,
): Omit<Weights, 'jumpWall'> {
  const churn = isLagging ? 2 : 1
  const hasRecords = kind !== 'items'
  const hasItems = kind !== 'records'
  return {
    write: hasRecords ? wholeBetween(random, 3, 10) : 0,
    read: hasRecords ? wholeBetween(random, 2, 8) : 0,
    put: hasItems ? wholeBetween(random, 3, 10) : 0,
    delete: hasItems ? wholeBetween(random, 0, 6) : 0,
    get: hasItems ? wholeBetween(random, 1, 5) : 0,
    scan: hasItems ? wholeBetween(random, 0, 5) : 0,
    announce: churn * wholeBetween(random, 3, 6),
    drain: churn * wholeBetween(random, 2, 6),
    crash: sometimes(random, 1.5),
    pause: sometimes(random, 3),
    suspend: sometimes(random, 3),
    partition: sometimes(random, 2),
    blind: random.next() < 0.6 ? random.next() * 4 : 0,
    lag: random.next() < 0.6 ? random.next() * 5 : 0,
    throttle: sometimes(random, 2),
    outage: sometimes(random, 0.5),
    contention: sometimes(random, 2),
    forget: isForgetful ? 2 : 0,
  }
}

/** A strength of up to `most` in some worlds, and none in the others. */
function sometimes(random: Random, most: number): number {
  return happens(random, 0.4) ? random.next() * most : 0
}

// Problem: what takes several rare things on one item or write is not met where every strength is drawn for itself.
// Scheme: some worlds have a climate: a few things that go together are frequent in it, and what hides them is absent.
// Invariants: a climate changes only how often and how long; whatever it brings about must keep every promise.

import type { Random } from '../../../src/chance/random.js'
import { happens, oneOf } from './draws.js'
import type { NetworkFaults, Profile, Timings, Weights } from './profile.js'

interface Climate {
  fits(profile: Profile): boolean
  /** The same world in this climate. */
  change(profile: Profile, random: Random): Profile
}

/** Leases are short against what a request may take, and nobody gives up early. */
const quickRoutes: Partial<Timings> = {
  tickMs: 20,
  refreshMs: 20,
  leaseMs: 60,
  retryHorizonMs: 3_000,
  sealRetentionMs: 3_200,
  writeTimeoutMs: 2_500,
  shardTimeoutMs: 2_500,
}

/** Who does not fetch the directory often goes by what was true most of a lease ago. */
const oldSnapshots: Partial<Timings> = { tickMs: 20, refreshMs: 150, leaseMs: 200 }

const noFaults: Omit<Weights, 'write' | 'read' | 'put' | 'delete' | 'get' | 'scan' | 'announce' | 'drain'> = {
  crash: 0,
  pause: 0,
  suspend: 0,
  partition: 0,
  blind: 0,
  lag: 0,
  throttle: 0,
  outage: 0,
  contention: 0,
  jumpWall: 0,
  forget: 0,
}

/** Writes reach sealed places again and again, and are routed again while earlier attempts are under way. */
const busySeals: Climate = {
  fits: ({ recordKeys }) => recordKeys.length > 0,
  change: (profile, random) => ({
    ...profile,
    processCount: 4,
    disturbedCount: 3,
    network: slowData(profile, random, 1_500),
    itemKeys: [],
    timings: { ...profile.timings, ...quickRoutes, requestTimeoutMs: 50 },
    gapMaxMs: 80,
    stepCount: 80,
    windowMs: 0,
    fanoutMax: oneOf(random, [2, 4]),
    isLed: true,
    weights: {
      ...profile.weights,
      ...noFaults,
      write: 8,
      read: 8,
      put: 0,
      delete: 0,
      get: 0,
      scan: 0,
      announce: 12,
      drain: 10,
    },
  }),
}

/** Puts take longer than their leases, while their items are deleted and their keys grow; and tombstones go at last. */
const slowPuts: Climate = {
  fits: ({ itemKeys }) => itemKeys.length > 0,
  change: (profile, random) => ({
    ...profile,
    disturbedCount: oneOf(random, [1, profile.processCount - 1]),
    network: slowData(profile, random, oneOf(random, [300, 900])),
    timings: { ...profile.timings, ...quickRoutes, requestTimeoutMs: oneOf(random, [500, 2_000]) },
    gapMaxMs: oneOf(random, [30, 80]),
    fanoutMax: oneOf(random, [4, 8]),
    isSeenLater: true,
    weights: {
      ...profile.weights,
      ...noFaults,
      write: 0,
      read: 0,
      put: 10,
      delete: 7,
      get: 1,
      scan: 1,
      announce: 5,
      drain: 2,
      pause: 1,
    },
  }),
}

/** Iterations read page by page while their keys are merged back. */
const longIterations: Climate = {
  fits: ({ itemKeys }) => itemKeys.length > 0,
  change: (profile, random) => ({
    ...profile,
    disturbedCount: oneOf(random, [1, profile.processCount - 1]),
    network: slowData(profile, random, 900),
    timings: { ...profile.timings, ...quickRoutes, requestTimeoutMs: oneOf(random, [500, 2_000]) },
    gapMaxMs: 80,
    fanoutMax: oneOf(random, [2, 4]),
    itemsPerPageMax: oneOf(random, [1, 1_000]),
    weights: {
      ...profile.weights,
      ...noFaults,
      write: 0,
      read: 0,
      put: 5,
      delete: 0,
      get: 0,
      scan: 10,
      announce: 8,
      drain: 8,
    },
  }),
}

/** Clocks are set at whoever takes the steps, while others act upon what they were shown before. */
const setClocks: Climate = {
  fits: ({ recordKeys }) => recordKeys.length > 0,
  change: (profile, random) => ({
    ...profile,
    timings: { ...profile.timings, ...oldSnapshots, leaseMs: 300, refreshMs: 280 },
    processCount: 2,
    disturbedCount: 0,
    isLed: true,
    wallSkewMs: 3_000,
    gapMaxMs: 50,
    stepCount: 80,
    itemKeys: [],
    windowMs: 0,
    fanoutMax: oneOf(random, [4, 8]),
    weights: {
      ...profile.weights,
      ...noFaults,
      write: 10,
      read: 10,
      put: 0,
      delete: 0,
      get: 0,
      scan: 0,
      announce: 8,
      drain: 6,
      jumpWall: 8,
    },
  }),
}

/** Keys are drained to fanouts that they never had, while some read by the route from before what others put. */
const halfwayDrains: Climate = {
  fits: ({ itemKeys }) => itemKeys.length > 0,
  change: (profile, random) => ({
    ...profile,
    timings: { ...profile.timings, ...oldSnapshots },
    disturbedCount: 0,
    gapMaxMs: 80,
    sorts: ['a', 'b'],
    fanoutMax: oneOf(random, [4, 8]),
    isLed: true,
    weights: {
      ...profile.weights,
      ...noFaults,
      write: 0,
      read: 0,
      put: 10,
      delete: 1,
      get: 8,
      scan: 0,
      announce: 4,
      drain: 8,
    },
  }),
}

const climates = [busySeals, slowPuts, longIterations, setClocks, halfwayDrains]

/** The same world, or that world in one of the climates that fit. */
export function inClimate(profile: Profile, random: Random): Profile {
  if (profile.isForgetful || profile.isSelfGoverned || !happens(random, 0.45)) return profile
  const fitting = climates.filter((one) => one.fits(profile))
  return oneOf(random, fitting).change(profile, random)
}

/** Places of data are slow, and the directory is not. */
function slowData({ network }: Profile, random: Random, slowMaxMs: number): NetworkFaults {
  const slow = 0.3 + random.next() / 2
  return { ...network, delayMaxMs: 2, slow, slowMaxMs, loseRequest: 0, loseAnswer: 0, isDirectorySpared: true }
}

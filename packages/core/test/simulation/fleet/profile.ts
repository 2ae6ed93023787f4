// What a seed is made of: how large its world is, how its faults are distributed, and what its processes do. Every strength is drawn
// for itself, and each fault is absent from many seeds, since a world in which everything fails gets nowhere.

import type { Random } from '../../../src/chance/random.js'
import { happens, oneOf, wholeBetween } from './draws.js'

/** How the network treats requests. */
export interface NetworkFaults {
  /** A request, and an answer, takes 1 to so many milliseconds. */
  readonly delayMaxMs: number
  /** How many of them take up to `slowMaxMs` instead. */
  readonly slow: number
  readonly slowMaxMs: number
  /** How many requests, and how many answers, get lost. */
  readonly loseRequest: number
  readonly loseAnswer: number
  /** How many are delivered once more, up to `duplicateMaxMs` later. */
  readonly duplicate: number
  readonly duplicateMaxMs: number
  /** How many of a batch's shards are left out of the answer. */
  readonly leaveOut: number
}

/** How often what is done, relative to each other. */
export interface Weights {
  readonly write: number
  readonly read: number
  readonly put: number
  readonly delete: number
  readonly get: number
  readonly scan: number
  readonly announce: number
  readonly drain: number
  readonly crash: number
  readonly pause: number
  readonly suspend: number
  readonly partition: number
  readonly throttle: number
  readonly outage: number
  readonly contention: number
  readonly jumpWall: number
  readonly forget: number
}

/** A world to be made. */
export interface Profile {
  readonly processCount: number
  readonly stepCount: number
  /** The pause between two steps is up to this long. */
  readonly gapMaxMs: number
  readonly recordKeys: readonly string[]
  readonly itemKeys: readonly string[]
  readonly sorts: readonly string[]
  readonly refreshMs: number
  readonly retryHorizonMs: number
  readonly sealRetentionMs: number
  readonly windowMs: number
  readonly fanoutMax: number
  readonly shardsPerReadMax: number
  readonly maySuspendLongMs: number
  /** Whether the rates of monotonic clocks differ. */
  readonly isRateSkewed: boolean
  /** Whether wall clocks differ, which items show in the order of their stamps. */
  readonly isWallSkewed: boolean
  /** Whether the store may lose its newest changes of the directory, and keeps stamps against it. */
  readonly isForgetful: boolean
  /** Whether the processes find out for themselves what is hot. */
  readonly isSelfGoverned: boolean
  readonly network: NetworkFaults
  readonly weights: Weights
}

/** How long a fetched directory may be acted upon; all other timings of the simulation follow from it. */
export const leaseMs = 300

/** After so long a request is sent again. */
export const requestTimeoutMs = 150

/** After so long a write is given up. */
export const writeTimeoutMs = 700

/** A stamp so far ahead is not followed; walls differ by less. */
export const clockSkewMaxMs = 1_000

/** Draws a world. */
export function drawProfile(random: Random): Profile {
  const kind = oneOf(random, ['records', 'items', 'both', 'shared'] as const)
  const keyCount = random.next() < 0.8 ? 1 : 2
  const names = ['k', 'm'].slice(0, keyCount)
  const recordKeys = kind === 'items' ? [] : names.map((name) => (kind === 'shared' ? name : `r/${name}`))
  const itemKeys = kind === 'records' ? [] : names.map((name) => (kind === 'shared' ? name : `c/${name}`))
  const retryHorizonMs = oneOf(random, [1_000, 1_500, 3_000])
  const isForgetful = random.next() < 0.25
  return {
    processCount: oneOf(random, [2, 2, 2, 3, 3, 4, 5]),
    stepCount: wholeBetween(random, 30, 80),
    gapMaxMs: oneOf(random, [30, 80, 200, 400]),
    recordKeys,
    itemKeys,
    sorts: ['a', 'b', 'c', 'd'].slice(0, wholeBetween(random, 1, 4)),
    refreshMs: oneOf(random, [60, 100, 200]),
    retryHorizonMs,
    sealRetentionMs: oneOf(random, [3_100, 5_000]),
    windowMs: oneOf(random, [0, 40]),
    fanoutMax: oneOf(random, [2, 2, 4, 8]),
    shardsPerReadMax: oneOf(random, [1, 2, 100, 100]),
    maySuspendLongMs: oneOf(random, [400, 900, 2_000]),
    isRateSkewed: random.next() < 0.5,
    isWallSkewed: random.next() < 0.3,
    isForgetful,
    isSelfGoverned: !isForgetful && random.next() < 0.2,
    network: drawNetwork(random, retryHorizonMs),
    weights: drawWeights(random, kind, isForgetful),
  }
}

function drawNetwork(random: Random, retryHorizonMs: number): NetworkFaults {
  return {
    delayMaxMs: oneOf(random, [2, 10, 40]),
    slow: sometimes(random, 0.2),
    slowMaxMs: oneOf(random, [100, 300, 900]),
    loseRequest: sometimes(random, 0.15),
    loseAnswer: sometimes(random, 0.2),
    duplicate: sometimes(random, 0.3),
    duplicateMaxMs: oneOf(random, [100, 600, retryHorizonMs]),
    leaveOut: sometimes(random, 0.2),
  }
}

function drawWeights(random: Random, kind: 'records' | 'items' | 'both' | 'shared', isForgetful: boolean): Weights {
  const hasRecords = kind !== 'items'
  const hasItems = kind !== 'records'
  return {
    write: hasRecords ? wholeBetween(random, 4, 12) : 0,
    read: hasRecords ? wholeBetween(random, 2, 8) : 0,
    put: hasItems ? wholeBetween(random, 4, 10) : 0,
    delete: hasItems ? wholeBetween(random, 0, 6) : 0,
    get: hasItems ? wholeBetween(random, 1, 5) : 0,
    scan: hasItems ? wholeBetween(random, 0, 3) : 0,
    announce: 4,
    drain: wholeBetween(random, 1, 5),
    crash: sometimes(random, 1.5),
    pause: sometimes(random, 3),
    suspend: sometimes(random, 2),
    partition: sometimes(random, 2),
    throttle: sometimes(random, 2),
    outage: sometimes(random, 0.5),
    contention: sometimes(random, 2),
    jumpWall: sometimes(random, 1),
    forget: isForgetful ? 1 : 0,
  }
}

function sometimes(random: Random, most: number): number {
  return happens(random, 0.4) ? random.next() * most : 0
}

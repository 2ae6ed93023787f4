// Loads peers in turn: A, B, C, then B, C, A and so on, each for a slice of time with the same number of callers, every one of
// whom awaits its operation before it makes the next. Ratios are taken within a round, and only then over the rounds, so
// that whoever else uses the machine slows both sides. After the last round each peer's store must hold what was counted.

import { ownCopy } from './own-copy.js'
import { spreadOf, type Spread } from './spread.js'

/** One way to do the work. */
export interface Peer {
  readonly name: string
  /** One operation. A peer that fails one ends the benchmark. */
  operate(): Promise<unknown>
  /** How many requests have been made for it so far, as the engine or the wire tells. */
  requestCount?(): Promise<number>
  /** Rejects when the store does not hold what so many operations make. */
  check(operationCount: number): Promise<void>
}

/** How much load. */
export interface LoadOptions {
  readonly callerCount: number
  readonly rounds: number
  /** So long callers begin operations; those under way are awaited and counted. */
  readonly sliceMs: number
}

/** Figures of one peer. Ratios are against the first peer, in the same round. */
export interface LoadRow {
  readonly name: string
  /** Operations a second. */
  readonly perSecond: Spread
  readonly ratio: Spread
  /** CPU time of this process, all threads, an operation. */
  readonly cpuUs: Spread
  readonly cpuRatio: Spread
  /** How long a caller waits for its operation, on average. */
  readonly waitMs: Spread
  /** Requests an operation, over all rounds; undefined where nobody counts. */
  readonly requests: number | undefined
}

interface Slice {
  readonly operations: number
  readonly perSecond: number
  readonly cpuUs: number
  readonly requests: number | undefined
}

type Drive = (operate: () => Promise<unknown>, callerCount: number, isOver: () => boolean) => Promise<number>

/** Runs all peers, the first of which is the baseline, one round of warming up and then the rounds. */
export async function underLoad(peers: readonly Peer[], options: LoadOptions): Promise<LoadRow[]> {
  const { callerCount, rounds } = options
  const runs = peers.map((peer) => ({ peer, drive: ownCopy<Drive>(driven), total: 0 }))
  const slices: Slice[][] = []
  for (let round = -1; round < rounds; round++) {
    const row: Slice[] = []
    for (let turn = 0; turn < runs.length; turn++) {
      const i = (turn + round + 1) % runs.length
      const run = runs[i] as (typeof runs)[number]
      const slice = await sliceOf(run.peer, run.drive, options)
      run.total += slice.operations
      row[i] = slice
    }
    if (round >= 0) slices.push(row)
  }
  for (const { peer, total } of runs) await peer.check(total)
  return peers.map(({ name }, i) => {
    const own = slices.map((row) => row[i] as Slice)
    const column = (figure: (slice: Slice, base: Slice) => number) =>
      spreadOf(own.map((slice, round) => figure(slice, slices[round]?.[0] as Slice)))
    return {
      name,
      perSecond: column((slice) => slice.perSecond),
      ratio: column((slice, base) => slice.perSecond / base.perSecond),
      cpuUs: column((slice) => slice.cpuUs),
      cpuRatio: column((slice, base) => slice.cpuUs / base.cpuUs),
      waitMs: column((slice) => (callerCount / slice.perSecond) * 1_000),
      requests: requestsOf(own),
    }
  })
}

async function sliceOf(peer: Peer, drive: Drive, { callerCount, sliceMs }: LoadOptions): Promise<Slice> {
  globalThis.gc?.({ type: 'minor' }) // nobody pays for what others have thrown away
  const requestsBefore = await peer.requestCount?.()
  let isOver = false
  const timer = setTimeout(() => (isOver = true), sliceMs)
  const cpuBefore = process.cpuUsage()
  const beganMs = performance.now()
  const operations = await drive(
    () => peer.operate(),
    callerCount,
    () => isOver,
  )
  const seconds = (performance.now() - beganMs) / 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  clearTimeout(timer)
  const requestsAfter = await peer.requestCount?.()
  return {
    operations,
    perSecond: operations / seconds,
    cpuUs: (user + system) / operations,
    requests: requestsAfter === undefined ? undefined : requestsAfter - (requestsBefore ?? 0),
  }
}

/** Answers with how many operations were served. */
async function driven(operate: () => Promise<unknown>, callerCount: number, isOver: () => boolean): Promise<number> {
  let served = 0
  const caller = async () => {
    while (!isOver()) {
      await operate()
      served += 1
    }
  }
  await Promise.all(Array.from({ length: callerCount }, caller))
  return served
}

function requestsOf(slices: readonly Slice[]): number | undefined {
  let requests = 0
  let operations = 0
  for (const slice of slices) {
    if (slice.requests === undefined) return undefined
    requests += slice.requests
    operations += slice.operations
  }
  return requests / operations
}

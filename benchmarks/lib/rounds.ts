// Times contenders in rounds: A, B, C, then B, C, A, then C, A, B and so on, each for a fixed number of batches timed by
// tinybench, in CPU time. A ratio is taken within a round and only then over the rounds, so that a machine which is slower for a while
// slows both sides of it. Bytes are measured in further rounds, a batch at a time with no collection in it.

import { Bench, type Task } from 'tinybench'

import type { Batch } from './drivers.js'
import { bytesTakenBy } from './heap.js'
import { spreadOf, type Spread } from './spread.js'

/** One way to do the work. */
export interface Contender {
  readonly name: string
  readonly batch: Batch
  /** The keys of the next batch. Not timed. */
  readonly keys: () => readonly string[]
  /** Brings things back to where a batch begins. Not timed. */
  after?(): unknown
}

/** What is wanted of a contender, compared with the baseline. */
export interface Goal {
  readonly contender: string
  readonly ratioMax?: number
  readonly overNsMax?: number
  readonly overBytesMax?: number
}

/** How much is run. */
export interface RoundsOptions {
  /** At least 15. */
  readonly rounds: number
  /** Batches of each contender in a round. */
  readonly batches: number
}

/** Figures of one contender, each an operation. «Over» and ratios are against the first contender, in the same round. */
export interface Row {
  readonly name: string
  readonly ns: Spread
  readonly ratio: Spread
  readonly overNs: Spread
  readonly bytes: Spread
  readonly overBytes: Spread
}

const warmUpRounds = 4

/** Runs all contenders, the first of which is the baseline. Throws when a batch has not served every caller. */
export async function inRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<Row[]> {
  const { rounds, batches } = options
  const timed = contenders.map((contender) => ({ task: taskOf(contender, batches), contender }))
  for (let round = 0; round < warmUpRounds; round++) {
    for (const { task, contender } of timed) {
      await nsOf(task)
      await bytesOf(contender)
    }
  }
  const ns = await table(timed, rounds, async ({ task }) => nsOf(task))
  const bytes = await table(timed, rounds, async ({ contender }) => bytesOf(contender))
  return contenders.map(({ name, keys }, i) => {
    const perOperation = 1 / keys().length
    const column = (figures: readonly number[][], combine: (value: number, base: number) => number) =>
      spreadOf(figures.map((round) => combine(round[i] ?? Number.NaN, round[0] ?? Number.NaN)))
    return {
      name,
      ns: column(ns, (value) => value * perOperation),
      ratio: column(ns, (value, base) => value / base),
      overNs: column(ns, (value, base) => (value - base) * perOperation),
      bytes: column(bytes, (value) => value * perOperation),
      overBytes: column(bytes, (value, base) => (value - base) * perOperation),
    }
  })
}

function taskOf(contender: Contender, batches: number): Task {
  let keys: readonly string[] = []
  const bench = new Bench({ iterations: batches, time: 0, warmup: false, throws: true, now: cpuMs })
  bench.add(contender.name, async () => checkServed(contender, keys, await contender.batch(keys)), {
    async: true,
    beforeEach: () => {
      keys = contender.keys()
    },
    afterEach: async () => {
      await contender.after?.()
    },
  })
  return bench.tasks[0] as Task
}

/**
 * CPU time of the process, all its threads: who else runs on the machine does not count, and collections count in full, also
 * where V8 spreads them over threads. The kernel tells it to the microsecond.
 */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Mean time of a batch in this round: collections of garbage are part of what a contender costs. */
async function nsOf(task: Task): Promise<number> {
  task.reset()
  globalThis.gc?.({ type: 'minor' }) // nobody pays for what others have thrown away
  await task.run()
  const { result } = task
  if (result.state !== 'completed') throw new Error(`${task.name} ended ${result.state}`)
  return result.latency.mean * 1e6
}

async function bytesOf(contender: Contender): Promise<number> {
  let keys: readonly string[] = []
  const bytes = await bytesTakenBy(
    async () => checkServed(contender, keys, await contender.batch(keys)),
    async () => {
      await contender.after?.()
      keys = contender.keys()
    },
  )
  await contender.after?.()
  return bytes
}

function checkServed({ name }: Contender, keys: readonly string[], servedCount: number): void {
  if (servedCount !== keys.length) throw new Error(`${name}: ${servedCount} of ${keys.length} callers were served`)
}

/** figures[round][contender], the order rotated from round to round. */
async function table<T>(
  items: readonly T[],
  rounds: number,
  measure: (item: T) => Promise<number>,
): Promise<number[][]> {
  const figures: number[][] = []
  for (let round = 0; round < rounds; round++) {
    const row = items.map(() => Number.NaN)
    for (let turn = 0; turn < items.length; turn++) {
      const i = (turn + round) % items.length
      row[i] = await measure(items[i] as T)
    }
    figures.push(row)
  }
  return figures
}

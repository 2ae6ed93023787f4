// Reads in rounds: in each, every peer reads the same parts one after another, the order of peers rotated from round to
// round. Ratios are taken within a round, as in load.ts; what a read has cost is told by whoever counts requests. What came
// back is compared with what must have come, outside of the time that counts.

import { spreadOf, type Spread } from './spread.js'

/** What a peer has spent since it was made. */
export interface Spent {
  readonly requests: number
  /** Undefined where the store has none. */
  readonly units: number | undefined
  /** Items, or their places in the order, that the store has handed over. */
  readonly itemsRead: number
}

/** One way to read a part of a collection in order. */
export interface Reader {
  readonly name: string
  /** Answers with the sort values of a part, in order. */
  readonly read: (part: number) => Promise<readonly string[]>
  readonly spent: () => Spent
}

/** How much is read. */
export interface ReadingOptions {
  readonly rounds: number
  readonly readsPerRound: number
}

/** A figure over the rounds, and times that of the first peer in the same round. */
export interface Figure {
  readonly value: Spread
  readonly ratio: Spread
}

/** Figures of one peer, each a read. */
export interface ReadingRow {
  readonly name: string
  readonly requests: Figure
  /** Undefined where the store has none. */
  readonly units: Figure | undefined
  /** Items read for each that was wanted. */
  readonly readPerItem: Figure
  /** CPU time of this process, all threads. */
  readonly cpuUs: Figure
  /** The median of a round. */
  readonly p50Ms: Figure
}

type Round = Readonly<Record<'requests' | 'units' | 'readPerItem' | 'cpuUs' | 'p50Ms', number>>

/** Reads by all readers, the first of which is the baseline: one round of warming up, then the rounds. `expected` says what a part holds. */
export async function inTurns(
  readers: readonly Reader[],
  expected: (part: number) => readonly string[],
  { rounds, readsPerRound }: ReadingOptions,
): Promise<ReadingRow[]> {
  const table: Round[][] = []
  for (let round = -1; round < rounds; round++) {
    const parts = Array.from({ length: readsPerRound }, (_, i) => (round + 1) * readsPerRound + i)
    const row: Round[] = []
    for (let turn = 0; turn < readers.length; turn++) {
      const i = (turn + round + 1) % readers.length
      row[i] = await roundOf(readers[i] as Reader, parts, expected)
    }
    if (round >= 0) table.push(row)
  }
  return readers.map(({ name }, i) => {
    const figure = (column: keyof Round): Figure => ({
      value: spreadOf(table.map((row) => (row[i] as Round)[column])),
      ratio: spreadOf(table.map((row) => (row[i] as Round)[column] / (row[0] as Round)[column])),
    })
    return {
      name,
      requests: figure('requests'),
      units: Number.isNaN(table[0]?.[i]?.units) ? undefined : figure('units'),
      readPerItem: figure('readPerItem'),
      cpuUs: figure('cpuUs'),
      p50Ms: figure('p50Ms'),
    }
  })
}

async function roundOf(
  reader: Reader,
  parts: readonly number[],
  expected: (part: number) => readonly string[],
): Promise<Round> {
  globalThis.gc?.({ type: 'minor' }) // nobody pays for what others have thrown away
  const results: (readonly string[])[] = []
  const waitsMs: number[] = []
  const before = reader.spent()
  const cpuBefore = process.cpuUsage()
  for (const part of parts) {
    const beganMs = performance.now()
    results.push(await reader.read(part))
    waitsMs.push(performance.now() - beganMs)
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  const after = reader.spent()
  for (const [i, part] of parts.entries()) requireSame(reader, part, results[i] ?? [], expected(part))
  const itemCount = results.reduce((sum, { length }) => sum + length, 0)
  return {
    requests: (after.requests - before.requests) / parts.length,
    units: ((after.units ?? Number.NaN) - (before.units ?? 0)) / parts.length,
    readPerItem: (after.itemsRead - before.itemsRead) / itemCount,
    cpuUs: (user + system) / parts.length,
    p50Ms: spreadOf(waitsMs).median,
  }
}

function requireSame({ name }: Reader, part: number, got: readonly string[], wanted: readonly string[]): void {
  if (got.length === wanted.length && got.every((sort, i) => sort === wanted[i])) return
  throw new Error(`${name}: part ${part} has ${got.length} items, and not the ${wanted.length} that it must have`)
}

// What finding hot keys costs and how well it does: the heat table beside an unbounded exact Map, a HeavyKeeper and the TopK of
// npm's bloom-filters, on the same streams, interleaved batch by batch in one process. Times are shown as ratios to the
// Map. A key is a new string for each operation, as it comes out of a request; making it is not measured. With
// strings that are used again and again the Map profits from the hash that V8 keeps in each: that is a row of its own.

import { pathToFileURL } from 'node:url'

import bloomFilters from 'bloom-filters'

import { seededRandom } from '../../packages/core/src/chance/seeded-random.js'
import { HeatTable } from '../../packages/core/src/detection/heat-table.js'
import { measureAccuracy, type Checkpoint, type Detector } from '../lib/accuracy.js'
import { HeavyKeeper } from '../lib/heavy-keeper.js'
import { SkewedStream } from '../lib/skewed-stream.js'

const seed = 20_261_122
const settings = { halfLifeMs: 250, tickMs: 50, hotPerSecond: 400 }
const size = { seed, operationCount: 5_000_000, keyCount: 1_000_000, operationsPerMs: 1_000 }
const bytesMax = 65_536
const batchSize = 5_000
const batchesPerRound = 200
/** npm's TopK takes 20 µs and more an operation, so it gets 1 in 100. */
const slowEvery = 100

/** Times of one contender over the rounds: nanoseconds an operation, and the ratio to the exact Map in the same round. */
interface Timing {
  readonly name: string
  readonly nanoseconds: Spread
  readonly ratio: Spread
}

interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Something that is fed batches of keys. */
interface Contender {
  readonly name: string
  /** Takes part in one batch of so many. */
  readonly every: number
  feed(keys: readonly string[]): void
  tick(nowMs: number): void
}

/** Measures everything, prints it and returns it as plain data. */
export async function run(): Promise<unknown> {
  const streams = [0.8, 1, 1.2].map((exponent) => ({ exponent, oneHitShare: 0 }))
  const timings = streams.map((stream) => ({ ...stream, strings: 'new', timings: timeOn(stream, false) }))
  timings.push({
    exponent: 1,
    oneHitShare: 0,
    strings: 'reused',
    timings: timeOn({ exponent: 1, oneHitShare: 0 }, true),
  })
  const accuracy = [...streams, { exponent: 1, oneHitShare: 0.5 }].flatMap((stream) => accuracyOn(stream))
  for (const { exponent, strings, timings: rows } of timings) {
    console.log(
      `\nZipf ${exponent}, ${strings} strings: ns an add, and its ratio to the exact Map (min / median / max of rounds)`,
    )
    for (const { name, nanoseconds, ratio } of rows)
      console.log(`  ${name.padEnd(24)} ${show(nanoseconds, 1).padEnd(26)} ${show(ratio, 3)}`)
  }
  const topK = topKRecall()
  console.log(
    `\nbloom-filters TopK, ${topK.operationCount} adds, Zipf 1, no decay: recall of the top 50 ${topK.recall.toFixed(2)}`,
  )
  console.log('\nTop 50 against exact decayed rates; the hot set is replaced at 2,500 ms')
  for (const { name, exponent, oneHitShare, bytes, checkpoints } of accuracy) {
    console.log(
      `  ${name}, ${bytes} bytes, Zipf ${exponent}${oneHitShare > 0 ? `, ${oneHitShare * 100} % one-hit keys` : ''}`,
    )
    for (const at of checkpoints) console.log(`    ${tell(at)}`)
  }
  return Promise.resolve({ ...settings, ...size, bytesMax, timings, accuracy, topK })
}

function timeOn(shape: { exponent: number; oneHitShare: number }, isReused: boolean): Timing[] {
  const stream = new SkewedStream({ ...size, ...shape })
  const reused = isReused ? Array.from({ length: size.keyCount }, (_, id) => stream.key(id)) : undefined
  const times = new Map<string, number[]>()
  for (let pass = 0; pass < 2; pass++) {
    const contenders = newContenders()
    for (let batch = 0; batch < size.operationCount / batchSize; batch++) {
      const round = pass * 1_000 + Math.floor(batch / batchesPerRound)
      if ((batch * batchSize) % (settings.tickMs * size.operationsPerMs) === 0) {
        for (const contender of contenders) contender.tick((batch * batchSize) / size.operationsPerMs)
      }
      for (let turn = 0; turn < contenders.length; turn++) {
        const contender = contenders[(turn + batch) % contenders.length]
        if (contender === undefined || batch % contender.every !== 0) continue
        const ids = stream.ids.subarray(batch * batchSize, (batch + 1) * batchSize)
        const keys = Array.from(ids, (id) => reused?.[id] ?? stream.key(id))
        const startedMs = performance.now()
        contender.feed(keys)
        const tookMs = performance.now() - startedMs
        const name = `${contender.name}\n${round}`
        times.set(name, [...(times.get(name) ?? []), tookMs])
      }
    }
  }
  return summarise(times)
}

function newContenders(): Contender[] {
  const exact = new Map<string, number>()
  const table = new HeatTable(
    { ...settings, bytesMax, listedPerSecond: settings.hotPerSecond / 4 },
    seededRandom(seed),
    0,
  )
  const keeper = new HeavyKeeper(bytesMax, settings.halfLifeMs, settings.tickMs, seededRandom(seed))
  const topK = new bloomFilters.TopK(50, 0.001, 0.99)
  return [
    {
      name: 'exact Map',
      every: 1,
      feed: (keys) => {
        for (const key of keys) exact.set(key, (exact.get(key) ?? 0) + 1)
      },
      tick: () => undefined,
    },
    {
      name: 'heat table',
      every: 1,
      feed: (keys) => {
        for (const key of keys) table.add(key, 1)
      },
      tick: (nowMs) => table.tick(nowMs),
    },
    {
      name: 'HeavyKeeper',
      every: 1,
      feed: (keys) => {
        for (const key of keys) keeper.add(key, 1)
      },
      tick: (nowMs) => keeper.tick(nowMs),
    },
    {
      name: 'bloom-filters TopK',
      every: slowEvery,
      feed: (keys) => {
        for (const key of keys) topK.add(key)
      },
      tick: () => undefined,
    },
  ]
}

/** The first round of the first pass is warm-up and not counted. */
function summarise(times: ReadonlyMap<string, readonly number[]>): Timing[] {
  const perRound = new Map<string, Map<string, number>>()
  for (const [name, batches] of times) {
    const [contender = '', round = ''] = name.split('\n')
    if (round === '0') continue
    const rounds = perRound.get(contender) ?? new Map<string, number>()
    const totalMs = batches.reduce((sum, ms) => sum + ms, 0)
    perRound.set(contender, rounds.set(round, (totalMs * 1e6) / (batches.length * batchSize)))
  }
  const exact = perRound.get('exact Map')
  return [...perRound].map(([name, rounds]) => ({
    name,
    nanoseconds: spreadOf([...rounds.values()]),
    ratio: spreadOf([...rounds].map(([round, time]) => time / (exact?.get(round) ?? Number.NaN))),
  }))
}

function accuracyOn(shape: { exponent: number; oneHitShare: number }) {
  const stream = new SkewedStream({ ...size, ...shape })
  const tableOf = (bytes: number): Detector => {
    const table = new HeatTable(
      { ...settings, bytesMax: bytes, listedPerSecond: settings.hotPerSecond / 4 },
      seededRandom(seed),
      0,
    )
    return {
      add: (key, weight) => table.add(key, weight),
      tick: (nowMs) => table.tick(nowMs),
      top: (n) => table.top(n),
      isHot: (key) => {
        const { perSecond, errorPerSecond } = table.estimate(key)
        return Math.min(perSecond, 2 * (perSecond - errorPerSecond)) >= settings.hotPerSecond
      },
    }
  }
  const keeper = new HeavyKeeper(bytesMax, settings.halfLifeMs, settings.tickMs, seededRandom(seed))
  const keeperRate = (key: string) => keeper.top(Infinity).find((listed) => listed.key === key)?.perSecond ?? 0
  const contenders = [
    { name: 'heat table', bytes: bytesMax, detector: tableOf(bytesMax) },
    { name: 'heat table, one side of a client', bytes: (bytesMax * 3) / 8, detector: tableOf((bytesMax * 3) / 8) },
    {
      name: 'HeavyKeeper',
      bytes: keeper.bytes,
      detector: {
        add: (key: string, weight: number) => keeper.add(key, weight),
        tick: (nowMs: number) => keeper.tick(nowMs),
        top: (n: number) => keeper.top(n),
        isHot: (key: string) => keeperRate(key) >= settings.hotPerSecond,
      },
    },
  ]
  return contenders.map(({ name, bytes, detector }) => ({
    name,
    bytes,
    ...shape,
    checkpoints: measureAccuracy(stream, detector, settings),
  }))
}

/** TopK does not decay, so it is asked for the most frequent keys of a stream that does not change. */
function topKRecall(): { operationCount: number; recall: number } {
  const operationCount = size.operationCount / slowEvery
  const stream = new SkewedStream({ ...size, exponent: 1, oneHitShare: 0 })
  const topK = new bloomFilters.TopK(50, 0.001, 0.99)
  const counts = new Map<string, number>()
  for (const id of stream.ids.subarray(0, operationCount)) {
    const key = stream.key(id)
    topK.add(key)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const truth = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 50)
  const listed = new Set(topK.values().map(({ value }) => value))
  return { operationCount, recall: truth.filter(([key]) => listed.has(key)).length / truth.length }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN
  return { min: at(0), median: at(0.5), max: at(1) }
}

function show({ min, median, max }: Spread, digits: number): string {
  return [min, median, max].map((value) => value.toFixed(digits)).join(' / ')
}

function tell(at: Checkpoint): string {
  const when = at.halfLivesSince === undefined ? 'before' : `${at.halfLivesSince} half-lives after`
  const recall = `recall ${at.recall.toFixed(2)} (strict ${at.strictRecall.toFixed(2)})`
  return `${`${at.atMs} ms, ${when}:`.padEnd(32)} ${recall}, rate error ${(at.rateError * 100).toFixed(2)} %, falsely hot ${at.falselyHotCount}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run()

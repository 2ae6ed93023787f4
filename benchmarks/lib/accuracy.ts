import { ExactRates } from './exact-rates.js'
import type { SkewedStream } from './skewed-stream.js'

const topCount = 50
/** Two keys whose rates differ by less than the error that is allowed for cannot be told apart, so either is a hit. */
const tieTolerance = 0.01

/** What every detector under test can do. */
export interface Detector {
  add(key: string, weight: number): void
  tick(nowMs: number): void
  /** The keys it holds for the hottest, hottest first; `isHot` says whether it would call the key hot at the threshold. */
  top(n: number): readonly { readonly key: string; readonly perSecond: number }[]
  isHot(key: string): boolean
}

/** How a detector compares with the truth at one moment. */
export interface Checkpoint {
  readonly atMs: number
  /** Half-lives since the hot set was replaced; undefined before. */
  readonly halfLivesSince: number | undefined
  /** The part of its top 50 that belongs there, keys within 1 % of the 50th's rate included. */
  readonly recall: number
  /** The part of its top 50 that is among the true 50, ties decided by the last digit. */
  readonly strictRecall: number
  /** Mean relative error of the rates of the true top 50; a key that the detector does not list counts as 100 %. */
  readonly rateError: number
  /** Keys that it calls hot although their true rate is under half the threshold. */
  readonly falselyHotCount: number
}

export interface AccuracyOptions {
  readonly halfLifeMs: number
  readonly tickMs: number
  readonly hotPerSecond: number
}

/** Feeds a stream to a detector and to the exact rates, and compares them right after some of the ticks. */
export function measureAccuracy(stream: SkewedStream, detector: Detector, options: AccuracyOptions): Checkpoint[] {
  const { operationCount, keyCount, operationsPerMs } = stream.shape
  const { halfLifeMs, tickMs } = options
  const replacedMs = operationCount / 2 / operationsPerMs
  const lastMs = operationCount / operationsPerMs - tickMs
  const checkpointsMs = new Set([replacedMs, ...[1, 2, 4].map((n) => replacedMs + n * halfLifeMs), lastMs])
  const exact = new ExactRates(keyCount, halfLifeMs)
  const checkpoints: Checkpoint[] = []
  let nowMs = 0
  for (let i = 0; i < operationCount; i++) {
    const timeMs = stream.timeMs(i)
    if (timeMs >= nowMs + tickMs) {
      nowMs += tickMs
      detector.tick(nowMs)
      if (checkpointsMs.has(nowMs)) checkpoints.push(compare(stream, detector, exact, nowMs, replacedMs, options))
    }
    const id = stream.ids[i] ?? 0
    if (id < keyCount) exact.add(id, timeMs)
    detector.add(stream.key(id), 1)
  }
  return checkpoints
}

function compare(
  stream: SkewedStream,
  detector: Detector,
  exact: ExactRates,
  nowMs: number,
  replacedMs: number,
  options: AccuracyOptions,
): Checkpoint {
  const truth = exact.top(topCount, nowMs)
  const trueIds = new Set(truth)
  const rateOf = (id: number) => exact.perSecond(id, nowMs)
  const listed = detector.top(Infinity)
  const estimates = new Map(listed.map(({ key, perSecond }) => [stream.id(key), perSecond]))
  const top = listed.slice(0, topCount).map(({ key }) => stream.id(key))
  const bound = rateOf(truth.at(-1) ?? 0) * (1 - tieTolerance)
  const errors = truth.map((id) => Math.abs((estimates.get(id) ?? 0) - rateOf(id)) / rateOf(id))
  return {
    atMs: nowMs,
    halfLivesSince: nowMs > replacedMs ? (nowMs - replacedMs) / options.halfLifeMs : undefined,
    recall: top.filter((id) => rateOf(id) >= bound).length / topCount,
    strictRecall: top.filter((id) => trueIds.has(id)).length / topCount,
    rateError: errors.reduce((sum, error) => sum + error, 0) / topCount,
    falselyHotCount: listed.filter(
      ({ key }) => detector.isHot(key) && rateOf(stream.id(key)) < options.hotPerSecond / 2,
    ).length,
  }
}

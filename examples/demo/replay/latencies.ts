import { build, type Histogram } from 'hdr-histogram-js'

/** Percentiles of latencies in milliseconds. */
export interface LatencySummary {
  /** How many calls. */
  readonly count: number
  /** Half of the calls took no longer. */
  readonly p50Ms: number
  /** All but one in a hundred took no longer. */
  readonly p99Ms: number
  /** The longest. */
  readonly maxMs: number
}

/** Latencies from 1 µs to 10 minutes, to three digits. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 600_000_000,
    numberOfSignificantValueDigits: 3,
  })

  /** Counts one call. */
  record(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.min(600_000_000, Math.round(ms * 1_000))))
  }

  /** The percentiles so far. */
  summary(): LatencySummary {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1_000
    const count = this.#histogram.totalCount
    if (count === 0) return { count, p50Ms: NaN, p99Ms: NaN, maxMs: NaN }
    return { count, p50Ms: at(50), p99Ms: at(99), maxMs: this.#histogram.maxValue / 1_000 }
  }
}

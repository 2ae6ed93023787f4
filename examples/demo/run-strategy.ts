import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'

import { seededRandom } from '@spillway/core/testing'

import { ledgersOf } from './check/expected-totals.js'
import { readBack, type CheckResult } from './check/read-back.js'
import type { LogEntry } from './log/log-entry.js'
import type { LatencySummary } from './replay/latencies.js'
import type { OfferedKey } from './replay/offered-load.js'
import { Replay } from './replay/replay.js'
import { Surge } from './replay/surge.js'
import type { Settings } from './settings.js'
import type { DemoEngine, DemoStore } from './store/demo-store.js'
import type { StoreCounts } from './store/store-counts.js'
import type { Strategy, StrategyRun } from './strategies/strategy.js'

/** What one strategy did. */
export interface StrategyResult {
  /** The strategy's letter. */
  readonly id: Strategy['id']
  /** Its name in the table. */
  readonly title: string
  /** Whether it was stopped before the end of the log or of the check. */
  readonly isInterrupted: boolean
  /** From the first release to the last answer. */
  readonly durationMs: number
  /** How late this process itself was, at the 99th percentile: what is over a few milliseconds is the machine's, not the store's. */
  readonly lagP99Ms: number
  /** Writes by what their callers were told. */
  readonly writes: { readonly done: number; readonly rejected: number; readonly unknown: number }
  /** Reads while it ran. */
  readonly reads: { readonly answered: number; readonly failed: number; readonly wrong: number }
  /** What the store has served by the end of the replay, before the check. */
  readonly store: Readonly<StoreCounts>
  /** How many answers were lost on the way by then; NaN where nobody can tell. */
  readonly answersLost: number
  /** As the caller sees them, from the release of an entry to the answer. */
  readonly writeLatency: LatencySummary
  /** Likewise. */
  readonly readLatency: LatencySummary
  /** The key whose surge was answered first, and how long after it had begun; undefined when none was. */
  readonly answeredSurge: Surge['answer']
  /** What could not be written when the clients were closed; undefined when there was nothing. */
  readonly leftAtClose: string | undefined
  /** How the records compare with the log. */
  readonly check: CheckResult
}

/** A key that is asked for half a partition's writes or more, whoever knows of it. */
export interface HotKey extends OfferedKey {
  /** On how many shards it lies; undefined when the strategy has no such notion. */
  readonly fanout: number | undefined
}

/** A strategy under way, for whoever shows it. */
export interface Snapshot {
  /** The strategy's name. */
  readonly title: string
  /** What it does at the moment. */
  readonly phase: 'replay' | 'check'
  /** Entries answered, or keys checked. */
  readonly done: number
  /** Of so many. */
  readonly total: number
  /** Calls in flight. */
  readonly inFlight: number
  /** What the store has served. */
  readonly store: Readonly<StoreCounts>
  /** Writes that failed. */
  readonly failed: number
  /** The keys that are asked for most, hottest first. */
  readonly hotKeys: readonly HotKey[]
}

/** Who shows a strategy under way. */
export interface Watcher {
  /** Given once a strategy has begun; `snapshot` may be called until `ended`. */
  began(snapshot: () => Snapshot): void
  /** The strategy has ended, well or not. */
  ended(): void
}

/** Replays the log through one strategy on a fresh store and checks what it left there. `signal` stops it cleanly. */
export async function runStrategy(
  strategy: Strategy,
  engine: DemoEngine,
  entries: readonly LogEntry[],
  settings: Settings,
  signal: AbortSignal,
  watcher: Watcher,
): Promise<StrategyResult> {
  const surge = new Surge()
  const store = await engine.open({
    strategy: strategy.id,
    random: seededRandom(settings.seed),
    onThrottle: (key) => surge.sign(key, performance.now()),
  })
  try {
    return await runOn(store, strategy, entries, settings, signal, watcher, surge)
  } finally {
    await store.close()
  }
}

async function runOn(
  store: DemoStore,
  strategy: Strategy,
  entries: readonly LogEntry[],
  settings: Settings,
  signal: AbortSignal,
  watcher: Watcher,
  surge: Surge,
): Promise<StrategyResult> {
  const { partitionWriteUnits } = store
  const run = await strategy.open({
    store,
    settings,
    random: seededRandom(settings.seed + 1),
    onSpreadWrite: (key) => surge.spreadWrite(key, performance.now()),
  })
  const { rate, seed } = settings
  const replay = new Replay(strategy, run.clients, { entries, rate, seed, partitionWriteUnits, surge, signal })
  let checked: { count: number; total: number } | undefined
  watcher.began(() => ({
    title: strategy.title,
    phase: checked === undefined ? 'replay' : 'check',
    done: checked?.count ?? replay.answered,
    total: checked?.total ?? entries.length,
    inFlight: replay.inFlight,
    store: store.counts(),
    failed: replay.writesFailed,
    hotKeys: hotKeysOf(replay, run, partitionWriteUnits),
  }))
  const lag = monitorEventLoopDelay({ resolution: lagResolutionMs })
  try {
    lag.enable()
    await replay.run()
    lag.disable()
    const counts = store.counts()
    const answersLost = await store.answersLost()
    const isStopped = signal.aborted
    const ledgers = ledgersOf(entries, replay.outcomes)
    const progress = (checked = { count: 0, total: ledgers.size })
    const never = new AbortController().signal
    const check = await readBack(ledgers, run.clients, isStopped ? never : signal, (count) => (progress.count = count))
    const leftAtClose = await run.close()
    return resultOf(strategy, replay, surge, {
      store: counts,
      answersLost,
      check,
      leftAtClose,
      isInterrupted: signal.aborted,
      lagP99Ms: lagOf(lag),
    })
  } finally {
    watcher.ended()
  }
}

type Outcomes = Pick<StrategyResult, 'store' | 'answersLost' | 'check' | 'lagP99Ms' | 'leftAtClose' | 'isInterrupted'>

function resultOf(strategy: Strategy, replay: Replay, surge: Surge, outcomes: Outcomes): StrategyResult {
  const writes = { done: 0, rejected: 0, unknown: 0 }
  for (const outcome of replay.outcomes) if (outcome !== undefined) writes[outcome] += 1
  const readLatency = replay.readLatencies.summary()
  return {
    id: strategy.id,
    title: strategy.title,
    durationMs: replay.durationMs,
    writes,
    reads: { answered: readLatency.count, failed: replay.readsFailed, wrong: replay.readsWrong },
    writeLatency: replay.writeLatencies.summary(),
    readLatency,
    answeredSurge: surge.answer,
    ...outcomes,
  }
}

/** The load that is offered, the same measure for every strategy: what came of it is what differs. */
function hotKeysOf(replay: Replay, run: StrategyRun, partitionWriteUnits: number): readonly HotKey[] {
  return replay.load
    .top(5, partitionWriteUnits / 2, performance.now())
    .map((offered) => ({ ...offered, fanout: run.fanoutOf(offered.key) }))
}

const lagResolutionMs = 5

/** The monitor's own period is part of what it measures. */
function lagOf(lag: IntervalHistogram): number {
  return Math.max(0, lag.percentile(99) / 1e6 - lagResolutionMs)
}

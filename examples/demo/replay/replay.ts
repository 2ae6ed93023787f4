// Problem: three strategies must be given the same work in the same way, as fast as the log is to be replayed and no faster
//   than a fleet would take it.
// Scheme: entries are released at a steady rate and dealt to the clients in turn; each client begins them in order, with at
//   most `inFlightMax` calls in flight. A read of a user drawn from the log follows every tenth entry.
// Invariants: every released entry is begun exactly once and its outcome noted; after a stop nothing more is begun and all
//   that has begun is awaited. Latency runs from the release, so waiting for a free slot counts.
// Cost: a timer a millisecond, two closures an entry.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Random } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'

import type { Outcome } from '../check/expected-totals.js'
import type { LogEntry } from '../log/log-entry.js'
import { changeOf } from '../record.js'
import { inFlightMax, writesPerRead } from '../settings.js'
import type { Strategy, StrategyClient } from '../strategies/strategy.js'
import { ClientLane } from './client-lane.js'
import { Latencies } from './latencies.js'
import { OfferedLoad } from './offered-load.js'
import { ReadBounds } from './read-bounds.js'
import type { Surge } from './surge.js'

/** What a replay needs. */
export interface ReplayOptions {
  /** The log. */
  readonly entries: readonly LogEntry[]
  /** Entries released a second. */
  readonly rate: number
  /** Draws the users that are read; the same seed reads the same users in the same order. */
  readonly seed: number
  /** A key that is asked for more writes a second than this begins the surge. */
  readonly partitionWriteUnits: number
  /** Told of the surge. */
  readonly surge: Surge
  /** Stops the replay: what has begun is finished, nothing more begins. */
  readonly signal: AbortSignal
}

/** A replay under way, and what it has measured. */
export class Replay {
  /** What became of each entry, by its place in the log; undefined for one that has not begun or is not answered. */
  readonly outcomes: (Outcome | undefined)[]
  /** Latency of writes, failed ones included. */
  readonly writeLatencies = new Latencies()
  /** Latency of reads, failed ones included. */
  readonly readLatencies = new Latencies()
  /** Which keys are asked for how much. */
  readonly load = new OfferedLoad()
  /** Entries answered so far, whatever the answer. */
  answered = 0
  /** Writes that failed. */
  writesFailed = 0
  /** Reads that failed. */
  readsFailed = 0
  /** Reads that missed an acknowledged edit, or counted one that nobody made. */
  readsWrong = 0
  /** How long it took, from the first release to the last answer. */
  durationMs = 0
  readonly #strategy: Strategy
  readonly #clients: readonly StrategyClient[]
  readonly #options: ReplayOptions
  readonly #random: Random
  readonly #bounds = new ReadBounds()
  readonly #lanes: readonly ClientLane[]
  #readsReleased = 0
  #failure: Error | undefined

  constructor(strategy: Strategy, clients: readonly StrategyClient[], options: ReplayOptions) {
    this.#strategy = strategy
    this.#clients = clients
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#lanes = clients.map(() => new ClientLane(inFlightMax))
    this.outcomes = options.entries.map(() => undefined)
  }

  /** Calls that are in flight. */
  get inFlight(): number {
    return this.#lanes.reduce((total, lane) => total + lane.inFlight, 0)
  }

  /** Replays the log, or as much of it as there is before the stop. Rejects only for errors that no caller should ever see. */
  async run(): Promise<void> {
    const { entries, rate, signal } = this.#options
    const startMs = performance.now()
    for (
      let released = 0;
      released < entries.length && !signal.aborted && this.#failure === undefined;
      await sleep(1)
    ) {
      const due = Math.min(entries.length, Math.ceil(((performance.now() - startMs) * rate) / 1_000))
      for (; released < due; released++) this.#release(entries[released] as LogEntry)
    }
    if (signal.aborted) for (const lane of this.#lanes) lane.drop()
    const stop = () => this.#lanes.forEach((lane) => lane.drop())
    signal.addEventListener('abort', stop, { once: true })
    await Promise.all(this.#lanes.map((lane) => lane.idle()))
    signal.removeEventListener('abort', stop)
    this.durationMs = performance.now() - startMs
    if (this.#failure !== undefined) throw this.#failure
  }

  #release(entry: LogEntry): void {
    const nowMs = performance.now()
    const offered = this.load.offer(entry, nowMs)
    if (offered > this.#options.partitionWriteUnits) this.#options.surge.sign(entry.key, nowMs)
    this.#submit(entry.line, (client) => this.#write(client, entry, nowMs))
    if ((entry.line + 1) % writesPerRead !== 0) return
    const drawn = this.#options.entries[Math.floor(this.#random.next() * this.#options.entries.length)] as LogEntry
    this.#submit(this.#readsReleased, (client) => this.#read(client, drawn.key, nowMs))
    this.#readsReleased += 1
  }

  #submit(turn: number, call: (client: StrategyClient) => Promise<void>): void {
    const i = turn % this.#clients.length
    this.#lanes[i]?.submit(() => call(this.#clients[i] as StrategyClient))
  }

  async #write(client: StrategyClient, entry: LogEntry, releasedMs: number): Promise<void> {
    this.#bounds.issued(entry.key)
    try {
      await client.write(entry.key, changeOf(entry))
      this.outcomes[entry.line] = 'done'
      this.#bounds.acknowledged(entry.key)
    } catch (error) {
      const outcome = this.#strategy.outcomeOf(error)
      if (outcome === undefined) this.#failure ??= unexpected(`write of line ${entry.line + 1}`, entry.key, error)
      this.outcomes[entry.line] = outcome ?? 'unknown'
      this.writesFailed += 1
    }
    this.answered += 1
    this.writeLatencies.record(performance.now() - releasedMs)
  }

  async #read(client: StrategyClient, key: string, releasedMs: number): Promise<void> {
    const bounds = this.#bounds.begin(key)
    try {
      const { edits } = await client.read(key)
      if (!this.#bounds.holds(key, bounds, edits)) this.readsWrong += 1
    } catch (error) {
      this.readsFailed += 1
      if (!this.#strategy.isReadFailure(error)) this.#failure ??= unexpected('read', key, error)
    }
    this.readLatencies.record(performance.now() - releasedMs)
  }
}

function unexpected(what: string, key: string, error: unknown): Error {
  return new Error(
    `The ${what} (key ${JSON.stringify(key)}) failed: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  )
}

// A write travels: admission → detection → collapse → routing → backend. Everything that happens to it is named here.

import type { Bounds } from './admission/bounds.js'
import type { WriteStamp } from './backend/backend.js'
import { sequenceAt } from './backend/backend.js'
import { Collapse, type WriteOptions } from './collapse/collapse.js'
import type { FailureLog } from './collapse/failure-log.js'
import type { Flight, FlightOutcome } from './collapse/flight.js'
import { hashKey } from './internal/hash-key.js'
import type { RecordShape } from './merge/record-shape.js'
import type { StampSource } from './merge/stamp.js'
import type { ShardRef } from './operation.js'
import { shardToWrite } from './routing/route.js'
import type { Stages } from './stages.js'

/** The write path of one record. */
export class WritePath {
  readonly #stages: Stages
  readonly #shape: RecordShape
  readonly #failures: FailureLog
  readonly #collapse: Collapse
  readonly #writer: string
  readonly #writerSeed: number
  #sequence = 0

  constructor(
    stages: Stages,
    shape: RecordShape,
    prefix: string,
    writer: string,
    stamps: StampSource,
    bounds: Bounds,
    failures: FailureLog,
  ) {
    const { backend, clock, random, routing, deadlines, options } = stages
    this.#stages = stages
    this.#shape = shape
    this.#failures = failures
    this.#writer = writer
    this.#writerSeed = hashKey(writer, 0)
    this.#collapse = new Collapse({
      shape,
      prefix,
      capabilities: backend.capabilities,
      bounds,
      clock,
      windowMs: options.collapse.windowMs,
      mergeContext: { field: '', stamps, integerMax: backend.capabilities.integerMax },
      flight: {
        store: backend.records,
        routing,
        clock,
        random,
        deadlines: deadlines.writes,
        requestTimeoutMs: options.limits.requestTimeoutMs,
        writeTimeoutMs: options.limits.writeTimeoutMs,
        retryHorizonMs: options.routing.retryHorizonMs,
        pickShard: (key, nowMs) => this.#pickShard(key, nowMs),
        nextStamp: (aboveSequence) => this.#nextStamp(aboveSequence),
        onThrottle: (key, shardIndex, throttle) => stages.throttled(key, shardIndex, 'write', throttle),
      },
      isHot: (key) => stages.detection.isHot(key),
      onFlush: (key, changeCount) => {
        stages.detection.countWrites(key, changeCount)
        stages.declare(key)
      },
      onLanded: (flight, outcome) => this.#landed(flight, outcome),
    })
  }

  /** Accepts a change; see `Records.write`. */
  write(key: string, change: unknown, options: WriteOptions | undefined): Promise<void> {
    return this.#collapse.write(key, change, options)
  }

  /** See `Collapse.flush`. */
  flush(): Promise<void> {
    return this.#collapse.flush()
  }

  /** See `Collapse.close`. */
  close(): Promise<void> {
    return this.#collapse.close()
  }

  /** See `Collapse.whileHeld`. */
  whileHeld<T>(key: string, read: () => Promise<T>): Promise<readonly [T, readonly unknown[] | undefined]> {
    return this.#collapse.whileHeld(key, read)
  }

  #pickShard(key: string, nowMs: number): ShardRef | undefined {
    const snapshot = this.#stages.routing.currentAt(nowMs)
    if (snapshot === undefined) return undefined
    const route = snapshot.route(key)
    return shardToWrite(key, route, route === undefined ? 0 : hashKey(key, this.#writerSeed))
  }

  /** Numbers are taken from the time, so that a shard sees how old an entry is. */
  #nextStamp(aboveSequence: number): WriteStamp {
    const wallMs = this.#stages.clock.wallMs()
    this.#sequence = Math.max(this.#sequence + 1, aboveSequence + 1, sequenceAt(wallMs))
    return {
      writer: this.#writer,
      sequence: this.#sequence,
      forgetUpTo: sequenceAt(wallMs - this.#stages.options.routing.retryHorizonMs),
    }
  }

  #landed(flight: Flight, { error, units }: FlightOutcome): void {
    const { detection, events, clock, counters } = this.#stages
    const { key, window, shardIndex, attempts } = flight
    detection.countWriteRequests(key, attempts, units ?? (error === undefined ? 1 : 0))
    if (error !== undefined) {
      counters.failedWrites += window.changeCount
      this.#failures.add(this.#shape.name, key, window.changeCount, window.bufferedCount, error)
    }
    if (events.hasListeners('flush')) {
      const outcome = error === undefined ? 'written' : error.code === 'WRITE_UNKNOWN' ? 'unknown' : 'rejected'
      const nowMs = clock.nowMs()
      const durationMs = nowMs - (flight.startedMs ?? nowMs)
      events.emit('flush', {
        record: this.#shape.name,
        key,
        shardIndex,
        changeCount: window.changeCount,
        attempts,
        durationMs,
        outcome,
      })
    }
  }
}

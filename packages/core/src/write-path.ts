// A write travels: admission → detection → collapse → routing → backend. Everything that happens to it is named here.

import type { Bounds } from './admission/bounds.js'
import type { WriteStamp } from './backend/backend.js'
import { sequenceAt } from './backend/backend.js'
import { Collapse } from './collapse/collapse.js'
import { demandLeft } from './collapse/demand.js'
import type { FailureLog } from './collapse/failure-log.js'
import type { Flight, FlightOutcome } from './collapse/flight.js'
import type { WriteOptions } from './collapse/write-options.js'
import type { Window } from './collapse/window.js'
import { type WriteRejectedError, WriteUnknownError } from './errors/write-error.js'
import { hashKey } from './internal/hash-key.js'
import type { RecordShape } from './merge/record-shape.js'
import type { StampSource } from './merge/stamp.js'
import type { ShardRef } from './operation.js'
import { shardToWrite } from './routing/route.js'
import { FlightEntry } from './spool/flight-entry.js'
import type { Left, SpoolLog } from './spool/spool-log.js'
import { statesOf } from './spool/spooled.js'
import type { Stages } from './stages.js'

/** The write path of one record. */
export class WritePath {
  readonly #stages: Stages
  readonly #shape: RecordShape
  readonly #prefix: string
  readonly #failures: FailureLog
  readonly #collapse: Collapse
  readonly #writer: string
  readonly #writerSeed: number
  #sequence = 0
  #isClosing = false

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
    const { integerMax, magnitudes } = backend.capabilities
    this.#stages = stages
    this.#shape = shape
    this.#prefix = prefix
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
      mergeContext: { field: '', stamps, integerMax, magnitudes },
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
        isClosing: () => this.#isClosing,
        onThrottle: (key, shardIndex, throttle) => stages.throttled(key, shardIndex, 'write', throttle),
        onRefused: (key) => stages.refused(key),
      },
      isHot: (key) => stages.detection.isHot(key),
      onFlush: (key, changeCount) => {
        stages.detection.countWrites(key, changeCount)
        stages.declare(key)
      },
      onLanded: (flight, outcome) => this.#landed(flight, outcome),
      onLeft: (key, window, error) => this.#left(key, window, error),
      spool: stages.spool,
    })
    // Not at once: whoever declares the record may still subscribe to the events that this brings.
    if (stages.spool !== undefined) queueMicrotask(() => this.#restore())
  }

  /** Accepts a change; see `Records.write`. */
  write(key: string, change: unknown, options: WriteOptions | undefined): Promise<void> {
    return this.#collapse.write(key, change, options)
  }

  /** See `Collapse.flush`; what earlier lives have left is part of it. */
  flush(): Promise<void> {
    this.#restore()
    return this.#collapse.flush()
  }

  /** See `Collapse.close`; what earlier lives have left is part of it. */
  close(): Promise<void> {
    this.#restore()
    this.#isClosing = true
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
      forgetUpTo: this.#forgetUpTo(wallMs),
    }
  }

  /** Goes on with what earlier lives have left of this record; a second time there is nothing. */
  #restore(): void {
    const { spool } = this.#stages
    if (spool !== undefined) for (const left of spool.takeLeft(this.#shape.name)) this.#restoreOne(spool, left)
  }

  #restoreOne(log: SpoolLog, { change, sending, ticket }: Left): void {
    const { clock, counters, events } = this.#stages
    const { record, name, changeCount } = change
    const key = change.prefix + name
    const wallMs = clock.wallMs()
    const agoMs = sending === undefined ? 0 : wallMs - sending.firstSentMs
    const doubt = this.#doubtAt(agoMs)
    if (doubt !== undefined) {
      counters.failedWrites += changeCount
      this.#failures.add(record, key, changeCount, changeCount, new WriteUnknownError(key, doubt))
      log.remove([ticket]).catch(toldAgain)
      return
    }
    try {
      const states = statesOf(this.#shape, this.#prefix, change)
      const start = sending && {
        stamp: sending.stamp && { ...sending.stamp, forgetUpTo: this.#forgetUpTo(wallMs) },
        entry: new FlightEntry(log, clock, () => change, [ticket], sending),
        sent: { shard: sending.shard, agoMs: Math.max(0, agoMs) },
      }
      this.#collapse.restore(name, states, ticket, changeCount, start)
    } catch (error) {
      log.keep(record, changeCount)
      if (events.hasListeners('spool-kept')) events.emit('spool-kept', { record, key, changeCount, error })
    }
  }

  /** Why what was sent so long ago must not be sent again; undefined when it may be. */
  #doubtAt(agoMs: number): string | undefined {
    const { routing, limits } = this.#stages.options
    if (agoMs >= routing.retryHorizonMs)
      return `A process that died sent it ${agoMs} ms ago, beyond the retry horizon of ${routing.retryHorizonMs} ms.`
    if (-agoMs > limits.clockSkewMaxMs)
      return `A process that died sent it, by this machine's clock ${-agoMs} ms in the future: it cannot be judged how long ago.`
    return undefined
  }

  #forgetUpTo(wallMs: number): number {
    return sequenceAt(wallMs - this.#stages.options.routing.retryHorizonMs)
  }

  #left(key: string, { changeCount, bufferedCount }: Window, error: WriteRejectedError): void {
    const { spool, counters } = this.#stages
    if (bufferedCount > 0) spool?.keep(this.#shape.name, bufferedCount)
    if (changeCount === bufferedCount) return
    counters.failedWrites += changeCount - bufferedCount
    this.#failures.add(this.#shape.name, key, changeCount - bufferedCount, 0, error)
  }

  #landed(flight: Flight, { error, units, isLeft }: FlightOutcome): void {
    const { events, counters } = this.#stages
    const { key, window, shardIndex, attempts } = flight
    const consumed = units ?? (error === undefined ? 1 : 0)
    this.#stages.written(key, attempts, consumed, demandLeft(consumed, window.isCounted))
    if (isLeft) this.#stages.spool?.keep(this.#shape.name, window.bufferedCount)
    else if (error !== undefined) {
      counters.failedWrites += window.changeCount
      this.#failures.add(this.#shape.name, key, window.changeCount, window.bufferedCount, error)
    }
    if (events.hasListeners('flush')) {
      const outcome = error === undefined ? 'written' : error.code === 'WRITE_UNKNOWN' ? 'unknown' : 'rejected'
      const durationMs = flight.ageMs()
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

/** The next start finds it and reports it once more. */
function toldAgain(): void {}

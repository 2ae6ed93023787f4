// Problem: what a network and a busy store do to a request happens rarely, and never twice the same way.
// Scheme: a wrapper around any backend draws each request's fate from a seeded random when the request arrives: whether it is
//   refused, lost on the way there or back, delayed, or delivered a second time later. The effect falls somewhere inside the delay.
// Invariants: with the same seed, clock and requests, the same faults; what is refused has no effect; what loses its answer
//   had one; without faults a request passes through untouched.
// Cost: none without faults; otherwise a few draws and two timers a request.
// Source: TigerBeetle's packet simulator; docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.

import type { Random } from '../chance/random.js'
import { SystemRandom } from '../chance/system-random.js'
import { knownOptions } from '../internal/known-options.js'
import { requiredMethods } from '../internal/required-methods.js'
import type { ShardRef } from '../operation.js'
import { clockMethods, type Clock } from '../time/clock.js'
import { SystemClock } from '../time/system-clock.js'
import { BackendError } from './backend-error.js'
import type { Backend, Call, Capabilities, DirectoryStore, RecordStore, ShardFailure } from './backend.js'
import type { CollectionStore } from './collection-store.js'
import {
  checkedChance,
  checkedFaults,
  type ChanceName,
  type FaultOperation,
  type FaultRequest,
  type Faults,
  type InjectedFaults,
} from './faults.js'
import { checkBackend } from './guarded-backend.js'
import { drawMs } from './ms-range.js'
import { throttledBy, unprocessedItem, unprocessedShard } from './simulated-throttle.js'

/** How a {@link FaultyBackend} begins. */
export interface FaultyOptions {
  /** Delays run on it. @default the machine's clock */
  readonly clock?: Clock
  /** Every fate is drawn from it: give `seededRandom(seed)` for the same fates each time. @default the machine's randomness */
  readonly random?: Random
  /** The faults to begin with. @default none */
  readonly faults?: Faults
}

/** What was drawn for one request. */
interface Fate {
  readonly refusal: BackendError | undefined
  readonly isRequestLost: boolean
  readonly isAnswerLost: boolean
  readonly isDuplicated: boolean
  readonly thereMs: number
  readonly backMs: number
}

/** A backend that fails as networks and busy stores do, from a seed. For tests and simulations. */
export class FaultyBackend implements Backend {
  /** That of the backend inside. */
  readonly name: string
  /** Those of the backend inside. */
  readonly capabilities: Capabilities
  /** The inner directory, behind the faults. */
  readonly directory: DirectoryStore
  /** The inner records, behind the faults. */
  readonly records: RecordStore
  /** The inner collections, behind the faults; undefined where there are none. */
  readonly collections: CollectionStore | undefined
  readonly #inner: Backend
  readonly #clock: Clock
  readonly #random: Random
  #faults: Faults
  readonly #injected = {
    throttled: 0,
    unavailable: 0,
    lostRequests: 0,
    lostAnswers: 0,
    unprocessedShards: 0,
    unprocessedItems: 0,
    duplicates: 0,
    directory: 0,
    delayed: 0,
  }

  /** Throws `InvalidArgumentError` when there is no backend inside, or an option makes no sense. */
  constructor(inner: Backend, options: FaultyOptions = {}) {
    checkBackend(inner)
    const { clock, random } = knownOptions(options, 'options', ['clock', 'random', 'faults'])
    this.#inner = inner
    this.#clock = requiredMethods<Clock>(clock, 'clock', clockMethods) ?? new SystemClock()
    this.#random = requiredMethods<Random>(random, 'random', ['next']) ?? new SystemRandom()
    this.#faults = checkedFaults(options.faults ?? {})
    this.name = inner.name
    this.capabilities = inner.capabilities
    this.records = {
      write: (write, call) => this.#deliver('write', [write.shard], () => inner.records.write(write, call)),
      read: (read, call) =>
        this.#deliver('read', read.shards, () =>
          this.#sendSome('read', read.shards, read.shards, (shards) => inner.records.read({ ...read, shards }, call)),
        ),
      seal: (shard, fields, call) => this.#deliver('seal', [shard], () => inner.records.seal(shard, fields, call)),
      absorb: (absorb, call) => this.#deliver('absorb', [absorb.target], () => inner.records.absorb(absorb, call)),
      clear: (shard, retentionMs, call) =>
        this.#deliver('clear', [shard], () => inner.records.clear(shard, retentionMs, call)),
      ...(inner.records.stampRoute && {
        stampRoute: (shard, stamp, call) =>
          this.#deliver('stampRoute', [shard], async () => inner.records.stampRoute?.(shard, stamp, call)),
      }),
      ...(inner.records.checkSpread && {
        checkSpread: (shard, call) =>
          this.#deliver('checkSpread', [shard], async () => inner.records.checkSpread?.(shard, call)),
      }),
    }
    this.collections = inner.collections && this.#collections(inner.collections)
    this.directory = this.#directory(inner.directory)
  }

  /**
   * The faults that are on; may be changed while requests are under way, which keep the fate that they have. Throws
   * `InvalidArgumentError` for a fault that there is not: a test must not pass because its fault was misspelt.
   */
  get faults(): Faults {
    return this.#faults
  }

  set faults(faults: Faults) {
    this.#faults = checkedFaults(faults)
  }

  /** What has been injected so far. */
  get injected(): InjectedFaults {
    return { ...this.#injected }
  }

  /** Opens the backend inside; never faulty. */
  open(call: Call): Promise<void> {
    return this.#inner.open?.(call) ?? Promise.resolve()
  }

  /** Closes the backend inside; never faulty. */
  close(): Promise<void> {
    return this.#inner.close?.() ?? Promise.resolve()
  }

  /** Switches every fault off. Requests under way, and second copies of earlier ones, still meet what was drawn for them. */
  heal(): void {
    this.#faults = {}
  }

  #directory(inner: DirectoryStore): DirectoryStore {
    return {
      read: (call) => this.#deliver('directory.read', [], () => inner.read(call)),
      swap: (expected, text, call) => this.#deliver('directory.swap', [], () => inner.swap(expected, text, call)),
      ...(inner.copy && { copy: (index: number) => this.#directory(inner.copy?.(index) ?? inner) }),
    }
  }

  #collections(inner: CollectionStore): CollectionStore {
    return {
      limits: inner.limits,
      put: (put, call) => this.#deliver('collections.put', [put.shard], () => inner.put(put, call)),
      delete: (deletion, call) =>
        this.#deliver('collections.delete', [deletion.shard], () => inner.delete(deletion, call)),
      get: (read, call) =>
        this.#deliver('collections.get', read.shards, () =>
          this.#sendSome('collections.get', read.shards, read.shards, (shards) => inner.get({ ...read, shards }, call)),
        ),
      page: (page, call) => this.#deliver('collections.page', [page.shard], () => inner.page(page, call)),
      ...(inner.append && {
        append: ({ items }, call) => {
          const shards = items.map(({ shard }) => shard)
          return this.#deliver('collections.append', shards, () =>
            this.#sendSome(
              'collections.append',
              shards,
              items,
              async (some) => (await inner.append?.({ items: some }, call)) ?? [],
            ),
          )
        },
      }),
    }
  }

  #deliver<T>(operation: FaultOperation, shards: readonly ShardRef[], send: () => Promise<T>): Promise<T> {
    return Object.keys(this.#faults).length === 0 ? send() : this.#meet({ operation, shards }, send)
  }

  async #meet<T>(request: FaultRequest, send: () => Promise<T>): Promise<T> {
    const { operation } = request
    const fate = this.#draw(request)
    if (fate.isDuplicated) this.#sendAgainLater(send)
    await this.#pause(fate.thereMs)
    if (fate.refusal !== undefined || fate.isRequestLost) {
      await this.#pause(fate.backMs)
      throw fate.refusal ?? lost(operation, 'request')
    }
    const answer = await send()
    await this.#pause(fate.backMs)
    if (fate.isAnswerLost) throw lost(operation, 'answer')
    return answer
  }

  #draw(request: FaultRequest): Fate {
    const isDirectory = request.operation === 'directory.read' || request.operation === 'directory.swap'
    const [thereMs, backMs] = this.#drawDelay()
    const plain = {
      refusal: undefined,
      isRequestLost: false,
      isAnswerLost: false,
      isDuplicated: false,
      thereMs,
      backMs,
    }
    if (isDirectory) {
      if (!this.#hits('directory', request)) return plain
      this.#injected.directory += 1
      return this.#random.next() < 0.5 ? { ...plain, isRequestLost: true } : { ...plain, isAnswerLost: true }
    }
    if (this.#hits('throttle', request)) {
      this.#injected.throttled += 1
      return { ...plain, refusal: throttled(request.operation) }
    }
    if (this.#hits('unavailable', request)) {
      this.#injected.unavailable += 1
      return { ...plain, refusal: new BackendError('unavailable', 'The store cannot be reached (an injected fault).') }
    }
    if (this.#hits('loseRequest', request)) {
      this.#injected.lostRequests += 1
      return { ...plain, isRequestLost: true }
    }
    const isDuplicated = !isRead(request.operation) && this.#hits('duplicateDelivery', request)
    const isAnswerLost = this.#hits('loseAnswer', request)
    if (isDuplicated) this.#injected.duplicates += 1
    if (isAnswerLost) this.#injected.lostAnswers += 1
    return { ...plain, isAnswerLost, isDuplicated }
  }

  #drawDelay(): readonly [number, number] {
    const range = this.#faults.delayMs
    const delayMs = range === undefined ? 0 : drawMs(range, this.#random)
    if (delayMs === 0) return [0, 0]
    this.#injected.delayed += 1
    const thereMs = delayMs * this.#random.next()
    return [thereMs, delayMs - thereMs]
  }

  #hits(name: ChanceName, request: FaultRequest): boolean {
    const chance = this.#faults[name]
    if (chance === undefined || chance === 0) return false
    const drawn = this.#random.next()
    return drawn < (typeof chance === 'number' ? chance : checkedChance(`faults.${name}(request)`, chance(request)))
  }

  #pause(ms: number): Promise<void> | undefined {
    if (ms === 0) return undefined
    return new Promise((resolve) => this.#clock.setTimer(resolve, ms))
  }

  #sendAgainLater(send: () => Promise<unknown>): void {
    const laterMs = drawMs(this.#faults.duplicateDelayMs ?? { min: 1, max: 1_000 }, this.#random)
    // Whatever the copy is answered, there is nobody to hear it.
    this.#clock.setTimer(() => void send().then(ignore, ignore), laterMs, { isBackground: true })
  }

  /** Sends what is not left out of a batch; answers for all of it, in its order. `shards` are those of `parts`. */
  async #sendSome<Part, Answer>(
    operation: FaultOperation,
    shards: readonly ShardRef[],
    parts: readonly Part[],
    send: (asked: readonly Part[]) => Promise<readonly Answer[]>,
  ): Promise<readonly (Answer | ShardFailure)[]> {
    if (parts.length === 1 || this.#faults.partialBatch === undefined) return send(parts)
    const isLeftOut = shards.map((shard) => this.#hits('partialBatch', { operation, shards: [shard] }))
    const asked = parts.filter((_, i) => isLeftOut[i] !== true)
    const isAppend = operation === 'collections.append'
    this.#injected[isAppend ? 'unprocessedItems' : 'unprocessedShards'] += parts.length - asked.length
    if (asked.length === 0) throw throttled(operation)
    const answers = (await send(asked)).values()
    const leftOut = isAppend ? unprocessedItem : unprocessedShard
    return isLeftOut.map((isOut) => (isOut ? leftOut : (answers.next().value as Answer)))
  }
}

function ignore(): void {}

const reads: ReadonlySet<FaultOperation> = new Set([
  'read',
  'checkSpread',
  'collections.get',
  'collections.page',
  'directory.read',
])

function isRead(operation: FaultOperation): boolean {
  return reads.has(operation)
}

/** Reads change nothing, so a lost one is only unavailable; of everything else nobody knows whether it was done. */
function lost(operation: FaultOperation, what: 'request' | 'answer'): BackendError {
  const kind = isRead(operation) ? 'unavailable' : 'unknown'
  return new BackendError(kind, `No answer to a ${operation}: the ${what} was lost (an injected fault).`)
}

function throttled(operation: FaultOperation): BackendError {
  return throttledBy(isRead(operation) ? 'TableReadKeyRangeThroughputExceeded' : 'TableWriteKeyRangeThroughputExceeded')
}

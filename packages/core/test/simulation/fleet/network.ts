// Problem: between a process and the store anything may happen to a request and to its answer, and none of it may cost a write.
// Scheme: each message gets its fate from the world's seed when it sets out: how long it takes, whether it gets lost, whether a
//   second copy of it arrives later. What arrives meets the store as it is then. Messages overtake each other.
// Invariants: a request that was refused, and the answer said so, has no second copy; a request that has left a process may take effect although the process is gone; an answer that reaches a process
//   that is stopped waits until it goes on; a process that has crashed sends nothing and hears nothing.
// Cost: two events a request.

import type { Random } from '../../../src/chance/random.js'
import { throttledBy, unprocessedShard } from '../../../src/backend/simulated-throttle.js'
import type { Backend, CollectionStore, RecordStore, ShardRef } from '../../../src/index.js'
import { BackendError } from '../../../src/index.js'
import type { Chronicle } from './chronicle.js'
import { happens } from './draws.js'
import type { NetworkFaults } from './profile.js'
import { said, type Said } from './said.js'
import type { SimulatedStore } from './simulated-store.js'
import type { VirtualTime } from './virtual-time.js'

/** One end of the network. */
export interface Endpoint {
  readonly name: string
  /** Whether messages from and to it get lost. */
  readonly isCutOff: boolean
  /** Whether those do that concern the directory. */
  readonly isBlind: boolean
  /** Whether the network is a good one for it. */
  readonly isSpared: boolean
  /** How much longer its requests, and the answers to them, take. */
  readonly lagMs: { readonly there: number; readonly back: number }
  /** A message is about to leave; false when the process crashes before it. */
  sends(): boolean
  /** Hands over an answer: at once, when the process goes on, or never. */
  deliver(run: () => void): void
}

/** Who wants to know what requests for items, and writes of records, were sent and have arrived. */
export interface Observer {
  sent(endpoint: Endpoint, request: Said): void
  arrived(request: Said): void
}

/** What the network is made of. */
export interface NetworkParts {
  readonly time: VirtualTime
  readonly random: Random
  readonly store: SimulatedStore
  readonly chronicle: Chronicle
  readonly observer: Observer
  readonly isForgetful: boolean
  /** No copy of a request for items arrives later, which is what tombstones go by. */
  readonly retryHorizonMs: number
}

/** A connection that nothing comes through any more breaks after so long. */
const brokenAfterMsMax = 3_500

/** A network in which nothing goes wrong. */
export const calm: NetworkFaults = {
  delayMaxMs: 2,
  slow: 0,
  slowMaxMs: 0,
  loseRequest: 0,
  loseAnswer: 0,
  duplicate: 0,
  duplicateMaxMs: 0,
  leaveOut: 0,
  isDirectorySpared: false,
}

/** The ways between processes and the store. */
export class Network {
  faults: NetworkFaults = calm
  /** How many reads of records have set out, by key. */
  readonly readCounts = new Map<string, number>()
  readonly #parts: NetworkParts

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  /** The store as one process sees it. */
  backendOf(endpoint: Endpoint): Backend {
    const { store } = this.#parts
    return {
      name: 'simulated',
      capabilities: store.inner.capabilities,
      directory: {
        read: () => this.#send(endpoint, said('directory.read', []), () => Promise.resolve(store.document)),
        swap: (expected, text) =>
          this.#send(endpoint, said('directory.swap', [], text), () =>
            Promise.resolve(this.#swap(endpoint, expected, text)),
          ),
      },
      records: this.#records(endpoint),
      collections: this.#collections(endpoint),
    }
  }

  #swap(endpoint: Endpoint, expected: string | undefined, text: string): string | undefined {
    const version = this.#parts.store.swap(expected, text)
    const { chronicle, store } = this.#parts
    if (version !== undefined && chronicle.isKept)
      chronicle.note('directory', `version ${version} by ${endpoint.name}: ${routesOf(store)}`)
    return version
  }

  #records(endpoint: Endpoint): RecordStore {
    const { store, isForgetful } = this.#parts
    const { records } = store.inner
    const at = (shard: ShardRef) => store.placed(shard)
    return {
      write: (write, call) =>
        this.#send(endpoint, said('write', [write.shard], write), () =>
          records.write({ ...write, shard: at(write.shard) }, call),
        ),
      read: (read, call) =>
        this.#send(endpoint, said('read', read.shards), () =>
          this.#some(read.shards, (shards) => records.read({ ...read, shards: shards.map(at) }, call)),
        ),
      seal: (shard, fields, call) =>
        this.#send(endpoint, said('seal', [shard]), () => records.seal(at(shard), fields, call)),
      absorb: (absorb, call) =>
        this.#send(endpoint, said('absorb', [absorb.target, absorb.source]), () =>
          records.absorb({ ...absorb, target: at(absorb.target) }, call),
        ),
      clear: (shard, retentionMs, call) =>
        this.#send(endpoint, said('clear', [shard]), async () => {
          await records.clear(at(shard), retentionMs, call)
          store.expireLater(shard, retentionMs)
          return 'expires' as const
        }),
      ...(isForgetful && {
        stampRoute: (shard, stamp, call) =>
          this.#send(endpoint, said('stampRoute', [shard], stamp), () =>
            Promise.resolve(records.stampRoute?.(shard, stamp, call)),
          ),
      }),
    }
  }

  #collections(endpoint: Endpoint): CollectionStore {
    const { store } = this.#parts
    const items = store.collections
    const at = (shard: ShardRef) => store.placed(shard)
    return {
      limits: items.limits,
      put: (put, call) =>
        this.#send(endpoint, said('put', [put.shard], put), () => items.put({ ...put, shard: at(put.shard) }, call)),
      delete: (deletion, call) =>
        this.#send(endpoint, said('delete', [deletion.shard], deletion), () =>
          items.delete({ ...deletion, shard: at(deletion.shard) }, call),
        ),
      get: (read, call) =>
        this.#send(endpoint, said('get', read.shards), () =>
          this.#some(read.shards, (shards) => items.get({ ...read, shards: shards.map(at) }, call)),
        ),
      page: (page, call) =>
        this.#send(endpoint, said('page', [page.shard]), () => items.page({ ...page, shard: at(page.shard) }, call)),
    }
  }

  #send<T>(endpoint: Endpoint, request: Said, run: () => Promise<T>): Promise<T> {
    const { time, chronicle, observer } = this.#parts
    if (!endpoint.sends()) return new Promise(never)
    if (request.operation === 'read') this.#countRead(request)
    observer.sent(endpoint, request)
    const thereMs = this.#lived(request, this.#delayMs(endpoint, request, 'there'))
    const arrive = () => this.#arrive(endpoint, request, run)
    this.#deliverAgain(endpoint, request, thereMs, arrive)
    return new Promise<T>((resolve, reject) => {
      const isLost = this.#isLost(endpoint, request, this.#faultsOf(endpoint, request).loseRequest)
      if (chronicle.isKept) chronicle.note(endpoint.name, `sends ${request.text()}${isLost ? ', which gets lost' : ''}`)
      if (isLost) this.#tellLoss(endpoint, request, thereMs, reject)
      else
        time.after(thereMs, () => {
          arrive().then(
            (value) => this.#answer(endpoint, request, () => resolve(value), reject),
            (error: unknown) => this.#answer(endpoint, request, () => reject(error), reject),
          )
        })
    })
  }

  /** A second copy arrives later, unless the store has refused the first. */
  #deliverAgain(endpoint: Endpoint, request: Said, thereMs: number, arrive: () => Promise<unknown>): void {
    const { time, random } = this.#parts
    const { duplicate, duplicateMaxMs } = this.#faultsOf(endpoint, request)
    if (request.isRead || !happens(random, duplicate)) return
    const againMs = this.#lived(request, thereMs + 1 + random.next() * duplicateMaxMs)
    time.after(againMs, () => {
      if (!request.isRefused) arrive().catch(ignored)
    })
  }

  #countRead({ shards: [shard] }: Said): void {
    const key = shard?.key ?? ''
    this.readCounts.set(key, (this.readCounts.get(key) ?? 0) + 1)
  }

  #isLost({ isCutOff, isBlind }: Endpoint, { isOfDirectory }: Said, chance: number): boolean {
    return isCutOff || (isBlind && isOfDirectory) || happens(this.#parts.random, chance)
  }

  #lived({ isOfItems }: Said, ms: number): number {
    return isOfItems ? Math.min(ms, this.#parts.retryHorizonMs) : ms
  }

  #arrive<T>(endpoint: Endpoint, request: Said, run: () => Promise<T>): Promise<T> {
    const refusal = this.#refusal(request)
    const { chronicle, observer } = this.#parts
    if (chronicle.isKept)
      chronicle.note('store', `${refusal === undefined ? 'gets' : 'refuses'} ${request.text()} of ${endpoint.name}`)
    if (refusal !== undefined) {
      request.isRefused = true
      return Promise.reject(refusal)
    }
    observer.arrived(request)
    return run()
  }

  #answer(endpoint: Endpoint, request: Said, end: () => void, reject: (error: unknown) => void): void {
    const { time, chronicle } = this.#parts
    const backMs = this.#delayMs(endpoint, request, 'back')
    if (this.#isLost(endpoint, request, this.#faultsOf(endpoint, request).loseAnswer)) {
      if (chronicle.isKept) chronicle.note('network', `loses the answer to ${request.text()} of ${endpoint.name}`)
      this.#tellLoss(endpoint, request, backMs, reject)
    } else time.after(backMs, () => endpoint.deliver(end))
  }

  /** Of a loss nobody hears before the connection breaks: soon, or long after everybody has given up. */
  #tellLoss(endpoint: Endpoint, request: Said, delayMs: number, reject: (error: unknown) => void): void {
    const { time, random } = this.#parts
    const error = new BackendError(request.isRead ? 'unavailable' : 'unknown', 'The connection broke.')
    const laterMs = random.next() < 0.6 ? 500 + random.next() * brokenAfterMsMax : 0
    time.after(delayMs + laterMs, () => endpoint.deliver(() => reject(error)))
  }

  #refusal({ shards, isRead }: Said): BackendError | undefined {
    const { store } = this.#parts
    if (store.isDown) return new BackendError('unavailable', 'The store is down.')
    if (store.throttled.size === 0 || shards.length !== 1 || !this.#isThrottled(shards[0]!)) return undefined
    return throttledBy(isRead ? 'TableReadKeyRangeThroughputExceeded' : 'TableWriteKeyRangeThroughputExceeded')
  }

  #isThrottled({ key, index }: ShardRef): boolean {
    const { throttled } = this.#parts.store
    return throttled.size > 0 && throttled.has(`${key}#${index}`)
  }

  /** A batch may be answered in part. */
  async #some<A>(
    shards: readonly ShardRef[],
    send: (asked: readonly ShardRef[]) => Promise<readonly A[]>,
  ): Promise<readonly (A | typeof unprocessedShard)[]> {
    const { leaveOut } = this.faults
    if (shards.length === 1 || (leaveOut === 0 && this.#parts.store.throttled.size === 0)) return send(shards)
    const isOut = shards.map((shard) => this.#isThrottled(shard) || happens(this.#parts.random, leaveOut))
    const asked = shards.filter((_, i) => !isOut[i])
    if (asked.length === 0) throw throttledBy('TableReadKeyRangeThroughputExceeded')
    const answers = (await send(asked)).values()
    return isOut.map((out) => (out ? unprocessedShard : (answers.next().value as A)))
  }

  #faultsOf({ isSpared }: Endpoint, request: Said): NetworkFaults {
    return isSpared || this.#isSpared(request) ? calm : this.faults
  }

  #isSpared({ isOfDirectory }: Said): boolean {
    return isOfDirectory && this.faults.isDirectorySpared
  }

  #delayMs(endpoint: Endpoint, request: Said, way: 'there' | 'back'): number {
    const { random } = this.#parts
    const { delayMaxMs, slow, slowMaxMs } = this.#faultsOf(endpoint, request)
    const lagMs = this.#isSpared(request) ? 0 : endpoint.lagMs[way]
    return 1 + lagMs + random.next() * (happens(random, slow) ? slowMaxMs : delayMaxMs)
  }
}

/** The routes of a directory, for a reader. */
export function routesOf({ directory }: SimulatedStore): string {
  if (directory === undefined) return 'none'
  const routes = [...directory.routes].map(
    ([key, { phase, read, write, revision }]) => `${key} ${phase} read ${read} write ${write} (${revision})`,
  )
  return routes.length === 0 ? 'no routes' : routes.join('; ')
}

function never(): void {}

/** Whatever a second copy is answered, there is nobody to hear it. */
function ignored(): void {}

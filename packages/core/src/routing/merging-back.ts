// Problem: what stands in the shards that a cooled key gives up must be counted once, before, while and after it moves, although
//   whoever moves it may crash at any step and others may do the same work at the same time.
// Scheme: a draining route's shards from `write` on are sealed, and what they hold is merged into shard i mod `write`; their
//   items are copied to where the write fanout says. A settled route's remains are cleared, and go by the store's own expiry.
// Invariants: contents are frozen before they are merged (rule seal), merged once (rule absorb), and cleared only a lease after
//   nobody reads them; a shard with a field that this process does not know is left to one that knows it; every step may be
//   done twice.
// Cost: a seal, a write, a clear and an empty page for each shard; where nothing was written, no write; a read, a write and a
//   delete for each item.
// Source: docs/routing.md, rules seal, absorb and drain-wait.

import pLimit from 'p-limit'

import type { Backend, ShardContents } from '../backend/backend.js'
import { asBackendError, BackendError, isRefusal } from '../backend/backend-error.js'
import type { CollectionStore } from '../backend/collection-store.js'
import type { SortType } from '../item/sort-value.js'
import type { ShardRef } from '../operation.js'
import type { Events } from '../telemetry/events.js'
import { copyItems, oldest } from './copy-items.js'
import type { ItemHash } from './item-hash.js'
import type { ContentsOf, KeyContents } from './key-contents.js'
import { type JobOutcome, KeyJobs } from './key-jobs.js'
import { isSameRoute, type Route, remainsOf, shardOf } from './route.js'
import { eachItem, MovedOnError, ShardRequests, type ShardRequestsParts } from './shard-requests.js'

/** Of 4,096 clients one helps to merge a key back after a lease, two after two leases, four after three, and all after so many. */
export const patientLeases = 12

/** Nobody is there who knows what stands under a key, most likely, if nobody has finished so long after all would have begun. */
const unknownLeases = patientLeases + 2

/** How many keys are worked on at once. */
const keysAtOnceMax = 4

/** Who does not know what stands in a shard looks again after up to so many leases: it may have been declared since. */
const refusedLeases = 20

/** After so many failures in a row remains are left where they are: they harm nobody, and the key must be free to grow again. */
const clearFailuresMax = 12

/** How many removals of items are under way at once, for one key. */
const removalsAtOnceMax = 8

/** So many names of unknown fields an error tells. */
const namedMax = 5

/** What merging back is built from. */
export interface MergingBackParts extends ShardRequestsParts {
  readonly backend: Backend
  readonly events: Events
  readonly contentsOf: ContentsOf
  /** Undefined where the backend keeps no collections. */
  readonly itemHash: () => ItemHash | undefined
  readonly sealRetentionMs: number
  readonly leaseMs: number
  /** See `ItemDeletion.retentionMs`. */
  readonly tombstoneMs: number
}

/** Does what a draining or settled route waits for. */
export class MergingBack {
  readonly #parts: MergingBackParts
  readonly #jobs: KeyJobs
  /** What has been done for routes whose job is under way or to be tried again. */
  readonly #progress = new Map<string, Progress>()
  /** By key: the revision of which was told that this client cannot take its step. */
  readonly #told = new Map<string, number>()

  constructor(parts: MergingBackParts) {
    this.#parts = parts
    this.#jobs = new KeyJobs({
      clock: parts.clock,
      random: parts.random,
      underWayMax: keysAtOnceMax,
      refusedPauseMs: refusedLeases * parts.leaseMs,
      silentMsMax: Infinity, // each of its requests has a time-out
      run: (key, route, outcome) => this.#run(key, route, outcome),
      onFailure: (key, route, error, failures) => this.#failed(key, route, error, failures),
    })
  }

  /** Whether a draining route may be settled, or a settled one finished. */
  isDone(key: string, route: Route): boolean {
    return this.#jobs.isDone(key, route) || this.#progressOf(key, route)?.isLeft === true
  }

  /** Works on these routes, which are draining or settled and have been seen so for a whole lease. */
  want(routes: ReadonlyMap<string, Route>): void {
    for (const [key, { route }] of this.#progress) {
      const wanted = routes.get(key)
      if (wanted === undefined || !isSameRoute(route, wanted)) this.#progress.delete(key)
    }
    const known = [...routes].filter(
      ([key, route]) => this.#progressOf(key, route)?.isLeft !== true && this.#parts.contentsOf(key) !== undefined,
    )
    this.#jobs.want(new Map(known))
    this.#tellUnknown(routes)
  }

  /** The key stays as it is, and cannot grow, until somebody comes who knows it. */
  #tellUnknown(routes: ReadonlyMap<string, Route>): void {
    const { routing, events, leaseMs, contentsOf } = this.#parts
    for (const [key, revision] of this.#told)
      if (routing.latest()?.route(key)?.revision !== revision) this.#told.delete(key)
    for (const [key, { revision, phase }] of routes) {
      if (contentsOf(key) !== undefined || this.#told.get(key) === revision) continue
      if (routing.seenForMs(key, revision) < unknownLeases * leaseMs) continue
      this.#told.set(key, revision)
      const error = notMine('it has declared no record and no collection that the key belongs to')
      if (events.hasListeners('route-stalled')) events.emit('route-stalled', { key, phase, error })
    }
  }

  /** Forgets what was done. */
  reset(): void {
    this.#jobs.reset()
    this.#progress.clear()
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#jobs.idle()
  }

  async #run(key: string, route: Route, outcome: JobOutcome): Promise<void> {
    try {
      const contents = this.#parts.contentsOf(key)
      if (contents === undefined) return
      const place: Place = { key, route, contents, requests: new ShardRequests(this.#parts, key, route) }
      const progress = this.#progressOf(key, route) ?? { route, finished: new Set<number>(), isLeft: false }
      this.#progress.set(key, progress)
      for (const shard of route.phase === 'draining' ? shardsGivenUp(key, route) : remainsOf(key, route)) {
        if (progress.finished.has(shard.index)) continue
        if (route.phase === 'draining') await this.#mergeBack(place, shard)
        else await this.#clear(place, shard)
        progress.finished.add(shard.index)
      }
      outcome.done()
    } finally {
      outcome.over()
    }
  }

  /** Items first: where a key holds only one kind, they tell which. */
  async #mergeBack(place: Place, shard: ShardRef): Promise<void> {
    const { collections } = this.#parts.backend
    const itemCount = collections === undefined ? 0 : await this.#copyItems(place, shard, collections)
    if (itemCount === 0 || collections?.limits.mayShareKeys === true) await this.#mergeFields(place, shard)
  }

  async #mergeFields({ key, route, contents, requests }: Place, shard: ShardRef): Promise<void> {
    const { records } = this.#parts.backend
    const fields = contents.fields ?? []
    const frozen = await requests.send((call) => records.seal(shard, fields, call))
    const others = frozen.otherFields ?? []
    if (others.length > 0) {
      const names = others.slice(0, namedMax).map((name) => JSON.stringify(name))
      throw notMine(
        `shard ${shard.index} has fields of a record that this client has not declared: ${names.join(', ')}`,
      )
    }
    if (isEmpty(frozen)) return
    const target = shardOf(key, route, shard.index % route.write)
    await requests.send((call) => records.absorb({ target, source: shard, contents: frozen, fields }, call))
  }

  /** Answers with how many items there were. */
  async #copyItems(place: Place, shard: ShardRef, store: CollectionStore): Promise<number> {
    const { itemHash, routing, tombstoneMs } = this.#parts
    const { key, route, contents, requests } = place
    const hash = itemHash()
    const hashSeed = routing.latest()?.directory.hashSeed
    if (hash === undefined || hashSeed === undefined) throw notMine('the client is not open')
    const parts = { store, requests, hash, hashSeed, tombstoneMs }
    if (contents.sortTypes !== undefined)
      return ofEachType(place, store, (sortType) => copyItems(parts, key, route, shard, sortType))
    if (!store.limits.mayShareKeys) return 0 // of a place of items `seal` says that it is one
    for (const sortType of store.limits.sortTypes)
      for await (const items of eachItem(store, requests, shard, sortType))
        if (items.length > 0)
          throw notMine(`shard ${shard.index} has items of a collection that this client has not declared`)
    return 0
  }

  async #clear(place: Place, shard: ShardRef): Promise<void> {
    const { backend, sealRetentionMs } = this.#parts
    const { collections } = backend
    if (collections !== undefined && place.contents.sortTypes !== undefined)
      await ofEachType(place, collections, (sortType) => removeItems(place.requests, collections, shard, sortType))
    try {
      await place.requests.send((call) => backend.records.clear(shard, sealRetentionMs, call))
    } catch (error) {
      // No shard of a record: it was never sealed, or is a place of items.
      if (error instanceof MovedOnError || !isRefusal(error)) throw error
    }
  }

  #failed(key: string, route: Route, error: unknown, failures: number): void {
    if (error instanceof MovedOnError) return
    const { events } = this.#parts
    const { phase } = route
    if (events.hasListeners('route-stalled')) events.emit('route-stalled', { key, phase, error })
    if (phase !== 'settled' || failures < clearFailuresMax) return
    const progress = this.#progressOf(key, route)
    if (progress === undefined) return
    progress.isLeft = true
    const shardCount = remainsOf(key, route).length - progress.finished.size
    if (events.hasListeners('remains-left')) events.emit('remains-left', { key, shardCount, error })
  }

  #progressOf(key: string, route: Route): Progress | undefined {
    const progress = this.#progress.get(key)
    return progress !== undefined && isSameRoute(progress.route, route) ? progress : undefined
  }
}

/** How far the job of a route has come. */
interface Progress {
  readonly route: Route
  /** The indexes of the shards that are done. */
  readonly finished: Set<number>
  /** Whether what remains was given up. */
  isLeft: boolean
}

/** A key whose shards are worked on. */
interface Place {
  readonly key: string
  readonly route: Route
  readonly contents: KeyContents
  readonly requests: ShardRequests
}

function shardsGivenUp(key: string, route: Route): readonly ShardRef[] {
  return Array.from({ length: route.read - route.write }, (_, i) => shardOf(key, route, route.write + i))
}

/** Nothing that a reader could miss. */
function isEmpty({ states, absorbed = [] }: ShardContents): boolean {
  return absorbed.length === 0 && states.every((state) => state === undefined)
}

/** Does a work for each type of sort values that a key's items may have, and adds up what it answers. */
async function ofEachType(
  { contents }: Place,
  store: CollectionStore,
  work: (sortType: SortType) => Promise<number>,
): Promise<number> {
  let count = 0
  let refusal: BackendError | undefined
  for (const sortType of contents.sortTypes ?? []) {
    try {
      count += await work(sortType)
    } catch (error) {
      // A place of fields, or of items of another type, where a place holds only one kind.
      if (error instanceof MovedOnError || store.limits.mayShareKeys || !isRefusal(error)) throw error
      refusal = asBackendError(error)
    }
  }
  if (count === 0 && refusal !== undefined && contents.fields === undefined) throw refusal
  return count
}

async function removeItems(
  requests: ShardRequests,
  store: CollectionStore,
  shard: ShardRef,
  sortType: SortType,
): Promise<number> {
  const limit = pLimit(removalsAtOnceMax)
  let count = 0
  for await (const items of eachItem(store, requests, shard, sortType)) {
    count += items.length
    const removals = items.map(
      ({ sort, stamp = oldest }) =>
        () =>
          requests.send((call) => store.delete({ shard, sort, stamp, mode: 'remove', retentionMs: 0 }, call)),
    )
    await Promise.all(removals.map((removal) => limit(removal)))
  }
  return count
}

function notMine(what: string): BackendError {
  return new BackendError('rejected', `Not merged back by this client: ${what}.`)
}

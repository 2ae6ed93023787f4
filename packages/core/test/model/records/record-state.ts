import { remainCount, routeHistory, type RouteAt } from './record-history.js'
import type { RecordSearch } from './record-search.js'

/** What the steps of a search know: it never changes. */
export interface RecordModel {
  readonly search: RecordSearch
  readonly history: readonly RouteAt[]
  readonly placeCount: number
  /** The number of each writer's first write. */
  readonly firstWrites: readonly number[]
}

/** One moment of a schedule. */
export interface State {
  /** Names the route: the route that stands in the directory is `history[revision]`. */
  readonly revision: number
  readonly cells: readonly Cell[]
  readonly writers: readonly Writer[]
  /** Requests under way. */
  readonly messages: readonly Message[]
  readonly coordinators: readonly Coordinator[]
  readonly reader: Reader
  /** The writes that were acknowledged, a bit each. */
  readonly acknowledged: number
  /** How many sequence numbers were drawn. Not counted where nothing is forgotten: then each writer counts its own. */
  readonly sequenceCount: number
  /** The revision of the route that shard 0 is stamped with; 0 when it is not. */
  readonly stamp: number
  readonly failoversLeft: number
  readonly repeatsLeft: number
  readonly forgetsLeft: number
  readonly writerCrashesLeft: number
}

/** What stands at a place; numbers are packed as in packed.ts. */
export interface Cell {
  readonly isSealed: boolean
  readonly counts: number
  readonly last: number
  readonly forgottenUpTo: number
  readonly absorbed: number
}

/** A process that writes. */
export interface Writer {
  readonly doneCount: number
  /** The revision under which it may send; undefined when it must fetch first. */
  readonly lease: number | undefined
  /** The latest revision that it has been shown; undefined where nothing can go back. */
  readonly memory: number | undefined
  readonly attempt: Attempt | undefined
}

/** A write under way. */
export interface Attempt {
  readonly sequence: number
  /** Where it was sent; undefined while it waits to be routed again. */
  readonly place: number | undefined
  /** Whether another copy was sent there. */
  readonly isRepeated: boolean
}

/** A request under way. */
export interface Message {
  readonly write: number
  readonly sequence: number
  readonly place: number
}

/** A process that merges back. */
export interface Coordinator {
  /** The revision that it goes by; undefined before it has fetched one. */
  readonly seen: number | undefined
  /** How many of the shards that go are done. */
  readonly doneCount: number
  /** What it sealed and has not absorbed yet. */
  readonly holding: Contents | undefined
}

/** What a shard holds. */
export interface Contents {
  readonly counts: number
  readonly absorbed: number
}

/** The process that reads. */
export interface Reader {
  readonly lease: number | undefined
  /** The read under way. */
  readonly open: ReadUnderWay | undefined
}

/** A read. */
export interface ReadUnderWay {
  /** The revision that it goes by. */
  readonly revision: number
  /** What it found in each shard; undefined where it has not looked yet. */
  readonly found: readonly (Contents | undefined)[]
  /** The acknowledged writes that it must see, a bit each. */
  readonly mustSee: number
}

/** A place that was never written. */
export const emptyCell: Cell = { isSealed: false, counts: 0, last: 0, forgottenUpTo: 0, absorbed: 0 }

/** A coordinator that has nothing to do. */
export const idleCoordinator: Coordinator = { seen: undefined, doneCount: 0, holding: undefined }

/** Prepares the steps of a search. */
export function recordModel(search: RecordSearch): RecordModel {
  const history = routeHistory(search)
  let writeCount = 0
  const firstWrites = search.writers.map((plan) => {
    writeCount += plan.writeCount
    return writeCount - plan.writeCount
  })
  return { search, history, placeCount: Math.max(...history[0]!.livePlaces) + 1, firstWrites }
}

/** Nothing is stored, nobody has fetched, the key is cold. */
export function firstState({ search, placeCount }: RecordModel): State {
  return {
    revision: 0,
    cells: Array.from({ length: placeCount }, () => emptyCell),
    writers: search.writers.map(() => ({ doneCount: 0, lease: undefined, memory: undefined, attempt: undefined })),
    messages: [],
    coordinators: Array.from({ length: search.coordinatorCount }, () => idleCoordinator),
    reader: { lease: undefined, open: undefined },
    acknowledged: 0,
    sequenceCount: 0,
    stamp: 0,
    failoversLeft: search.failoverCount ?? 0,
    repeatsLeft: search.repeatCount,
    forgetsLeft: search.forgetCount ?? 0,
    writerCrashesLeft: search.writerCrashCount ?? 0,
  }
}

/** Whether everybody who may act has seen this revision, or a later one. */
export function isLeaseWaited({ writers, reader }: State, revision: number): boolean {
  return [reader, ...writers].every(({ lease }) => lease === undefined || lease >= revision)
}

/** Leaves out what nothing can depend on any more, so that states that differ only there are one. */
export function withoutUnreachable(state: State, { history }: RecordModel): State {
  const { livePlaces } = history[oldestInUse(state)]!
  const isAwaited = (place: number) => state.writers.some(({ attempt }) => attempt?.place === place)
  const isLive = (place: number) => livePlaces.has(place) || isAwaited(place)
  return {
    ...state,
    cells: state.cells.map((cell, place) => (isLive(place) ? cell : emptyCell)),
    messages: state.messages.filter(({ place }) => isLive(place)),
    // A read that has begun knows what it must see.
    acknowledged: state.reader.open === undefined ? state.acknowledged : 0,
    coordinators: state.coordinators.map((coordinator) =>
      isOver(coordinator, state, history) ? idleCoordinator : coordinator,
    ),
  }
}

/** A coordinator that has done all it can under a route that others have changed since. */
function isOver({ seen, doneCount }: Coordinator, { revision }: State, history: readonly RouteAt[]): boolean {
  return seen === undefined || (seen < revision && doneCount === remainCount(history[seen]!))
}

/** The oldest revision that anybody may still act upon. */
function oldestInUse({ revision, writers, reader, coordinators }: State): number {
  let oldest = Math.min(revision, reader.lease ?? revision, reader.open?.revision ?? revision)
  for (const { lease } of writers) if (lease !== undefined && lease < oldest) oldest = lease
  for (const { seen } of coordinators) if (seen !== undefined && seen < oldest) oldest = seen
  return oldest
}

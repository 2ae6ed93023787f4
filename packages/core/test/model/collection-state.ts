import { routeHistory, type RouteAt } from './route-history.js'
import type { CollectionSearch } from './collection-search.js'

/** What the steps of a search know: it never changes. */
export interface CollectionModel {
  readonly search: CollectionSearch
  readonly history: readonly RouteAt[]
  readonly placeCount: number
}

/** One moment of a schedule. */
export interface State {
  /** Names the route: the route that stands in the directory is `history[revision]`. */
  readonly revision: number
  /** What stands at each place. */
  readonly cells: readonly (Cell | undefined)[]
  readonly writers: readonly Writer[]
  /** Requests under way. */
  readonly messages: readonly Message[]
  /** How many versions were drawn: they count from 1. */
  readonly versionCount: number
  /** The newest version of a delete that has begun, or 0. */
  readonly newestDelete: number
  /** The puts whose writers crashed, a bit each (`1 << version`): their outcome is unknown, and they may show at any time. */
  readonly abandonedPuts: number
  /** The newest version that was acknowledged, or 0. */
  readonly acknowledged: number
  readonly reader: Reader
  readonly copy: Copy
  readonly repeatsLeft: number
  readonly crashesLeft: number
  readonly writerCrashesLeft: number
  readonly failoversLeft: number
  /** The revision of the newest stamp in shard 0 when the directory last fell back, or 0. */
  readonly stamp: number
}

/** An item or its tombstone. */
export interface Cell {
  readonly version: number
  readonly isDead: boolean
}

/** A process that writes. */
export interface Writer {
  readonly doneCount: number
  /** The revision under which it may act; undefined when it must fetch first. */
  readonly lease: number | undefined
  /** Whether it fetched while the newest change was lost. */
  readonly isBehind: boolean
  readonly operation: Operation | undefined
}

/** A put or a delete under way: its steps follow from the route that it goes by. */
export interface Operation {
  readonly version: number
  readonly isDelete: boolean
  /** The revision that it was routed by; undefined while it waits to be routed again. */
  readonly revision: number | undefined
  /** Whether it has been routed before. */
  readonly isAgain: boolean
  /** The newest version above its own that it has met: of a tombstone, and what it takes its copy back for. 0 when there is none. */
  readonly met: number
  /** How many of its steps are answered. */
  readonly at: number
}

/** What a request does at a place. */
export type RequestKind = 'put' | 'tombstone' | 'remove' | 'look' | 'undo'

/** A request under way. */
export interface Message {
  readonly kind: RequestKind
  readonly place: number
  readonly version: number
  /** The version of the operation that waits for its answer; 0 when it is late, or a duplicate of what was answered. */
  readonly awaitedBy: number
}

/** The process that reads. */
export interface Reader {
  readonly lease: number | undefined
  /** Whether it fetched while the newest change was lost. */
  readonly isBehind: boolean
  /** The read under way. */
  readonly open: ReadUnderWay | undefined
}

/** A read: which places are left, the newest that it has seen, and the version that it must see, or a newer one. */
export interface ReadUnderWay {
  readonly unread: readonly number[]
  readonly newest: Cell | undefined
  readonly mustSee: number
}

/** How far the copy of a merge back is. */
export interface Copy {
  /** How many sources are done. */
  readonly doneCount: number
  /** What was read from the next source. */
  readonly item: Cell | undefined
}

/** No copy has begun. */
export const noCopy: Copy = { doneCount: 0, item: undefined }

/** Prepares the steps of a search. */
export function collectionModel(search: CollectionSearch): CollectionModel {
  const history = routeHistory(search)
  return { search, history, placeCount: Math.max(...history[0]!.livePlaces) + 1 }
}

/** Nothing is stored, nobody has fetched, the key is cold. */
export function firstState({ search, placeCount }: CollectionModel): State {
  return {
    revision: 0,
    cells: Array.from({ length: placeCount }, () => undefined),
    writers: search.writers.map(() => ({ doneCount: 0, lease: undefined, isBehind: false, operation: undefined })),
    messages: [],
    versionCount: 0,
    newestDelete: 0,
    abandonedPuts: 0,
    acknowledged: 0,
    reader: { lease: undefined, isBehind: false, open: undefined },
    copy: noCopy,
    repeatsLeft: search.repeatCount,
    crashesLeft: search.crashCount,
    writerCrashesLeft: search.writerCrashCount ?? 0,
    failoversLeft: search.failoverCount ?? 0,
    stamp: 0,
  }
}

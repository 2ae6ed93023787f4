import { DirectoryMismatchError } from '../errors/route-error.js'
import { byteLength } from '../internal/byte-length.js'
import {
  type Document,
  formatVersion,
  hashVersion,
  parseDocument,
  routeOfTuple,
  tupleOf,
} from './directory-document.js'
import type { Route } from './route.js'

/** The timings that every client of a backend must share. */
export interface SharedTimings {
  /** How long a snapshot may be acted upon. */
  readonly leaseMs: number
  /** How long a write may be sent again. */
  readonly retryHorizonMs: number
  /** How long a sealed shard stays. */
  readonly sealRetentionMs: number
}

/** How long a leader's id is: that of a writer. */
const leaderIdLength = 12

/** The process that decides about fanouts for the whole fleet. */
export interface Leader {
  /** Its id: 72 random bits. */
  readonly id: string
  /** Grows whenever it says that it is still there. */
  readonly term: number
}

/** The directory: a header and the routes of the keys that are not cold. */
export interface Directory {
  /** When it was made, by the wall clock of the client that was shown none; tells directories apart that were made when one was lost. */
  readonly madeMs: number
  /** The last number drawn, for revisions and generations. */
  readonly counter: number
  /** In how many places the directory is kept. @default 1 */
  readonly copies?: number | undefined
  /** The same for every client. */
  readonly timings: SharedTimings
  /** Seeds the hash that places the items of collections; it decides where data lies, so it never changes. */
  readonly hashSeed: number
  /** How often something that the store had lost was written back: waits of a lease begin anew then. @default 0 */
  readonly healCount?: number | undefined
  /** Who leads; undefined while nobody is needed. */
  readonly leader?: Leader | undefined
  /** By key. */
  readonly routes: ReadonlyMap<string, Route>
}

/** The directory as text. */
export function encodeDirectory(directory: Directory): string {
  const document: Document = {
    format: formatVersion,
    madeMs: directory.madeMs,
    counter: directory.counter,
    ...(directory.copies !== undefined && { copies: directory.copies }),
    ...directory.timings,
    hash: { version: hashVersion, seed: directory.hashSeed },
    ...(directory.healCount !== undefined && { healCount: directory.healCount }),
    ...(directory.leader && { leader: [directory.leader.id, directory.leader.term] as [string, number] }),
    routes: [...directory.routes].map(([key, route]) => tupleOf(key, route)),
  }
  return JSON.stringify(document)
}

/** How many bytes a directory takes, whatever its counter grows to and whoever leads. */
export function directoryBytes(directory: Directory): number {
  const most = Number.MAX_SAFE_INTEGER
  return byteLength(
    encodeDirectory({ ...directory, counter: most, leader: { id: ' '.repeat(leaderIdLength), term: most } }),
  )
}

/** How many bytes of it one route takes, with the comma beside it. */
export function routeBytes(key: string, route: Route): number {
  return byteLength(JSON.stringify(tupleOf(key, route))) + 1
}

/**
 * The inverse of {@link encodeDirectory}. Throws `DirectoryMismatchError` for a document of another format, and a
 * `BackendError` of kind `invalid` for one that is malformed.
 */
export function decodeDirectory(text: string): Directory {
  const { madeMs, counter, copies, leaseMs, retryHorizonMs, sealRetentionMs, hash, healCount, leader, routes } =
    parseDocument(text)
  return {
    madeMs,
    counter,
    copies,
    timings: { leaseMs, retryHorizonMs, sealRetentionMs },
    hashSeed: hash.seed,
    healCount,
    leader: leader && { id: leader[0], term: leader[1] },
    routes: new Map(routes.map((tuple) => [tuple[0], routeOfTuple(tuple)])),
  }
}

/** Refuses a directory that was made with other timings, or for another number of copies: leases mean nothing unless all agree on them. */
export function checkTimings(
  directory: Directory,
  timings: SharedTimings & { readonly directoryCopies: number },
): void {
  const { copies = 1 } = directory
  if (copies !== timings.directoryCopies)
    throw new DirectoryMismatchError('routing.directoryCopies', copies, timings.directoryCopies)
  for (const name of ['leaseMs', 'retryHorizonMs', 'sealRetentionMs'] as const) {
    if (directory.timings[name] !== timings[name])
      throw new DirectoryMismatchError(`routing.${name}`, directory.timings[name], timings[name])
  }
}

import type { Generation } from '../operation.js'
import { DirectoryMismatchError } from '../errors/route-error.js'
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

/** The directory: a header and the routes of the keys that are not cold. */
export interface Directory {
  /** The last number drawn, for revisions and generations. */
  readonly counter: number
  /** The same for every client. */
  readonly timings: SharedTimings
  /** Seeds the hash that places the items of collections; it decides where data lies, so it never changes. */
  readonly hashSeed: number
  /** By key. */
  readonly routes: ReadonlyMap<string, Route>
}

const formatVersion = 1

type RouteTuple = [
  key: string,
  phase: Route['phase'],
  read: number,
  write: number,
  generations: [number, number][],
  writeHistory: number[],
  revision: number,
]

interface Document {
  format: number
  counter: number
  leaseMs: number
  retryHorizonMs: number
  sealRetentionMs: number
  hash: { version: number; seed: number }
  routes: RouteTuple[]
}

/** The directory as text; routes are tuples, since the document must stay small. */
export function encodeDirectory(directory: Directory): string {
  const document: Document = {
    format: formatVersion,
    counter: directory.counter,
    ...directory.timings,
    hash: { version: 1, seed: directory.hashSeed },
    routes: [...directory.routes].map(([key, route]) => [
      key,
      route.phase,
      route.read,
      route.write,
      route.generations.map(({ number, nonce }): [number, number] => [number, nonce]),
      [...route.writeHistory],
      route.revision,
    ]),
  }
  return JSON.stringify(document)
}

/** The inverse of {@link encodeDirectory}. Throws `DirectoryMismatchError` for a document of another format. */
export function decodeDirectory(text: string): Directory {
  const { format, counter, leaseMs, retryHorizonMs, sealRetentionMs, hash, routes } = JSON.parse(text) as Document
  if (format !== formatVersion) throw new DirectoryMismatchError('the format of the directory', format, formatVersion)
  return {
    counter,
    timings: { leaseMs, retryHorizonMs, sealRetentionMs },
    hashSeed: hash.seed,
    routes: new Map(
      routes.map(([key, phase, read, write, generations, writeHistory, revision]) => [
        key,
        {
          phase,
          read,
          write,
          generations: generations.map(([number, nonce]): Generation => ({ number, nonce })),
          writeHistory,
          revision,
        },
      ]),
    ),
  }
}

/** Refuses a directory that was made with other timings: leases mean nothing unless all agree on them. */
export function checkTimings(directory: Directory, timings: SharedTimings): void {
  for (const name of ['leaseMs', 'retryHorizonMs', 'sealRetentionMs'] as const) {
    if (directory.timings[name] !== timings[name])
      throw new DirectoryMismatchError(`routing.${name}`, directory.timings[name], timings[name])
  }
}

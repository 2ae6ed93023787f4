// Problem: every client fetches the directory once a refresh, and one place serves only so many reads: the directory of a large
//   fleet would be the hottest key of all.
// Scheme: the same document in several places. The first one decides: every change is swapped there. Whoever swapped it writes
//   it to the copies; each client reads one place, and goes to the first one when its own lacks something.
// Invariants: a copy is never older than what a wait of a lease has begun upon, for it begins only when all copies have it; what
//   is newer in a copy stays.
// Cost: two requests a copy for every change, and one a copy for whoever takes over a wait.
// Source: docs/routing.md.

import type { Call, DirectoryStore } from '../backend/backend.js'
import { BackendError } from '../backend/backend-error.js'
import { type Random, randomUint32 } from '../chance/random.js'
import { decodeDirectory, type Directory } from './directory.js'
import { isSameMaking } from './heal.js'

/** So often a copy is written against others who write it. */
const roundsMax = 5

/** The place that decides. */
export const firstPlace = 0

/** Sends a request to the backend. */
export type Request = <T>(request: (call: Call) => Promise<T>) => Promise<T>

/** The places in which the directory is kept. */
export class DirectoryCopies {
  /** The place that this client reads. */
  readonly ownPlace: number
  readonly #stores: readonly DirectoryStore[]

  constructor(store: DirectoryStore, count: number, random: Random) {
    const copies = Array.from({ length: count - 1 }, (_, i) => store.copy?.(i + 1) ?? store)
    this.#stores = [store, ...copies]
    this.ownPlace = count === 1 ? firstPlace : randomUint32(random) % count
  }

  /** Whether there is more than one. */
  get isMany(): boolean {
    return this.#stores.length > 1
  }

  /** One of them. */
  at(place: number): DirectoryStore {
    return this.#stores[place] as DirectoryStore
  }

  /** Resolves when all copies, or the one at `place`, have this directory, or a later one. Rejects with `BackendError` if one cannot be written. */
  async bringUpToDate(directory: Directory, text: string, request: Request, place?: number): Promise<void> {
    const copies = place === undefined ? this.#stores.slice(1) : [this.at(place)]
    await Promise.all(copies.map((store) => bringUpToDate(store, directory, text, request)))
  }
}

async function bringUpToDate(
  store: DirectoryStore,
  directory: Directory,
  text: string,
  request: Request,
): Promise<void> {
  for (let round = 1; round <= roundsMax; round++) {
    const there = await request((call) => store.read(call))
    if (there.text !== undefined && (there.text === text || isNewer(decodeDirectory(there.text), directory))) return
    if ((await request((call) => store.swap(there.version, text, call))) !== undefined) return
  }
  throw new BackendError('unavailable', `A copy of the directory was changed by others ${roundsMax} times meanwhile.`)
}

/** Where a store has lost a change the next one draws the same counter. */
function isNewer(there: Directory, directory: Directory): boolean {
  return isSameMaking(there, directory) && there.counter > directory.counter
}

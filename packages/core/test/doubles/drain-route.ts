import type { Backend } from '../../src/index.js'
import { decodeDirectory, type Directory, encodeDirectory } from '../../src/routing/directory.js'
import { drain, foresee } from '../../src/routing/phases.js'
import type { Route } from '../../src/routing/route.js'

const call = { signal: new AbortController().signal }

/** The directory as it stands in a store. */
export async function directoryIn({ directory }: Backend): Promise<Directory> {
  const { text } = await directory.read(call)
  if (text === undefined) throw new RangeError('there is no directory')
  return decodeDirectory(text)
}

/** Begins to merge a key back to `fanout` shards, as the leader would a lease after it was foreseen. */
export function drainRoute(store: Backend, key: string, fanout: number): Promise<void> {
  return changeRoute(store, key, (route, revision) =>
    drain(route.writeHistory.includes(fanout) ? route : foresee(route, fanout, revision), fanout, revision),
  )
}

/** Takes one step of a key's route, as another client would. */
async function changeRoute(
  store: Backend,
  key: string,
  step: (route: Route, revision: number) => Route,
): Promise<void> {
  const { version } = await store.directory.read(call)
  const directory = await directoryIn(store)
  const route = directory.routes.get(key)
  if (route === undefined) throw new RangeError(`${key} has no route`)
  const counter = directory.counter + 1
  const routes = new Map(directory.routes).set(key, step(route, counter))
  const swapped = await store.directory.swap(version, encodeDirectory({ ...directory, counter, routes }), call)
  if (swapped === undefined) throw new RangeError('somebody else has changed the directory')
}

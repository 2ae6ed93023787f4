import {
  BackendError,
  type Backend,
  type RecordStore,
  type RouteStamp,
  type ShardAnswer,
  type ShardRef,
} from '@spillway/core'

import { mutant, nameOf, tick, withRecords, type Mutant } from './mutant.js'

type Routes = Map<string, RouteStamp>

/** Keeps routes beside the store, in a way of its own. */
function withRoutes(
  keep: (routes: Routes, place: string, stamp: RouteStamp) => Promise<void> | void,
  spoil: (records: RecordStore, routes: Routes) => Partial<RecordStore> = () => ({}),
): (backend: Backend) => Backend {
  return withRecords((records) => {
    const routes: Routes = new Map()
    const kept = {
      async read(read, call) {
        const answers = await records.read(read, call)
        return answers.map((answer, i): ShardAnswer => {
          const route = routes.get(nameOf(read.shards[i] as ShardRef))
          return answer.status === 'read' ? { ...answer, route } : answer
        })
      },
      async stampRoute(shard, stamp, call) {
        await keep(routes, nameOf(shard), stamp)
        await records.stampRoute?.(shard, stamp, call) // for collections, which are not what is wrong here
      },
    } satisfies Partial<RecordStore>
    return { ...kept, ...spoil({ ...records, ...kept }, routes) }
  })
}

function keepLater(routes: Routes, place: string, stamp: RouteStamp): void {
  const known = routes.get(place)
  if (known === undefined || known.revision < stamp.revision) routes.set(place, stamp)
}

/** Refuses to stamp keys that expire. `isAsked`: what is asked of it first is refused as well. */
export function refusingToStamp(isAsked: boolean): (backend: Backend) => Backend {
  return withRecords((records) => {
    const expiring = new Set<string>()
    const refuse = async (shard: ShardRef) => {
      await tick()
      if (expiring.has(nameOf(shard))) throw new BackendError('invalid', 'The key expires. Give it no expiry.')
    }
    return {
      write(write, call) {
        if (write.expiresInMs !== undefined) expiring.add(nameOf(write.shard))
        return records.write(write, call)
      },
      checkSpread: (shard) => (isAsked ? refuse(shard) : tick()),
      async stampRoute(shard, stamp, call) {
        await refuse(shard)
        await records.stampRoute?.(shard, stamp, call)
      },
    }
  })
}

export const stampingMutants: readonly Mutant[] = [
  mutant(
    'route-kept',
    'a revision is kept in 32 bits',
    withRoutes((routes, place, stamp) => keepLater(routes, place, { ...stamp, revision: stamp.revision % 2 ** 32 })),
  ),
  mutant(
    'route-later',
    'of two routes of one revision the one that comes last stays',
    withRoutes((routes, place, stamp) => {
      if ((routes.get(place)?.revision ?? 0) <= stamp.revision) routes.set(place, stamp)
    }),
  ),
  mutant(
    'route-race',
    'the revision is looked at first and the route written later',
    withRoutes(async (routes, place, stamp) => {
      const known = routes.get(place)
      await tick()
      if (known === undefined || known.revision < stamp.revision) routes.set(place, stamp)
    }),
  ),
  mutant(
    'route-no-field',
    'a route shows as a field named route',
    withRoutes(keepLater, (records, routes) => ({
      async read(read, call) {
        const answers = await records.read(read, call)
        return answers.map((answer, i): ShardAnswer => {
          if (answer.status === 'failed') return answer
          const revision = routes.get(nameOf(read.shards[i] as ShardRef))?.revision
          const states = answer.states.map(
            (state, at) => state ?? (read.fields[at]?.name === 'route' ? revision : state),
          )
          return { ...answer, states }
        })
      },
    })),
  ),
  mutant(
    'route-stays',
    'a write drops the route',
    withRoutes(keepLater, (records, routes) => ({
      write(write, call) {
        routes.delete(nameOf(write.shard))
        return records.write(write, call)
      },
    })),
  ),
  mutant('route-asked', 'a key that will not be stamped is let through before', refusingToStamp(false)),
]

import { isStamped, keeps, type RecordSearch } from './record-search.js'

/** Where a route stands between two changes; `steady` is cold or active, `dropped` is cold without an entry. */
export type Phase = 'steady' | 'announced' | 'draining' | 'settled' | 'dropped'

/** The route under one revision. Places are numbers; shard 0 is place 0. */
export interface RouteAt {
  readonly phase: Phase
  readonly read: number
  readonly write: number
  /** The place of each shard, those that were merged back and are not cleared yet included. */
  readonly places: readonly number[]
  /** The generation of each shard, from 1; that of shard 0 is 0. */
  readonly generations: readonly number[]
  /** Every place that is a shard's now or later, or at any time where the directory can go back. */
  readonly livePlaces: ReadonlySet<number>
}

type Route = Omit<RouteAt, 'places' | 'livePlaces'>

/** The route under each revision, for all the fanouts of a search. */
export function routeHistory(search: RecordSearch): readonly RouteAt[] {
  const routes: Route[] = [{ phase: 'steady', read: 1, write: 1, generations: [0] }]
  for (const [index, fanout] of search.fanouts.entries()) {
    const last = routes.at(-1)!
    routes.push(...(fanout > last.write ? growth(last, fanout, index + 1) : mergeBack(last, fanout)))
  }
  if (search.isDropped === true) routes.push({ ...routes.at(-1)!, phase: 'dropped' })
  const numbers = new Map<string, number>()
  const placeOf = (shard: number, generation: number) => {
    const name = keeps(search, 'generation') ? `${shard}@${generation}` : `${shard}`
    if (!numbers.has(name)) numbers.set(name, numbers.size)
    return numbers.get(name)!
  }
  const placed = routes.map((route) => ({
    ...route,
    places: route.generations.map((generation, shard) => placeOf(shard, generation)),
  }))
  return placed.map((route, revision) => ({
    ...route,
    livePlaces: new Set(placed.slice(isStamped(search) ? 0 : revision).flatMap(({ places }) => places)),
  }))
}

/** How many shards were merged back and are not cleared yet. */
export function remainCount({ phase, places, write }: RouteAt): number {
  return phase === 'draining' || phase === 'settled' ? places.length - write : 0
}

function growth(last: Route, fanout: number, generation: number): readonly Route[] {
  const generations = Array.from({ length: fanout }, (_, shard) => last.generations[shard] ?? generation)
  const announced: Route = { ...last, phase: 'announced', read: fanout, generations }
  return [announced, { ...announced, phase: 'steady', write: fanout }]
}

function mergeBack(last: Route, fanout: number): readonly Route[] {
  const draining: Route = { ...last, phase: 'draining', write: fanout }
  const settled: Route = { ...draining, phase: 'settled', read: fanout }
  return [draining, settled, { ...settled, phase: 'steady', generations: last.generations.slice(0, fanout) }]
}

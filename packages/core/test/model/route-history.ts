import { keeps, type CollectionSearch } from './collection-search.js'

/** Where a route stands between two changes; `steady` is cold or active, `foreseen` active with a drain ahead. */
export type Phase = 'steady' | 'announced' | 'foreseen' | 'draining' | 'copying' | 'settled'

/** The route under one revision. Places are numbers; shard 0 is place 0. */
export interface RouteAt {
  readonly phase: Phase
  /** Where the item is put under this route. */
  readonly home: number
  /** Every place where the item was, is or will be put under this route, the home first. */
  readonly candidates: readonly number[]
  /** Those of the candidates that a read covers. */
  readonly readPlaces: readonly number[]
  /** The candidates at or above the fanout that is written to: while copying, what is copied to the home. */
  readonly sources: readonly number[]
  /** Every place that is a candidate now or later. */
  readonly livePlaces: ReadonlySet<number>
}

interface Route {
  readonly phase: Phase
  readonly read: number
  readonly write: number
  /** One for each doubling. */
  readonly generations: readonly number[]
  readonly writeHistory: readonly number[]
}

/** The route under each revision, for all the fanouts of a search. */
export function routeHistory(search: CollectionSearch): readonly RouteAt[] {
  const routes: Route[] = [{ phase: 'steady', read: 1, write: 1, generations: [], writeHistory: [1] }]
  for (const [index, fanout] of search.fanouts.entries()) {
    const last = routes.at(-1)!
    routes.push(...(fanout > last.write ? growth(last, fanout, index) : mergeBack(last, fanout, search)))
  }
  const places = new Map([['0', 0]])
  const history: RouteAt[] = []
  for (const route of routes) history.push(routeAt(route, places, search))
  return history.map((route, revision) => ({
    ...route,
    livePlaces: new Set(history.slice(revision).flatMap(({ candidates }) => candidates)),
  }))
}

function growth(last: Route, fanout: number, generation: number): readonly Route[] {
  const doublings = Array.from({ length: Math.log2(fanout) }, (_, i) => last.generations[i] ?? generation)
  const announced: Route = { ...last, phase: 'announced', read: fanout, generations: doublings }
  return [announced, { ...announced, phase: 'steady', write: fanout, writeHistory: [...last.writeHistory, fanout] }]
}

function mergeBack(last: Route, fanout: number, search: CollectionSearch): readonly Route[] {
  const isKnown = last.writeHistory.includes(fanout)
  const writeHistory = isKnown ? last.writeHistory : [...last.writeHistory, fanout]
  const foreseen: Route = { ...last, phase: 'foreseen', writeHistory }
  const draining: Route = { ...foreseen, phase: 'draining', write: fanout }
  const settled: Route = { ...draining, phase: 'settled', read: fanout }
  return [
    ...(isKnown || !keeps(search, 'foresee') ? [] : [foreseen]),
    draining,
    { ...draining, phase: 'copying' },
    settled,
    {
      ...settled,
      phase: 'steady',
      generations: last.generations.slice(0, Math.log2(fanout)),
      writeHistory: writeHistory.filter((earlier) => earlier <= fanout),
    },
  ]
}

function routeAt(route: Route, places: Map<string, number>, search: CollectionSearch): RouteAt {
  const { phase, read, write, generations, writeHistory } = route
  const placeOf = (shard: number) => {
    const generation = keeps(search, 'generation') ? `@${generations[31 - Math.clz32(shard)]}` : ''
    const name = shard === 0 ? '0' : `${shard}${generation}`
    if (!places.has(name)) places.set(name, places.size)
    return places.get(name)!
  }
  const shardsOf = (fanouts: readonly number[]) => [...new Set(fanouts.map((fanout) => search.hash & (fanout - 1)))]
  const fanouts = [write, ...writeHistory, read]
  const candidates = shardsOf(fanouts)
  return {
    phase,
    home: placeOf(candidates[0]!),
    candidates: candidates.map(placeOf),
    readPlaces: shardsOf(fanouts.filter((fanout) => fanout <= read)).map(placeOf),
    sources: candidates.filter((shard) => shard >= write).map(placeOf),
    livePlaces: new Set(),
  }
}

import type { Move } from '../move.js'
import { absorbedOf, absorbedUnion, countsSum, withAbsorbed } from './packed.js'
import { remainCount, type RouteAt } from './record-history.js'
import { isStamped, keeps, type RecordSearch } from './record-search.js'
import { emptyCell, isLeaseWaited, type Cell, type Coordinator, type RecordModel, type State } from './record-state.js'

/** What may happen to the route next, whoever does it. */
export function routeMoves(state: State, { search, history }: RecordModel): readonly Move<State>[] {
  const next = history[state.revision + 1]
  if (next === undefined) return []
  const { phase } = history[state.revision]!
  const swapped = [{ label: `the route is ${next.phase}`, state: { ...state, revision: state.revision + 1 } }]
  switch (phase) {
    case 'steady':
      return next.phase !== 'dropped' || isLeaseWaited(state, state.revision) ? swapped : []
    case 'announced':
      if (keeps(search, 'announce-wait') && !isLeaseWaited(state, state.revision)) return []
      return isStamped(search) && keeps(search, 'active-stamp') ? stampedFirst(state, swapped) : swapped
    case 'draining':
    case 'settled':
    case 'dropped':
      return []
    default:
      return phase satisfies never
  }
}

/** The change of the route, once shard 0 carries its stamp. */
function stampedFirst(state: State, swapped: readonly Move<State>[]): readonly Move<State>[] {
  if (state.stamp > state.revision) return swapped
  return [{ label: 'shard 0 is stamped with what comes next', state: { ...state, stamp: state.revision + 1 } }]
}

/** What is lost of the directory. */
export function failoverMoves(state: State): readonly Move<State>[] {
  if (state.failoversLeft === 0) return []
  return [1, 2, 3].flatMap((lost) => {
    const revision = state.revision - lost
    if (revision < 0) return []
    const label = `the directory loses its last ${lost} changes`
    return [{ label, state: { ...state, revision, failoversLeft: state.failoversLeft - 1 } }]
  })
}

/** What a coordinator may do next: by the route that it has seen, which others may have changed since. */
export function coordinatorMoves(state: State, index: number, model: RecordModel): readonly Move<State>[] {
  const coordinator = state.coordinators[index]!
  const { seen } = coordinator
  const moves: Move<State>[] = []
  if (seen !== state.revision && remainCount(model.history[state.revision]!) > 0 && !isIdleBefore(state, index)) {
    const fetched = { seen: state.revision, doneCount: 0, holding: undefined }
    moves.push({ label: `coordinator ${index} fetches`, state: withCoordinator(state, index, fetched) })
  }
  if (seen === undefined) return moves
  const route = model.history[seen]!
  if (coordinator.doneCount === remainCount(route)) return [...moves, ...swapMoves(state, index, seen, model)]
  return [...moves, ...(route.phase === 'draining' ? absorbMoves : clearMoves)(state, index, route, model)]
}

/** Places that are gone by the store's own expiry, once no route covers them. */
export function expiryMoves(state: State, { search, history }: RecordModel): readonly Move<State>[] {
  // No failover goes back as far as a place stays.
  if ((search.failoverCount ?? 0) > 0 || (search.isDropped === true && history[state.revision]!.phase !== 'dropped'))
    return []
  const leases = [state.reader, ...state.writers].map(({ lease }) => lease ?? state.revision)
  const oldest = Math.min(state.revision, ...leases)
  const { places } = history[oldest]!
  const livePlaces = isStamped(search) ? new Set(places) : history[oldest]!.livePlaces
  return state.cells.flatMap((cell, place) => {
    if (cell === emptyCell || livePlaces.has(place)) return []
    const isAwaited = state.writers.some(({ attempt }) => attempt?.place === place)
    if (isAwaited && keeps(search, 'horizon')) return []
    if (keeps(search, 'coordinator-lease') && state.coordinators.some((c) => isAt(c, place, history))) return []
    return [{ label: `place ${place} expires`, state: { ...state, cells: state.cells.with(place, emptyCell) } }]
  })
}

/** Whether a coordinator goes by a route that has this place. */
function isAt({ seen }: Coordinator, place: number, history: readonly RouteAt[]): boolean {
  return seen !== undefined && history[seen]!.livePlaces.has(place)
}

/** Of several that have nothing to do only the first begins: they are alike. */
function isIdleBefore({ coordinators }: State, index: number): boolean {
  return coordinators[index]!.seen === undefined && coordinators[index - 1]?.seen === undefined && index > 0
}

function swapMoves(
  state: State,
  index: number,
  seen: number,
  { search, history }: RecordModel,
): readonly Move<State>[] {
  if (seen !== state.revision) return []
  const label = `coordinator ${index} makes the route ${history[seen + 1]!.phase}`
  const swapped = [{ label, state: { ...state, revision: seen + 1 } }]
  const isFinish = history[seen]!.phase === 'settled'
  return isFinish && isStamped(search) && keeps(search, 'finish-stamp') ? stampedFirst(state, swapped) : swapped
}

function absorbMoves(state: State, index: number, route: RouteAt, { search }: RecordModel): readonly Move<State>[] {
  const { seen, doneCount, holding } = state.coordinators[index]!
  const shard = route.write + doneCount
  const place = route.places[shard]!
  const done: Coordinator = { seen, doneCount: doneCount + 1, holding: undefined }
  if (holding === undefined) {
    const cell = state.cells[place]!
    // Without generations a seal would shut the place for good.
    const isSealed = keeps(search, 'seal') && keeps(search, 'generation')
    const cells = state.cells.with(place, { ...cell, isSealed })
    const contents = { counts: cell.counts, absorbed: cell.absorbed }
    // What is empty need not be absorbed.
    const next: Coordinator = contents.counts === 0 ? done : { seen, doneCount, holding: contents }
    return [{ label: `coordinator ${index} seals ${place}`, state: withCoordinator({ ...state, cells }, index, next) }]
  }
  const target = route.places[shard & (route.write - 1)]!
  const taken = absorbedBy(state.cells[target]!, holding, shard, route.generations[shard]!, search)
  const cells = state.cells.with(target, taken)
  const label = `coordinator ${index} absorbs ${place} into ${target}`
  return [{ label, state: withCoordinator({ ...state, cells }, index, done) }]
}

function absorbedBy(
  cell: Cell,
  holding: { counts: number; absorbed: number },
  shard: number,
  generation: number,
  search: RecordSearch,
): Cell {
  if (keeps(search, 'absorb') && absorbedOf(cell.absorbed, shard) >= generation) return cell
  const absorbed = withAbsorbed(absorbedUnion(cell.absorbed, holding.absorbed), shard, generation)
  return { ...cell, counts: countsSum(cell.counts, holding.counts), absorbed }
}

function clearMoves(state: State, index: number, route: RouteAt, { search }: RecordModel): readonly Move<State>[] {
  const { seen, doneCount } = state.coordinators[index]!
  if (keeps(search, 'clear-wait') && !isLeaseWaited(state, seen!)) return []
  const place = route.places[route.write + doneCount]!
  const cell = state.cells[place]!
  const cells = state.cells.with(place, {
    ...cell,
    counts: 0,
    isSealed: cell.isSealed && keeps(search, 'seal-stays'),
    last: keeps(search, 'writers-stay') ? cell.last : 0,
  })
  const next: Coordinator = { seen, doneCount: doneCount + 1, holding: undefined }
  return [{ label: `coordinator ${index} clears ${place}`, state: withCoordinator({ ...state, cells }, index, next) }]
}

function withCoordinator(state: State, index: number, coordinator: Coordinator): State {
  return { ...state, coordinators: state.coordinators.with(index, coordinator) }
}

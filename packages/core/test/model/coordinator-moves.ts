import { keeps } from './collection-search.js'
import { noCopy, type Cell, type CollectionModel, type Message, type State } from './collection-state.js'
import type { Move } from './move.js'
import { applied } from './requests.js'
import type { RouteAt } from './route-history.js'

/** What may happen to the route next. */
export function coordinatorMoves(state: State, model: CollectionModel): readonly Move<State>[] {
  const { search, history } = model
  const route = history[state.revision]!
  const swapped: State = { ...state, revision: state.revision + 1 }
  switch (route.phase) {
    case 'steady':
      return swapped.revision < history.length
        ? [{ label: `the route is ${history[swapped.revision]!.phase}`, state: swapped }]
        : []
    case 'announced':
      if (keeps(search, 'announce-wait') && !isLeaseWaited(state, model)) return []
      return [{ label: 'the route is active', state: swapped }]
    case 'foreseen':
      if (keeps(search, 'foresee-wait') && !isLeaseWaited(state, model)) return []
      return [{ label: 'the route is draining', state: swapped }]
    case 'draining':
      if (keeps(search, 'drain-wait') && !isLeaseWaited(state, model)) return []
      return [{ label: 'the copy begins', state: swapped }]
    case 'copying':
      return copyMoves(state, route, model)
    case 'settled':
      return isLeaseWaited(state, model) ? dropMoves(swapped, route, history[swapped.revision]!) : []
    default:
      return route.phase satisfies never
  }
}

/** Tombstones that expire: each outlives every request, operation, copy and read that is older. */
export function expiryMoves(state: State): readonly Move<State>[] {
  if (state.reader.open !== undefined) return []
  const moves: Move<State>[] = []
  for (const [place, cell] of state.cells.entries()) {
    if (cell?.isDead !== true) continue
    const isOlder = (other: { readonly version: number } | undefined) =>
      other !== undefined && other.version < cell.version
    const isOpen = state.writers.some(({ operation }) => isOlder(operation) || operation?.version === cell.version)
    if (isOpen || isOlder(state.copy.item) || state.messages.some(isOlder)) continue
    const label = `the tombstone of version ${cell.version} at ${place} expires`
    moves.push({ label, state: { ...state, cells: state.cells.with(place, undefined) } })
  }
  return moves
}

/**
 * Whether everybody who may act has seen the present revision. A wait that goes on although the change was lost meanwhile
 * takes no notice of who fetched just then.
 */
function isLeaseWaited({ revision, writers, reader }: State, { search }: CollectionModel): boolean {
  const isUnnoticed = (isBehind: boolean, lease: number) =>
    isBehind && lease === revision - 1 && !keeps(search, 'wait-anew')
  return [reader, ...writers].every(
    ({ lease, isBehind }) => lease === undefined || lease === revision || isUnnoticed(isBehind, lease),
  )
}

function copyMoves(state: State, { sources, home }: RouteAt, { search }: CollectionModel): readonly Move<State>[] {
  const { doneCount, item } = state.copy
  const source = sources[doneCount]
  if (source === undefined)
    return [{ label: 'the route is settled', state: { ...state, revision: state.revision + 1, copy: noCopy } }]
  const crashes = state.crashesLeft > 0 ? crashMoves(state, home) : []
  if (item !== undefined) {
    const cells = applied(state.cells, copyRequest(item, home), search)
    const copy = { doneCount: doneCount + 1, item: undefined }
    return [{ label: `the copy of version ${item.version} writes`, state: { ...state, cells, copy } }, ...crashes]
  }
  const found = state.cells[source]
  const copy = found === undefined ? { doneCount: doneCount + 1, item: undefined } : { doneCount, item: found }
  return [{ label: `the copy reads ${source}`, state: { ...state, copy } }, ...crashes]
}

function copyRequest({ version, isDead }: Cell, home: number): Message {
  return { kind: isDead ? 'tombstone' : 'put', place: home, version, awaitedBy: 0 }
}

/** The next coordinator begins anew. What the dead one was writing is lost or still under way. */
function crashMoves(state: State, home: number): readonly Move<State>[] {
  const { item, doneCount } = state.copy
  const label = 'the coordinator crashes'
  const crashed: State = { ...state, crashesLeft: state.crashesLeft - 1, copy: noCopy }
  if (item !== undefined) {
    const messages = [...state.messages, copyRequest(item, home)]
    return [
      { label, state: crashed },
      { label: `${label} while it writes`, state: { ...crashed, messages } },
    ]
  }
  return doneCount > 0 ? [{ label, state: crashed }] : []
}

/** The sources may be deleted, or stay: nobody reads these places again. */
function dropMoves(swapped: State, settled: RouteAt, next: RouteAt): readonly Move<State>[] {
  const dropped = settled.candidates.filter((place) => !next.candidates.includes(place))
  const cells = swapped.cells.map((cell, place) => (dropped.includes(place) ? undefined : cell))
  return [
    { label: 'the sources stay', state: swapped },
    { label: 'the sources are deleted', state: { ...swapped, cells } },
  ]
}

import { keeps } from './collection-search.js'
import { noCopy, type CollectionModel, type State } from './collection-state.js'
import type { Move } from './move.js'

/** A snapshot and how it was come by. */
export interface Fetched {
  readonly label: string
  readonly state: State
  readonly lease: number
  readonly isBehind: boolean
}

/** What a process may be shown: the route as it stands, or as it stood before a change that is lost and written back at once. */
export function fetches(state: State, name: string, model: CollectionModel): readonly Fetched[] {
  const { revision, failoversLeft } = state
  const fetched: Fetched = { label: `${name} fetches`, state, lease: revision, isBehind: false }
  if (failoversLeft === 0 || revision === 0) return [fetched]
  const label = `${name} fetches while the newest change is lost; who remembers it writes it back`
  const lost: State = {
    ...(keeps(model.search, 'wait-anew') ? waitingAnew(state, model) : state),
    failoversLeft: failoversLeft - 1,
  }
  return [fetched, { label, state: lost, lease: revisionBefore(revision, model), isBehind: true }]
}

/**
 * The directory loses what a merging back has changed so far, and nobody remembers it. Only that: no stamp is in shard 0 before
 * a route is active, and a growth that is lost is made anew, in a generation of its own.
 */
export function fallBackMoves(state: State, model: CollectionModel): readonly Move<State>[] {
  if (state.failoversLeft === 0) return []
  const moves: Move<State>[] = []
  let revision = state.revision
  while (isMergingBack(model, revision)) {
    revision = revisionBefore(revision, model)
    if (isRemembered(state, revision)) continue
    const stamp = stampIn(state, model)
    const fallen: State = { ...state, revision, stamp, copy: noCopy, failoversLeft: state.failoversLeft - 1 }
    moves.push({ label: `the directory falls back to revision ${revision}`, state: fallen })
  }
  return moves
}

/** Whether a process that asks shard 0 finds a stamp there that its snapshot lacks: not if its route is just about to be that. */
export function isForgotten(state: State, lease: number, place: number, model: CollectionModel): boolean {
  if (place !== 0 || model.search.failoverCount === undefined) return false
  const { phase } = model.history[lease]!
  return stampIn(state, model) > (phase === 'announced' || phase === 'settled' ? lease + 1 : lease)
}

/** The route of the stamp is written back, if the directory lacks it, too. */
export function restored(state: State, model: CollectionModel): State {
  return { ...state, revision: Math.max(state.revision, stampIn(state, model)) }
}

/** A copy has the revision of its drain: it begins anew after the wait. */
function waitingAnew(state: State, { history }: CollectionModel): State {
  return history[state.revision]!.phase === 'copying' ? { ...state, revision: state.revision - 1, copy: noCopy } : state
}

function revisionBefore(revision: number, { history }: CollectionModel): number {
  return revision - (history[revision]!.phase === 'copying' ? 2 : 1)
}

function isMergingBack({ history }: CollectionModel, revision: number): boolean {
  const { phase } = history[revision]!
  return phase === 'foreseen' || phase === 'draining' || phase === 'copying'
}

function isRemembered({ reader, writers }: State, since: number): boolean {
  const isLater = (revision: number | undefined) => revision !== undefined && revision > since
  return isLater(reader.lease) || writers.some(({ lease, operation }) => isLater(lease) || isLater(operation?.revision))
}

/** The newest stamp in shard 0: of what is active before it is, of what is foreseen before it is drained, and of that before it is copied. */
function stampIn(state: State, { history, search }: CollectionModel): number {
  for (let revision = state.revision; revision > state.stamp; revision--) {
    const { phase } = history[revision]!
    if (phase === 'steady') return revision
    if (phase === 'foreseen' && revision < state.revision && keeps(search, 'foresee-stamp')) return revision
    if (phase === 'copying') return revision - 1
  }
  return state.stamp
}

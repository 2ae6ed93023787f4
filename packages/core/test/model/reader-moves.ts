import { keeps } from './collection-search.js'
import type { CollectionModel, Reader, ReadUnderWay, State } from './collection-state.js'
import { fetches, isForgotten, restored } from './failover-moves.js'
import type { Move } from './move.js'

/**
 * What the reader may do next. A read begins with its first place and ends with its last; one that has seen what it must see,
 * or whose lease ends, can do no harm and is not followed further.
 */
export function readerMoves(state: State, model: CollectionModel): readonly Move<State>[] {
  const { lease, open } = state.reader
  if (open !== undefined) {
    const moves = open.unread.flatMap((place) => seen(state, place, open, model))
    if (!keeps(model.search, 'lease-at-end') && lease !== undefined && lease !== state.revision)
      moves.push({
        label: "the reader's lease ends",
        state: { ...state, reader: { lease: undefined, isBehind: false, open } },
      })
    return moves
  }
  if (lease === undefined)
    return fetches(state, 'the reader', model).map(({ label, state: at, ...fetched }) => ({
      label,
      state: { ...at, reader: { ...fetched, open } },
    }))
  // A read that begins before anything is acknowledged may answer anything.
  if (state.acknowledged === 0) return []
  const unread = model.history[lease]!.readPlaces
  const first: ReadUnderWay = { unread, newest: undefined, mustSee: state.acknowledged }
  return unread.flatMap((place) => seen(state, place, first, model))
}

function seen(state: State, place: number, open: ReadUnderWay, model: CollectionModel): Move<State>[] {
  const { lease, isBehind } = state.reader
  if (lease !== undefined && isForgotten(state, lease, place, model)) {
    const reader: Reader = { lease: undefined, isBehind: false, open: undefined }
    return [{ label: 'the reader finds a stamp that it lacks', state: { ...restored(state, model), reader } }]
  }
  const { mustSee } = open
  const cell = state.cells[place]
  const newest = (cell?.version ?? 0) > (open.newest?.version ?? 0) ? cell : open.newest
  if (newest !== undefined && newest.version >= mustSee) return []
  const unread = open.unread.filter((other) => other !== place)
  const reader: Reader = { lease, isBehind, open: { unread, newest, mustSee } }
  const move = { label: `the reader reads ${place}`, state: { ...state, reader } }
  if (unread.length > 0) return [move]
  const answer = newest === undefined || newest.isDead ? 'nothing' : `version ${newest.version}`
  // Nothing is right if a delete at least as new as what was acknowledged has begun.
  if (answer === 'nothing' && state.newestDelete >= mustSee) return []
  if (newest?.isDead === false && (state.abandonedPuts & (1 << newest.version)) !== 0) return []
  return [{ ...move, violation: `read ${answer} after version ${mustSee} was acknowledged` }]
}

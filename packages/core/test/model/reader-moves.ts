import { keeps } from './collection-search.js'
import type { CollectionModel, Reader, ReadUnderWay, State } from './collection-state.js'
import type { Move } from './move.js'

/**
 * What the reader may do next. A read begins with its first place and ends with its last; one that has seen what it must see,
 * or whose lease ends, can do no harm and is not followed further.
 */
export function readerMoves(state: State, model: CollectionModel): readonly Move<State>[] {
  const { lease, open } = state.reader
  if (open !== undefined) {
    const moves = open.unread.flatMap((place) => seen(state, place, open))
    if (!keeps(model.search, 'lease-at-end') && lease !== undefined && lease !== state.revision)
      moves.push({ label: "the reader's lease ends", state: { ...state, reader: { lease: undefined, open } } })
    return moves
  }
  if (lease === undefined)
    return [{ label: 'the reader fetches', state: { ...state, reader: { lease: state.revision, open } } }]
  // A read that begins before anything is acknowledged may answer anything.
  if (state.acknowledged === 0) return []
  const unread = model.history[lease]!.readPlaces
  return unread.flatMap((place) => seen(state, place, { unread, newest: undefined, mustSee: state.acknowledged }))
}

function seen(state: State, place: number, open: ReadUnderWay): Move<State>[] {
  const { mustSee } = open
  const cell = state.cells[place]
  const newest = (cell?.version ?? 0) > (open.newest?.version ?? 0) ? cell : open.newest
  if (newest !== undefined && newest.version >= mustSee) return []
  const unread = open.unread.filter((other) => other !== place)
  const reader: Reader = { lease: state.reader.lease, open: { unread, newest, mustSee } }
  const move = { label: `the reader reads ${place}`, state: { ...state, reader } }
  if (unread.length > 0) return [move]
  const answer = newest === undefined || newest.isDead ? 'nothing' : `version ${newest.version}`
  // Nothing is right if a delete at least as new as what was acknowledged has begun.
  if (answer === 'nothing' && state.newestDelete >= mustSee) return []
  if (newest?.isDead === false && (state.abandonedPuts & (1 << newest.version)) !== 0) return []
  return [{ ...move, violation: `read ${answer} after version ${mustSee} was acknowledged` }]
}

import type { Move } from '../move.js'
import { absorbedOf, countOf, countsSum, writesMax } from './packed.js'
import type { RouteAt } from './record-history.js'
import { isStamped, keeps, type RecordSearch } from './record-search.js'
import type { Contents, Reader, ReadUnderWay, RecordModel, State } from './record-state.js'

/**
 * What the reader may do next. A read begins with its first shard and ends with its last; one whose lease ends is thrown away,
 * and so it is not followed further.
 */
export function readerMoves(state: State, model: RecordModel): readonly Move<State>[] {
  const { lease, open } = state.reader
  if (open !== undefined) {
    const moves = shardMoves(state, open, model)
    if (!keeps(model.search, 'lease-at-end') && lease !== undefined && lease !== state.revision)
      moves.push({ label: "the reader's lease ends", state: { ...state, reader: { lease: undefined, open } } })
    return moves
  }
  if (lease === undefined)
    return [{ label: 'the reader fetches', state: { ...state, reader: { lease: state.revision, open } } }]
  // A read that begins before anything is written may answer anything.
  if (state.acknowledged === 0 && state.cells.every(({ counts }) => counts === 0)) return []
  const found = Array.from({ length: model.history[lease]!.read }, () => undefined)
  return shardMoves(state, { revision: lease, found, mustSee: state.acknowledged }, model)
}

function shardMoves(state: State, open: ReadUnderWay, model: RecordModel): Move<State>[] {
  const { search, history } = model
  const route = history[open.revision]!
  return open.found.flatMap((known, shard) => {
    if (known !== undefined) return []
    if (shard === 0 && isForgotten(state, open, model))
      return [{ label: `the reader finds the stamp of revision ${state.stamp}`, state: healed(state, model) }]
    const { counts, absorbed } = state.cells[route.places[shard]!]!
    const found = open.found.with(shard, { counts, absorbed })
    const reader: Reader = { lease: state.reader.lease, open: { ...open, found } }
    const move = { label: `the reader reads ${route.places[shard]}`, state: { ...state, reader } }
    if (found.includes(undefined)) return [move]
    const violation = wrongWith(found as readonly Contents[], route, open.mustSee, search)
    return violation === undefined ? [] : [{ ...move, violation }]
  })
}

/** Whether shard 0 carries the stamp of a route that the directory, as the read knows it, lacks. */
function isForgotten({ stamp }: State, { revision }: ReadUnderWay, { search, history }: RecordModel): boolean {
  if (!isStamped(search) || stamp === 0) return false
  if (history[revision]!.phase === 'dropped') return history[stamp]!.write > 1
  return stamp > revision && !(history[revision]!.phase === 'announced' && stamp === revision + 1)
}

/** The route is written back, unless the directory has it, and the read begins anew. */
function healed(state: State, { history }: RecordModel): State {
  const { stamp, revision } = state
  const isLacking = revision < stamp || history[revision]!.phase === 'dropped'
  return { ...state, revision: isLacking ? stamp : revision, reader: { lease: undefined, open: undefined } }
}

/** What is wrong with the answer of a read; undefined when nothing is. */
function wrongWith(
  found: readonly Contents[],
  { generations }: RouteAt,
  mustSee: number,
  search: RecordSearch,
): string | undefined {
  const isLeftOut = (shard: number) =>
    keeps(search, 'absorbed') &&
    shard > 0 &&
    found.some(({ absorbed }) => absorbedOf(absorbed, shard) >= generations[shard]!)
  const counts = found.reduce((sum, contents, shard) => (isLeftOut(shard) ? sum : countsSum(sum, contents.counts)), 0)
  for (let write = 0; write < writesMax; write++) {
    const count = countOf(counts, write)
    if (count > 1) return `read write ${write} more than once`
    if (count === 0 && (mustSee & (1 << write)) !== 0) return `read without write ${write}, which was acknowledged`
  }
  return undefined
}

import type { CollectionModel, Message, Operation, RequestKind, State } from './collection-state.js'
import { keeps, type CollectionSearch } from './collection-search.js'

/** What an operation asks of the store, in order, by the route that it goes by. */
export function requestsOf(operation: Operation, { history, search }: CollectionModel): readonly Message[] {
  const { version, isDelete, revision, isAgain, met } = operation
  const [home, ...others] = history[revision!]!.candidates as [number, ...number[]]
  const request = (kind: RequestKind, place: number): Message => ({ kind, place, version, awaitedBy: version })
  if (isDelete) {
    const kind = keeps(search, 'tombstone') ? 'tombstone' : 'remove'
    return [home, ...(keeps(search, 'every-candidate') ? others : [])].map((place) => request(kind, place))
  }
  // A put that is routed again may be older than a delete that was acknowledged meanwhile: it looks, and takes its copy back.
  const looks = isAgain && keeps(search, 'take-back') ? others.map((place) => request('look', place)) : []
  if (met === 0) return [request('put', home), ...looks]
  // The delete that it has met may be under way, or never come to its end: it is completed, so that nothing older shows either.
  const back = keeps(search, 'take-back-completes')
    ? [home, ...others].map((place) => ({ ...request('tombstone', place), version: met }))
    : [request('undo', home)]
  return [request('put', home), ...looks, ...back]
}

/** What stands in the places once the request has arrived. */
export function applied(
  cells: State['cells'],
  { kind, place, version }: Message,
  search: CollectionSearch,
): State['cells'] {
  const known = cells[place]
  switch (kind) {
    case 'look':
      return cells
    case 'undo':
      return known?.version === version ? cells.with(place, undefined) : cells
    case 'put':
    case 'tombstone':
    case 'remove':
      if (keeps(search, 'newest-wins') && known !== undefined && known.version >= version) return cells
      return cells.with(place, kind === 'remove' ? undefined : { version, isDead: kind === 'tombstone' })
    default:
      return kind satisfies never
  }
}

/** Nobody waits for the requests of this operation any more; a look that nobody waits for does nothing. */
export function withoutAwaited(messages: readonly Message[], version: number): readonly Message[] {
  return messages
    .filter(({ awaitedBy, kind }) => awaitedBy !== version || kind !== 'look')
    .map((message) => (message.awaitedBy === version ? { ...message, awaitedBy: 0 } : message))
}

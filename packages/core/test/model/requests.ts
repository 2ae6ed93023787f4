import type { Cell, CollectionModel, Message, Operation, State } from './collection-state.js'
import { keeps, type CollectionSearch } from './collection-search.js'

/** What an operation asks of the store, in order, by the route that it goes by. */
export function requestsOf(operation: Operation, { history, search }: CollectionModel): readonly Message[] {
  const { version, isDelete, revision, isAgain, isDeleted } = operation
  const [home, ...others] = history[revision!]!.candidates as [number, ...number[]]
  const request = (kind: Message['kind'], place: number): Message => ({ kind, place, version, isAwaited: true })
  if (isDelete) {
    const kind = keeps(search, 'tombstone') ? 'tombstone' : 'remove'
    return [home, ...(keeps(search, 'every-candidate') ? others : [])].map((place) => request(kind, place))
  }
  // A put that is routed again may be older than a delete that was acknowledged meanwhile: it looks, and takes its copy back.
  const looks = isAgain && keeps(search, 'take-back') ? others.map((place) => request('look', place)) : []
  // The tombstone that it leaves has the put's own version and turns late duplicates of the put away.
  const kind = keeps(search, 'take-back-leaves-tombstone') ? 'tombstone' : 'remove'
  return [request('put', home), ...looks, ...(isDeleted ? [request(kind, home)] : [])]
}

/** What stands in the places once the request has arrived. */
export function applied(
  cells: State['cells'],
  { kind, place, version }: Message,
  search: CollectionSearch,
): State['cells'] {
  if (kind === 'look') return cells
  const cell: Cell = { version, isDead: kind !== 'put' }
  if (keeps(search, 'newest-wins') && newer(cells[place], cell) !== cell) return cells
  return cells.with(place, kind === 'remove' ? undefined : cell)
}

/** The one of two that wins: the newer, of one version the tombstone, else the first. */
export function newer(first: Cell | undefined, second: Cell | undefined): Cell | undefined {
  if (first === undefined || second === undefined) return first ?? second
  if (first.version === second.version) return first.isDead || !second.isDead ? first : second
  return first.version > second.version ? first : second
}

/** Nobody waits for the requests of this version any more; a look that nobody waits for does nothing. */
export function withoutAwaited(messages: readonly Message[], version: number): readonly Message[] {
  return messages
    .filter((message) => message.version !== version || message.kind !== 'look')
    .map((message) => (message.version === version ? { ...message, isAwaited: false } : message))
}

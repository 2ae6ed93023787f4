import { keeps } from './collection-search.js'
import type { CollectionModel, Message, Operation, State, Writer } from './collection-state.js'
import { fetches, isForgotten, restored } from './failover-moves.js'
import type { Move } from './move.js'
import { applied, requestsOf, withoutAwaited } from './requests.js'

const withoutLease = { lease: undefined, isBehind: false } as const

/** What a writer may do next. */
export function writerMoves(state: State, index: number, model: CollectionModel): readonly Move<State>[] {
  const writer = state.writers[index]!
  const { lease, operation, doneCount } = writer
  const name = `writer ${index}`
  if (operation === undefined) {
    const letter = model.search.writers[index]![doneCount]
    if (letter === undefined) return []
    if (lease !== undefined)
      return [{ label: `${name} begins ${letter}`, state: begun(state, index, letter === 'd', model) }]
    return fetches(state, name, model).map(({ label, state: at, ...fetched }) => ({
      label,
      state: withWriter(at, index, { ...writer, ...fetched }),
    }))
  }
  if (operation.revision === undefined)
    return [{ label: `${name} fetches and routes again`, state: routedAgain(state, index, operation, model) }]
  const moves: Move<State>[] = []
  const request = requestsOf(operation, model)[operation.at]!
  if (state.repeatsLeft > 0 && request.kind !== 'look') {
    const again = { ...state, repeatsLeft: state.repeatsLeft - 1, messages: [...state.messages, request] }
    moves.push({ label: `${name} sends again`, state: again })
  }
  if (lease !== undefined && lease !== state.revision)
    moves.push({ label: `${name}'s lease ends`, state: withWriter(state, index, { ...writer, ...withoutLease }) })
  if (state.writerCrashesLeft > 0) moves.push({ label: `${name} crashes`, state: crashed(state, index, model) })
  return moves
}

/** What comes of a request's arrival: several states, where its writer then has a choice. */
export function arrivalMoves(state: State, index: number, model: CollectionModel): readonly Move<State>[] {
  const message = state.messages[index]!
  const { kind, place, version, awaitedBy } = message
  const label = `${awaitedBy > 0 ? '' : 'late '}${kind} of version ${version} arrives at ${place}`
  const arrived: State = {
    ...state,
    cells: applied(state.cells, message, model.search),
    messages: state.messages.toSpliced(index, 1),
  }
  if (awaitedBy === 0) return [{ label, state: arrived }]
  return answered(arrived, message, model).map((next) => ({ label, state: next }))
}

function withWriter(state: State, index: number, writer: Writer): State {
  return { ...state, writers: state.writers.with(index, writer) }
}

function begun(state: State, index: number, isDelete: boolean, model: CollectionModel): State {
  const writer = state.writers[index]!
  const version = state.versionCount + 1
  const operation: Operation = {
    version,
    isDelete,
    revision: writer.lease,
    isAgain: false,
    met: 0,
    at: 0,
  }
  const newestDelete = isDelete ? version : state.newestDelete
  return sent({ ...state, versionCount: version, newestDelete }, index, { ...writer, operation }, model)
}

/** The writer is gone in the middle of an operation. What it sent may still arrive. */
function crashed(state: State, index: number, { search }: CollectionModel): State {
  const { version, isDelete } = state.writers[index]!.operation!
  const messages = withoutAwaited(state.messages, version)
  const abandonedPuts = state.abandonedPuts | (isDelete ? 0 : 1 << version)
  const gone: Writer = { doneCount: search.writers[index]!.length, ...withoutLease, operation: undefined }
  return withWriter({ ...state, messages, abandonedPuts, writerCrashesLeft: state.writerCrashesLeft - 1 }, index, gone)
}

function routedAgain(state: State, index: number, operation: Operation, model: CollectionModel): State {
  const again: Operation = { ...operation, revision: state.revision, isAgain: true, met: 0, at: 0 }
  const writer: Writer = { ...state.writers[index]!, lease: state.revision, isBehind: false, operation: again }
  return sent(state, index, writer, model)
}

/** The writer sends the request that its operation is at. */
function sent(state: State, index: number, writer: Writer, model: CollectionModel): State {
  const operation = writer.operation!
  const request = requestsOf(operation, model)[operation.at]!
  return withWriter({ ...state, messages: [...state.messages, request] }, index, writer)
}

/** The answer has come: the next request, another route, or the acknowledgement. */
function answered(state: State, message: Message, model: CollectionModel): readonly State[] {
  const index = state.writers.findIndex(({ operation }) => operation?.version === message.awaitedBy)
  const writer = state.writers[index]!
  const before = writer.operation!
  const operation: Operation = {
    ...before,
    at: before.at + 1,
    met: Math.max(before.met, metBy(before, message, state, model)),
  }
  const rest: State = { ...state, messages: withoutAwaited(state.messages, message.awaitedBy) }
  if (isForgotten(state, before.revision!, message.place, model))
    return [withWriter(restored(rest, model), index, { ...writer, ...withoutLease, operation: waiting(operation) })]
  if (operation.at < requestsOf(operation, model).length) return [sent(rest, index, { ...writer, operation }, model)]
  if (keeps(model.search, 'late-ack') && writer.lease === undefined)
    return [withWriter(rest, index, { ...writer, operation: waiting(operation) })]
  const acknowledged = Math.max(state.acknowledged, operation.version)
  const done: Writer = { doneCount: writer.doneCount + 1, ...withoutLease, operation: undefined }
  const isLast = done.doneCount === model.search.writers[index]!.length
  const free = withWriter({ ...rest, acknowledged }, index, done)
  // Under the present route it can fetch again at once; an older snapshot is kept for the next operation, or is not.
  if (isLast || writer.lease === undefined || writer.lease === state.revision) return [free]
  return [free, withWriter(free, index, { ...done, lease: writer.lease, isBehind: writer.isBehind })]
}

/**
 * The newer version that a put meets where it is put or looks, if it has to yield. It need not yield to a put, which may be routed
 * again itself and vanish from where it stands: the older one stays beside it.
 */
function metBy(
  { version, isDelete, isAgain }: Operation,
  { kind, place }: Message,
  { cells }: State,
  { search }: CollectionModel,
): number {
  const known = cells[place]
  if (isDelete || !isAgain || known === undefined || known.version <= version) return 0
  if (keeps(search, 'take-back-completes')) return known.isDead && kind !== 'tombstone' ? known.version : 0
  return kind === 'look' ? known.version : 0
}

/** All that matters of an operation that will be routed again. */
function waiting({ version, isDelete }: Operation): Operation {
  return { version, isDelete, revision: undefined, isAgain: true, met: 0, at: 0 }
}

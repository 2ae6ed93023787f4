import type { Move } from '../move.js'
import { countsSum, lastOf, withLast } from './packed.js'
import { isStamped, keeps, type RecordSearch } from './record-search.js'
import type { Attempt, Cell, Message, RecordModel, State, Writer } from './record-state.js'

/** What a writer may do next. */
export function writerMoves(state: State, index: number, model: RecordModel): readonly Move<State>[] {
  const { search } = model
  const writer = state.writers[index]!
  const { lease, attempt, doneCount } = writer
  const name = `writer ${index}`
  if (attempt?.place === undefined) {
    if (doneCount === search.writers[index]!.writeCount) return []
    if (lease !== undefined) return sendMoves(state, index, lease, model)
    return fetchMoves(state, index, model)
  }
  const moves: Move<State>[] = []
  if (state.repeatsLeft > 0) {
    const again = { ...state, repeatsLeft: state.repeatsLeft - 1 }
    if (keeps(search, 'sticky-retry')) {
      const messages = [...state.messages, messageOf(index, doneCount, attempt, model)]
      const repeated = withWriter(again, index, { ...writer, attempt: { ...attempt, isRepeated: true } })
      moves.push({ label: `${name} sends again`, state: { ...repeated, messages } })
    } else {
      const waiting = { ...attempt, place: undefined, isRepeated: true }
      const elsewhere = withWriter(again, index, { ...writer, lease: undefined, attempt: waiting })
      moves.push({ label: `${name} gives up waiting`, state: elsewhere })
    }
  }
  if (state.writerCrashesLeft > 0) {
    const gone: Writer = {
      doneCount: search.writers[index]!.writeCount,
      lease: undefined,
      memory: undefined,
      attempt: undefined,
    }
    const crashed = withWriter({ ...state, writerCrashesLeft: state.writerCrashesLeft - 1 }, index, gone)
    moves.push({ label: `${name} crashes`, state: crashed })
  }
  return moves
}

/** What comes of a request's arrival; its answer may be lost, and then its sender sends it again. */
export function arrivalMoves(state: State, index: number, model: RecordModel): readonly Move<State>[] {
  const message = state.messages[index]!
  const writerIndex = writerOf(message, model)
  const label = `write ${message.write} arrives at ${message.place}`
  const [cell, answer] = applied(state.cells[message.place]!, message, writerIndex, model.search)
  const cells = state.cells.with(message.place, cell)
  const arrived: State = { ...state, cells, messages: state.messages.toSpliced(index, 1) }
  const writer = state.writers[writerIndex]!
  const { attempt } = writer
  const isAwaited =
    attempt?.sequence === message.sequence &&
    attempt.place !== undefined &&
    (attempt.place === message.place || !keeps(model.search, 'own-answer'))
  if (!isAwaited) return [{ label: `${label} late: ${answer}`, state: arrived }]
  const moves = [{ label: `${label}: ${answer}`, state: answered(arrived, writerIndex, attempt, message, answer) }]
  if (state.repeatsLeft > 0 && keeps(model.search, 'sticky-retry') && attempt.place === message.place) {
    const repeated = withWriter(arrived, writerIndex, { ...writer, attempt: { ...attempt, isRepeated: true } })
    const again = { ...repeated, messages: state.messages, repeatsLeft: state.repeatsLeft - 1 }
    moves.push({ label: `${label}: ${answer}, which is lost; it is sent again`, state: again })
  }
  return moves
}

/** Dedupe entries that are forgotten: at any time, as by a clock that runs far ahead. */
export function forgetMoves(state: State, { search }: RecordModel): readonly Move<State>[] {
  if (state.forgetsLeft === 0) return []
  return state.cells.flatMap((cell, place) =>
    search.writers.flatMap((_, writer) => {
      const known = lastOf(cell.last, writer)
      if (known === 0) return []
      const forgottenUpTo = Math.max(cell.forgottenUpTo, known)
      const cells = state.cells.with(place, { ...cell, last: withLast(cell.last, writer, 0), forgottenUpTo })
      const label = `place ${place} forgets writer ${writer}`
      return [{ label, state: { ...state, cells, forgetsLeft: state.forgetsLeft - 1 } }]
    }),
  )
}

type Answer = 'done' | 'sealed' | 'expired'

/** What a shard does with a write, atomically. */
function applied(cell: Cell, { write, sequence }: Message, writer: number, search: RecordSearch): [Cell, Answer] {
  const known = lastOf(cell.last, writer)
  const isDeduped = keeps(search, 'dedupe')
  const isExpired = isDeduped && keeps(search, 'expired') && known === 0 && sequence <= cell.forgottenUpTo
  if (isDeduped && known >= sequence) return [cell, 'done']
  if (!keeps(search, 'expired-first') && cell.isSealed) return [cell, 'sealed']
  if (isExpired) return [cell, 'expired']
  if (cell.isSealed) return [cell, 'sealed']
  return [
    { ...cell, counts: countsSum(cell.counts, 1 << (2 * write)), last: withLast(cell.last, writer, sequence) },
    'done',
  ]
}

function answered(state: State, index: number, attempt: Attempt, { write }: Message, answer: Answer): State {
  const writer = state.writers[index]!
  const ended: Writer = { ...writer, doneCount: writer.doneCount + 1, attempt: undefined }
  if (answer === 'done') return withWriter({ ...state, acknowledged: state.acknowledged | (1 << write) }, index, ended)
  const waiting = (sequence: number): Writer => ({
    ...writer,
    lease: undefined,
    attempt: { sequence, place: undefined, isRepeated: false },
  })
  if (answer === 'sealed') return withWriter(state, index, waiting(attempt.sequence))
  // An earlier copy may be in: the outcome is unknown. A first attempt takes a higher number.
  if (attempt.isRepeated) return withWriter(state, index, ended)
  const sequenceCount = state.sequenceCount + 1
  return withWriter({ ...state, sequenceCount }, index, waiting(sequenceCount))
}

/** The writer is shown the directory. It writes back what it remembers and is not shown, or does not remember it, as a new process. */
function fetchMoves(state: State, index: number, { search, history }: RecordModel): readonly Move<State>[] {
  const writer = state.writers[index]!
  const label = `writer ${index} fetches`
  const revision = state.revision
  const shown = { ...writer, lease: revision, memory: isStamped(search) ? revision : undefined }
  const moves = [{ label, state: withWriter(state, index, shown) }]
  const { memory } = writer
  if (memory === undefined || memory === revision) return moves
  // A memory that is older than the horizon is none: whoever had a younger one has seen the remnant.
  const isLost = memory > revision || (history[revision]!.phase === 'dropped' && !keeps(search, 'young-memory'))
  if (!isLost) return moves
  const healed = withWriter({ ...state, revision: memory }, index, { ...writer, lease: memory })
  return [...moves, { label: `${label} and writes revision ${memory} back`, state: healed }]
}

/** The writer sends by its snapshot, which it may keep for its next write. */
function sendMoves(state: State, index: number, lease: number, model: RecordModel): readonly Move<State>[] {
  const { search, history } = model
  const { doneCount, memory, attempt } = state.writers[index]!
  const { hash, writeCount } = search.writers[index]!
  const route = history[lease]!
  const place = route.places[hash & (route.write - 1)]!
  const isCounted = (search.forgetCount ?? 0) > 0
  const sequenceCount = isCounted && attempt === undefined ? state.sequenceCount + 1 : state.sequenceCount
  const sequence = attempt?.sequence ?? (isCounted ? sequenceCount : doneCount + 1)
  const next: Attempt = { sequence, place, isRepeated: attempt?.isRepeated ?? false }
  const messages = [...state.messages, messageOf(index, doneCount, next, model)]
  const sent = (kept: number | undefined) =>
    withWriter({ ...state, sequenceCount, messages }, index, { doneCount, lease: kept, memory, attempt: next })
  const label = `writer ${index} sends write ${model.firstWrites[index]! + doneCount} to ${place}`
  const moves = [{ label, state: sent(undefined) }]
  if (doneCount + 1 < writeCount) moves.push({ label: `${label} and keeps its snapshot`, state: sent(lease) })
  return moves
}

function messageOf(
  index: number,
  doneCount: number,
  { sequence, place }: Attempt,
  { firstWrites }: RecordModel,
): Message {
  return { write: firstWrites[index]! + doneCount, sequence, place: place! }
}

function writerOf({ write }: Message, { firstWrites }: RecordModel): number {
  return firstWrites.findLastIndex((first) => first <= write)
}

function withWriter(state: State, index: number, writer: Writer): State {
  return { ...state, writers: state.writers.with(index, writer) }
}

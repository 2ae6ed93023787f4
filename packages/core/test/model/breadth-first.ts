import type { Move } from './move.js'
import { StateTable } from './state-table.js'

/** What is searched. */
export interface Exploration<State> {
  readonly first: State
  /** What may happen next. */
  next(state: State): readonly Move<State>[]
  /** Writes a state into a record, without what nothing can depend on any more: states that differ only there are one. */
  encode(state: State, record: Uint8Array): void
  /** The state that was written. */
  decode(record: Uint8Array): State
  /** The length of every record. */
  readonly recordBytes: number
  /** The search ends after so many states. */
  readonly statesMax: number
}

/** What was found. */
export interface SearchResult {
  readonly stateCount: number
  /** Whether every state that can be reached was seen. */
  readonly isComplete: boolean
  /** The first violation, after the steps that led there, of which there are as few as possible; undefined when there is none. */
  readonly violation: string | undefined
}

/** Searches every schedule, shortest first, up to the first violation. Deterministic. */
export function searchBreadthFirst<State>(exploration: Exploration<State>): SearchResult {
  const { recordBytes, statesMax } = exploration
  const table = new StateTable(recordBytes)
  const record = new Uint8Array(recordBytes)
  exploration.encode(exploration.first, record)
  table.add(record, -1)
  for (let at = 0; at < table.count; at++) {
    for (const { label, state, violation } of exploration.next(exploration.decode(table.at(at)))) {
      if (violation !== undefined) {
        const records = table.pathTo(at).map((index) => table.at(index))
        const steps = [...trail(records, exploration), label, violation]
        return { stateCount: table.count, isComplete: false, violation: steps.join('\n') }
      }
      exploration.encode(state, record)
      table.add(record, at)
    }
    if (table.count >= statesMax) return { stateCount: table.count, isComplete: false, violation: undefined }
  }
  return { stateCount: table.count, isComplete: true, violation: undefined }
}

/** What was done on the way through these records. */
function trail<State>(records: readonly Uint8Array[], exploration: Exploration<State>): readonly string[] {
  const reached = new Uint8Array(exploration.recordBytes)
  const leadsTo = (state: State, record: Uint8Array) => {
    exploration.encode(state, reached)
    return reached.every((byte, i) => byte === record[i])
  }
  return records.slice(1).map((record, i) => {
    const moves = exploration.next(exploration.decode(records[i]!))
    return moves.find(({ state }) => leadsTo(state, record))!.label
  })
}

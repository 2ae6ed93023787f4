// Problem: a record's key is spread, grown and merged back while processes write and read it, requests are late and repeated, and
//   processes crash, stop and go on. Every read must count every acknowledged write once.
// Scheme: explicit-state search, breadth first, over one key of up to four shards whose route goes through given fanouts. Every
//   interleaving of requests, leases, changes of the route, the steps of several coordinators, forgotten dedupe entries, and lost
//   changes of the directory is looked at; each rule of the protocol can be left out, and the search must then find a violation.
// Invariants: a read that ends under its lease counts every write once that was acknowledged before it began, and no write twice.
//   A search that ends has seen every schedule. States and steps are left out only where another schedule shows the same:
//   - One read is made: reads change nothing. It begins with its first shard; beginning later can only oblige it to see more.
//     It is thrown away when its lease ends, and is not followed then (without lease-at-end it is).
//   - A snapshot is fetched only to be used: one that is not used only holds the route up. So no lease of a writer ends; it gives
//     up its snapshot when it sends, or keeps it for its next write.
//   - A coordinator that stops and goes on is one of several; the others are those that replaced it. It needs no lease in the
//     model: whatever it still does by an old route does no harm until the places of that route expire (coordinator-lease).
//   - Places that no route in use and none to come covers are empty, and requests to them are gone unless they are awaited.
//   - An empty shard is sealed and not absorbed.
//   What is lost of the directory are its newest one to three changes; the same changes are then made again. That the key grows
//   to other places in the meantime is not modelled, nor that the stamp is lost with them: docs/protocol.md says what that costs.
// Cost: a state takes 70 to 90 bytes; 50,000 states a second.
// Source: docs/protocol.md; Murphi and TLC for the method.
import { searchBreadthFirst, type SearchResult } from '../breadth-first.js'
import type { Move } from '../move.js'
import { coordinatorMoves, expiryMoves, failoverMoves, routeMoves } from './coordinator-moves.js'
import { readerMoves } from './reader-moves.js'
import { RecordCodec } from './record-codec.js'
import type { RecordSearch } from './record-search.js'
import { firstState, recordModel, withoutUnreachable, type RecordModel, type State } from './record-state.js'
import { arrivalMoves, forgetMoves, writerMoves } from './writer-moves.js'

/** Searches every schedule, shortest first. Deterministic. Throws a RangeError for a search that is too large for its records. */
export function searchRecord(search: RecordSearch): SearchResult {
  const model = recordModel(search)
  const codec = new RecordCodec(model)
  return searchBreadthFirst<State>({
    first: firstState(model),
    next: (state) => nextMoves(state, model),
    encode: (state, record) => codec.encode(withoutUnreachable(state, model), record),
    decode: (record) => codec.decode(record),
    recordBytes: codec.recordBytes,
    statesMax: search.statesMax,
  })
}

function nextMoves(state: State, model: RecordModel): readonly Move<State>[] {
  return [
    ...state.writers.flatMap((_, index) => writerMoves(state, index, model)),
    ...state.messages.flatMap((_, index) => arrivalMoves(state, index, model)),
    ...forgetMoves(state, model),
    ...expiryMoves(state, model),
    ...routeMoves(state, model),
    ...failoverMoves(state),
    ...state.coordinators.flatMap((_, index) => coordinatorMoves(state, index, model)),
    ...readerMoves(state, model),
  ]
}

// Problem: a key of a collection is spread, grown and merged back while items are put, deleted and read, requests are late and
//   repeated, and processes crash. No schedule may lose an item or bring one back.
// Scheme: explicit-state search, breadth first, over one key of up to four shards whose route goes through given fanouts, and one
//   item of a given hash. Every interleaving of requests, leases, changes of the route and expiring tombstones is looked at; each
//   rule of the protocol can be left out, and the search must then find a violation.
// Invariants: a read that begins after a put or a delete was acknowledged answers with that version or a newer one; with nothing
//   only if a delete that is as new has begun. A put whose writer crashed is unknown: it, and it alone, may show late.
//   One counter draws all versions: clocks that disagree are not modelled.
//   A failover loses the newest change of the directory while a process fetches it, and who remembers it writes it back; or all
//   that a merging back has changed, with nobody who remembers it. Losses that are written back and reach further are not modelled.
//   A search that ends has seen every schedule. States and steps are left out only where another schedule shows the same:
//   - One read is made. Reads change nothing and hold others up only, so the first wrong one is wrong alone, too.
//   - A read begins with its first place: beginning later can only oblige it to see more. It is not followed once it has seen
//     what it must see, or when its lease ends, for then it is thrown away (without lease-at-end it is followed).
//   - A snapshot is fetched only to be used: one that is not used only holds the route up. So a reader's lease and an idle
//     writer's do not end, and a writer gives up its snapshot when it is done or keeps it for what it does next.
//     An operation that is routed again fetches in the same step, since it goes by the present route only.
//   - The route is named by its revision, and what a writer asks follows from the route that it goes by.
//   - Places that no route in use and none to come covers are empty, and requests to them are gone unless they are awaited.
//     A late look does nothing and is gone, and so no look is repeated. The order of requests under way means nothing.
// Cost: a state takes 50 to 60 bytes; 100,000 states a second. Faults, writers and operations multiply them: two writers
//   of one operation each make some 280,000 without faults.
// Source: docs/routing.md; Murphi and TLC for the method.
import { searchBreadthFirst, type SearchResult } from './breadth-first.js'
import type { CollectionSearch } from './collection-search.js'
import { collectionModel, firstState, type CollectionModel, type State } from './collection-state.js'
import { coordinatorMoves, expiryMoves } from './coordinator-moves.js'
import { fallBackMoves } from './failover-moves.js'
import type { Move } from './move.js'
import { readerMoves } from './reader-moves.js'
import { StateCodec } from './state-codec.js'
import { arrivalMoves, writerMoves } from './writer-moves.js'

/** Searches every schedule, shortest first. Deterministic. Throws a RangeError for a search that is too large for its records. */
export function searchCollection(search: CollectionSearch): SearchResult {
  const model = collectionModel(search)
  const codec = new StateCodec(model)
  return searchBreadthFirst<State>({
    first: firstState(model),
    next: (state) => nextMoves(state, model),
    encode: (state, record) => codec.encode(withoutUnreachable(state, model), record),
    decode: (record) => codec.decode(record),
    recordBytes: codec.recordBytes,
    statesMax: search.statesMax,
  })
}

function nextMoves(state: State, model: CollectionModel): readonly Move<State>[] {
  return [
    ...state.writers.flatMap((_, index) => writerMoves(state, index, model)),
    ...state.messages.flatMap((_, index) => arrivalMoves(state, index, model)),
    ...expiryMoves(state),
    ...coordinatorMoves(state, model),
    ...fallBackMoves(state, model),
    ...readerMoves(state, model),
  ]
}

/** Leaves out what nothing can depend on any more, so that states that differ only there are one. */
function withoutUnreachable(state: State, { history }: CollectionModel): State {
  const { livePlaces } = history[oldestInUse(state)]!
  const isLive = (place: number) => livePlaces.has(place)
  // A read that has begun knows what it must see.
  const acknowledged = state.reader.open === undefined ? state.acknowledged : 0
  if (livePlaces.size === state.cells.length) return { ...state, acknowledged }
  const cells = state.cells.map((cell, place) => (isLive(place) ? cell : undefined))
  const messages = state.messages.filter(({ awaitedBy, place }) => awaitedBy > 0 || isLive(place))
  return { ...state, cells, messages, acknowledged }
}

/** The oldest revision that anybody may still act upon. */
function oldestInUse({ revision, writers, reader }: State): number {
  let oldest = Math.min(revision, reader.lease ?? revision)
  for (const { lease, operation } of writers) {
    if (lease !== undefined && lease < oldest) oldest = lease
    if (operation?.revision !== undefined && operation.revision < oldest) oldest = operation.revision
  }
  return oldest
}

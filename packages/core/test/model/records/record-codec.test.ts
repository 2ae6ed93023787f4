import { expect, it } from 'vitest'

import { RecordCodec } from './record-codec.js'
import type { RecordSearch } from './record-search.js'
import { firstState, recordModel, type State } from './record-state.js'

const search: RecordSearch = {
  fanouts: [2, 4, 1],
  writers: [
    { hash: 3, writeCount: 2 },
    { hash: 1, writeCount: 1 },
  ],
  repeatCount: 1,
  forgetCount: 1,
  coordinatorCount: 2,
  statesMax: 1,
}

it('writes every part of a state into its record', () => {
  const model = recordModel(search)
  const cell = { isSealed: true, counts: 0b01_10, last: 0x5a3, forgottenUpTo: 9, absorbed: 0b10_00_01 }
  const state: State = {
    ...firstState(model),
    revision: 5,
    acknowledged: 0b101,
    sequenceCount: 7,
    stamp: 4,
    failoversLeft: 2,
    forgetsLeft: 1,
    writerCrashesLeft: 3,
    cells: firstState(model).cells.with(1, cell),
    writers: [
      { doneCount: 1, lease: 0, memory: 3, attempt: { sequence: 6, place: 2, isRepeated: true } },
      {
        doneCount: 0,
        lease: undefined,
        memory: undefined,
        attempt: { sequence: 3, place: undefined, isRepeated: false },
      },
    ],
    messages: [
      { write: 0, sequence: 6, place: 2 },
      { write: 2, sequence: 3, place: 0 },
    ],
    coordinators: [
      { seen: undefined, doneCount: 0, holding: undefined },
      { seen: 4, doneCount: 1, holding: { counts: 5, absorbed: 32 } },
    ],
    reader: { lease: 4, open: { revision: 4, found: [undefined, { counts: 1, absorbed: 2 }], mustSee: 0b100 } },
  }
  const codec = new RecordCodec(model)
  const record = new Uint8Array(codec.recordBytes)
  codec.encode(state, record)
  expect(codec.decode(record)).toEqual(state)
})

/** Makes the codec for another search. */
function refused(changes: Partial<RecordSearch>): () => RecordCodec {
  return () => new RecordCodec(recordModel({ ...search, ...changes }))
}

it('refuses a search that has no room in its records', () => {
  expect(refused({ fanouts: [8] })).toThrow('8 shards; at most 4 have room')
  expect(refused({ fanouts: [2, 1, 2, 1, 2, 1, 2] })).toThrow('7 generations; at most 3 have room')
  expect(refused({ writers: [{ hash: 0, writeCount: 5 }] })).toThrow('5 writes; at most 4 have room')
})

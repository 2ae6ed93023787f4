import { expect, it } from 'vitest'

import { collectionModel, firstState } from './collection-state.js'
import { StateCodec } from './state-codec.js'
import { StateTable } from './state-table.js'

function recordOf(number: number): Uint8Array {
  return new Uint8Array(new Uint32Array([number]).buffer)
}

it('keeps every record once and in order while it grows', () => {
  const table = new StateTable(4)
  for (let i = 0; i < 10_000; i++) expect(table.add(recordOf(i), i - 1)).toBe(true)
  for (let i = 0; i < 10_000; i++) expect(table.add(recordOf(i), 0)).toBe(false)
  expect(table.count).toBe(10_000)
  expect(Array.from({ length: 10_000 }, (_, i) => table.at(i))).toEqual(
    Array.from({ length: 10_000 }, (_, i) => recordOf(i)),
  )
})

it('knows the way to a record', () => {
  const table = new StateTable(4)
  for (const [number, parent] of [
    [10, -1],
    [11, 0],
    [12, 0],
    [13, 2],
  ] as const)
    table.add(recordOf(number), parent)
  expect(table.pathTo(3)).toEqual([0, 2, 3])
})

it('writes every part of a state into its record', () => {
  const model = collectionModel({
    hash: 3,
    fanouts: [2, 4, 2],
    writers: ['pd', 'p'],
    repeatCount: 1,
    crashCount: 1,
    statesMax: 1,
  })
  const operation = { version: 7, isDelete: true, revision: 4, isAgain: true, met: 6, at: 9 }
  const state = {
    ...firstState(model),
    revision: 5,
    cells: [{ version: 3, isDead: true }, undefined, { version: 7, isDead: false }],
    writers: [
      { doneCount: 1, lease: 0, isBehind: true, operation },
      { doneCount: 0, lease: undefined, isBehind: false, operation: { ...operation, revision: undefined } },
    ],
    messages: [
      { kind: 'put', place: 2, version: 1, awaitedBy: 0 },
      { kind: 'look', place: 0, version: 7, awaitedBy: 6 },
    ] as const,
    versionCount: 7,
    newestDelete: 3,
    abandonedPuts: 4,
    writerCrashesLeft: 2,
    failoversLeft: 1,
    stamp: 3,
    acknowledged: 2,
    reader: { lease: 4, isBehind: true, open: { unread: [0, 2], newest: { version: 1, isDead: false }, mustSee: 2 } },
    copy: { doneCount: 1, item: { version: 2, isDead: true } },
  }
  const codec = new StateCodec(model)
  const record = new Uint8Array(codec.recordBytes)
  codec.encode(state, record)
  expect(codec.decode(record)).toEqual(state)
})

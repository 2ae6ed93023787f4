import { spreadAndCool } from '@spillway/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { dynamo } from '../../src/index.js'
import { startBehind, type Behind } from '../fixtures/engine.js'
import { newTable } from '../fixtures/tables.js'

let behind: Behind

beforeAll(async () => {
  behind = await startBehind({ seed: 5 })
})
afterAll(() => behind.close())

describe('a key that has cooled', () => {
  test.each([
    ['a record', { records: true, items: false }],
    ['a collection', { records: false, items: true }],
    ['a record and a collection', { records: true, items: true }],
  ])(
    'is one shard again, and nothing of %s is lost or doubled while it is written',
    async (_, kinds) => {
      const table = await newTable(behind.direct, { sortKey: 'sk', sortType: 'string' })
      const open = () => dynamo({ client: behind.client(), table, sortKey: 'sk', sortValue: '~' })
      const { expected, read, phases, shardCounts } = await spreadAndCool(open, kinds)
      expect(read).toEqual(expected)
      expect(phases.slice(-3)).toEqual(['draining', 'settled', 'cold'])
      expect(shardCounts).toEqual(kinds.records ? [4, 1] : [undefined, undefined])
    },
    200_000,
  )
})

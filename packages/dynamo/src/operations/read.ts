import type { Call, ShardAnswer, ShardContents, ShardsRead } from '@spillway/core'

import type { Parts } from '../parts.js'
import { contentsOf } from './contents.js'
import { readEach } from './read-each.js'

/** Reads shards, each only of the attributes that are asked for. Rejects with `BackendError` when none could be read. */
export function read(parts: Parts, asked: ShardsRead, call: Call): Promise<readonly ShardAnswer[]> {
  const { shards, fields, consistency } = asked
  const { table } = parts
  return readEach<ShardContents>(
    parts,
    {
      shards,
      consistency,
      projections: table.layout(fields),
      answerOf: (item, units, throttles) => contentsOf(table, fields, item ?? {}, units, throttles),
    },
    call,
  )
}

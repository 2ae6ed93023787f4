import type { ShardAnswer } from '@spillway/core'

import { mutant, withRecords, type Mutant } from './mutant.js'

export const batchMutants: readonly Mutant[] = [
  mutant(
    'batch-order',
    'answers come in the order of the indices',
    withRecords((records) => ({
      read(read, call) {
        const shards = read.shards.toSorted((a, b) => a.index - b.index)
        return records.read({ ...read, shards }, call)
      },
    })),
  ),
  mutant(
    'batch-absorbed',
    'all shards come with the absorbed shards of the first',
    withRecords((records) => ({
      async read(read, call) {
        const answers = await records.read(read, call)
        const [first] = answers
        const absorbed = first?.status === 'read' ? first.absorbed : undefined
        return answers.map((answer): ShardAnswer => (answer.status === 'read' ? { ...answer, absorbed } : answer))
      },
    })),
  ),
  mutant(
    'batch-largest',
    'what a store leaves unprocessed beyond 64 shards is dropped',
    withRecords((records) => ({
      read: (read, call) => records.read({ ...read, shards: read.shards.slice(0, 64) }, call),
    })),
  ),
]

import type { ShardAnswer } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { withRecords, type Mutant } from './mutant.js'

export const partialMutants: readonly Mutant[] = [
  {
    breaks: 'partial-neighbours',
    flaw: 'a batch fails as a whole when one of its shards does',
    harness: troubled(
      withRecords((records) => ({
        async read(read, call) {
          const answers = await records.read(read, call)
          for (const answer of answers) if (answer.status === 'failed') throw answer.error
          return answers
        },
      })),
    ),
  },
  {
    breaks: 'partial-miss',
    flaw: 'a shard that cannot be read is sealed as an empty one',
    harness: troubled(
      withRecords((records) => ({
        async seal(shard, fields, call) {
          const [answer] = await records
            .read({ shards: [shard], fields: [], consistency: 'strong' }, call)
            .catch((error: unknown): readonly ShardAnswer[] => {
              if ((error as { kind?: unknown }).kind === 'unavailable') throw error
              return []
            })
          if (answer === undefined) return { status: 'read', states: fields.map(() => undefined) }
          return records.seal(shard, fields, call)
        },
      })),
    ),
  },
  {
    breaks: 'partial-bounded',
    flaw: 'what is left out of a batch is asked for a hundred times',
    harness: troubled(
      withRecords((records) => ({
        async read(read, call) {
          let answers = await records.read(read, call)
          for (let i = 0; i < 100 && answers.some(({ status }) => status === 'failed'); i++)
            answers = await records.read(read, call)
          return answers
        },
      })),
    ),
  },
]

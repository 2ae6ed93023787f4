// keyv, storage/dynamo/src/index.ts: what a batch leaves unprocessed is asked for again at once, without a pause and without a
// limit.

import type { ShardAnswer } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { withRecords } from '../mutants/mutant.js'
import type { KnownFault } from './known-fault.js'

export const endlessGather: KnownFault = {
  seenIn: 'keyv, the DynamoDB adapter’s getMany()',
  fault: 'what a batch left unprocessed is asked for again, without pause and without limit',
  breaks: ['partial-bounded', 'partial-neighbours'],
  harness: troubled(
    withRecords((records) => ({
      async read(read, call) {
        const answers: ShardAnswer[] = [...(await records.read(read, call))]
        for (;;) {
          const missing = answers.flatMap((answer, i) => (answer.status === 'failed' ? [i] : []))
          if (missing.length === 0) return answers
          const shards = missing.map((i) => read.shards[i] as (typeof read.shards)[number])
          const again = await records.read({ ...read, shards }, call).catch(() => [])
          for (const [at, answer] of again.entries()) answers[missing[at] as number] = answer
        }
      },
    })),
  ),
}

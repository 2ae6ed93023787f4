// bentocache, src/drivers/dynamodb.ts: a batch delete never looks at the items that the answer says are unprocessed. In a batch
// read the same oversight answers a shard that was left out as one that is empty.

import type { ShardAnswer } from '@spillway/core'

import { troubled } from '../doubles/troubled-store.js'
import { withRecords } from '../mutants/mutant.js'
import type { KnownFault } from './known-fault.js'

export const ignoredUnprocessed: KnownFault = {
  seenIn: 'bentocache, the DynamoDB driver’s batch delete',
  fault: 'what a batch left unprocessed is taken as done',
  breaks: ['partial-neighbours'],
  harness: troubled(
    withRecords((records) => ({
      async read(read, call) {
        const answers = await records.read(read, call)
        const empty: ShardAnswer = { status: 'read', states: read.fields.map(() => undefined) }
        return answers.map((answer) => (answer.status === 'read' ? answer : empty))
      },
    })),
  ),
}

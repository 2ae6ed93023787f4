import { BackendError } from './backend-error.js'
import type { ShardAnswer } from './backend.js'

/** Why DynamoDB refuses a request to a table. Source: throttling-diagnosing-workflow.html. */
export type ThrottleReason =
  | 'TableWriteKeyRangeThroughputExceeded'
  | 'TableReadKeyRangeThroughputExceeded'
  | 'TableWriteProvisionedThroughputExceeded'
  | 'TableReadProvisionedThroughputExceeded'

const resource = 'table/simulated'

/** A refusal as an adapter translates DynamoDB's. */
export function throttledBy(reason: ThrottleReason): BackendError {
  const scope = reason.endsWith('KeyRangeThroughputExceeded') ? 'key-range' : 'other'
  return new BackendError('throttled', `The simulated store has no capacity left for this request: ${reason}.`, {
    throttle: { reason, resource, scope },
  })
}

/** A shard left out of a batch. DynamoDB says of an unprocessed key nothing but that it is one: API_BatchGetItem.html. */
export const unprocessedShard: ShardAnswer = Object.freeze({
  status: 'failed',
  error: new BackendError('throttled', 'The simulated store left a shard of a batch unprocessed.', {
    throttle: { reason: 'UnprocessedKeys', resource, scope: 'other' },
  }),
})

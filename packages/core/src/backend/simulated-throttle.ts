import { BackendError } from './backend-error.js'
import type { ShardFailure } from './request.js'

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
export const unprocessedShard: ShardFailure = Object.freeze({
  status: 'failed' as const,
  error: new BackendError('throttled', 'The simulated store left a shard of a batch unprocessed.', {
    throttle: { reason: 'UnprocessedKeys', resource, scope: 'other' },
  }),
})

/** An item left out of a batch of writes, of which DynamoDB says as little: API_BatchWriteItem.html. */
export const unprocessedItem: ShardFailure = Object.freeze({
  status: 'failed' as const,
  error: new BackendError('throttled', 'The simulated store left an item of a batch unprocessed.', {
    throttle: { reason: 'UnprocessedItems', resource, scope: 'other' },
  }),
})

import { isRetryable } from './is-retryable.js'
import { SpillwayError } from './spillway-error.js'

/** No shard could be read, or none in time. Retryable unless the cause is a request that can never succeed. */
export class ReadFailedError extends SpillwayError {
  constructor(key: string, why: string, cause?: unknown) {
    super('READ_FAILED', `The read of key ${JSON.stringify(key)} failed. ${why}`, {
      retryable: isRetryable(cause),
      key,
      stage: 'gather',
      cause,
    })
    this.name = 'ReadFailedError'
  }
}

/** Some shards could not be read, and the caller did not allow a partial result. Retryable as {@link ReadFailedError} is. */
export class PartialReadError extends SpillwayError {
  /** Indexes of the shards that are missing; frozen. */
  readonly missingShards: readonly number[]

  constructor(key: string, missingShards: readonly number[], shardCount: number, cause: unknown) {
    const message = `Shards ${missingShards.join(', ')} of ${shardCount} of key ${JSON.stringify(key)} could not be read. Pass allowPartial: true to get what there is.`
    super('PARTIAL_READ', message, { retryable: isRetryable(cause), key, stage: 'gather', cause })
    this.name = 'PartialReadError'
    this.missingShards = missingShards
  }
}

/** A stored value cannot be given back exactly in the type that the rule promises. It is stored unharmed. */
export class ValueOutOfRangeError extends SpillwayError {
  /** The field whose value it is. */
  readonly field: string

  constructor(field: string, given: string, advice: string) {
    super('VALUE_OUT_OF_RANGE', `The stored value of field ${JSON.stringify(field)} is ${given}. ${advice}`, {
      retryable: false,
      stage: 'merge',
    })
    this.name = 'ValueOutOfRangeError'
    this.field = field
  }
}

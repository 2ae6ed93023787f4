import { describeError } from '../errors/describe-error.js'
import { describe } from '../errors/misuse-error.js'
import { isSpillwayError, SpillwayError } from '../errors/spillway-error.js'

/**
 * What a failed request means for the data: all tries of it together. An adapter whose client tries again on its own, and
 * cannot be kept from it, must report every failure of a write after more than one try as `unknown`, for the last try says
 * nothing about those before it.
 * - `throttled`: refused for lack of capacity; nothing was done.
 * - `unavailable`: could not be served; for a read there is no answer, for a write nothing was done.
 * - `rejected`: refused for another reason; nothing was written.
 * - `unknown`: no answer; a write may have been done.
 * - `invalid`: the request can never succeed as it is; nothing was done.
 */
export type FailureKind = 'throttled' | 'unavailable' | 'rejected' | 'unknown' | 'invalid'

const kinds: ReadonlySet<unknown> = new Set<FailureKind>(['throttled', 'unavailable', 'rejected', 'unknown', 'invalid'])

/** What a store said about a throttle. */
export interface ThrottleDetail {
  /** The store's own word for the reason, such as `TableWriteKeyRangeThroughputExceeded`. */
  readonly reason: string
  /** The table, index or node that throttled, where it is named. */
  readonly resource?: string | undefined
  /**
   * - `key-range`: one partition's capacity was exceeded, which spreading the key cures.
   * - `index-key-range`: that of an index's partition, which spreading the table's key does not cure.
   * - `other`: the capacity of a table, an index, an account or a node; or the store does not say.
   */
  readonly scope: 'key-range' | 'index-key-range' | 'other'
}

const none: readonly ThrottleDetail[] = Object.freeze([])

/** Every failure of a backend, translated by its adapter. */
export class BackendError extends SpillwayError {
  /** What it means for the data. */
  readonly kind: FailureKind
  /** What the store said, when it throttled an attempt; also where `kind` is `unknown` since another attempt may be in. */
  readonly throttle: ThrottleDetail | undefined
  /** All throttled attempts behind the failure, where the client makes several by itself; `throttle` is the last. */
  readonly throttles: readonly ThrottleDetail[]

  /** `throttles` for several attempts, `throttle` for one. */
  constructor(
    kind: FailureKind,
    message: string,
    fields: {
      readonly cause?: unknown
      readonly throttle?: ThrottleDetail | undefined
      readonly throttles?: readonly ThrottleDetail[] | undefined
    } = {},
  ) {
    super('BACKEND', message, { retryable: kind !== 'invalid', stage: 'backend', cause: fields.cause })
    this.name = 'BackendError'
    this.kind = kind
    this.throttles = fields.throttles ?? (fields.throttle === undefined ? none : [fields.throttle])
    this.throttle = this.throttles.at(-1)
  }
}

/** Whether `error` is a {@link BackendError}, also from another copy of the package. */
export function isBackendError(error: unknown): error is BackendError {
  return isSpillwayError(error, 'BACKEND')
}

/** What a failure says about capacity: one for each throttled attempt. */
export function throttlesOf(error: BackendError): readonly ThrottleDetail[] {
  if (error.throttles.length > 0) return error.throttles
  return error.kind === 'throttled' ? [{ reason: error.message, scope: 'other' }] : none
}

/** An error that no adapter translated, or translated to a kind that there is not, means that nobody knows what was done. */
export function asBackendError(error: unknown): BackendError {
  if (!isBackendError(error)) {
    const message = `The backend failed in a way that its adapter does not know: ${describeError(error)}`
    return new BackendError('unknown', message, { cause: error })
  }
  if (kinds.has(error.kind)) return error
  const message = `The backend failed with a kind that there is not, ${describe(error.kind)}: ${describeError(error)}`
  return new BackendError('unknown', message, { cause: error })
}

/** Whether a request failed in a way that will not get better by itself, with nothing done. */
export function isRefusal(error: unknown): boolean {
  const { kind } = asBackendError(error)
  return kind === 'invalid' || kind === 'rejected'
}

const brand = Symbol.for('spillway.error')

/** Every code that an error of Spillway can carry. Codes are stable; messages are not. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'CLOSED'
  | 'LIMIT_REACHED'
  | 'WRITE_REJECTED'
  | 'WRITE_UNKNOWN'
  | 'READ_FAILED'
  | 'PARTIAL_READ'
  | 'VALUE_OUT_OF_RANGE'
  | 'ROUTE_UNAVAILABLE'
  | 'DIRECTORY_MISMATCH'
  | 'SPOOL'
  | 'BACKEND'

/** What an error knows beside its message. */
export interface ErrorFields {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** The application's key, where one is concerned. */
  readonly key?: string | undefined
  /** The stage of the data path that gave up. */
  readonly stage?: string | undefined
  /** What led to it. */
  readonly cause?: unknown
}

/** The base of every error that Spillway throws or rejects with. Recognise one with {@link isSpillwayError}. */
export class SpillwayError extends Error {
  /** Which kind of error this is; stable across versions. */
  readonly code: ErrorCode
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** The application's key, where one is concerned. */
  readonly key: string | undefined
  /** The stage of the data path that gave up. */
  readonly stage: string | undefined

  constructor(code: ErrorCode, message: string, fields: ErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.name = 'SpillwayError'
    this.code = code
    this.retryable = fields.retryable
    this.key = fields.key
    this.stage = fields.stage
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `error` comes from Spillway, also from another copy or module format of it; with `code`, whether it is that kind. */
export function isSpillwayError(error: unknown, code?: ErrorCode): error is SpillwayError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || ('code' in error && error.code === code)
}

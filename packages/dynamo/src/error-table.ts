// Problem: DynamoDB and its client name some forty failures, and each must be told as what it means for the data.
// Scheme: one table from names to meanings; what is not in it goes by its HTTP status; what has none is uncertain.
// Invariants: a write is called refused only if no copy of it can have been applied. The SDK sends a request again by itself,
//   so a refusal of the last copy says nothing about an earlier one whose answer was lost: then it is «unknown». What the
//   store said of a throttle, to the last copy or to an earlier one, goes with every kind.
// Cost: only when something fails.
// Source: Programming.Errors.html, throttling-diagnosing-workflow.html, API_ThrottlingReason.html; smithy's
//   service-error-classification.

import { BackendError, isBackendError, type FailureKind, type ThrottleDetail } from '@spillway/core'

/** Whether a request changes anything. */
export type Effect = 'read' | 'write'

/** What a failure means for one copy of a request: `uncertain` copies may have been applied. */
type Meaning = 'throttled' | 'notSent' | 'refused' | 'rejected' | 'invalid' | 'uncertain'

const meanings = new Map<string, Meaning>(
  Object.entries({
    throttled: [
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'RequestLimitExceeded',
      'Throttling',
      'ThrottledException',
      'RequestThrottled',
      'RequestThrottledException',
      'TooManyRequestsException',
      'LimitExceededException',
    ],
    refused: ['TransactionConflictException', 'ReplicatedWriteConflictException', 'ConditionalCheckFailedException'],
    notSent: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'],
    rejected: [
      'AccessDeniedException',
      'CredentialsProviderError',
      'ExpiredTokenException',
      'IncompleteSignatureException',
      'InvalidSignatureException',
      'ItemCollectionSizeLimitExceededException',
      'MissingAuthenticationTokenException',
      'UnrecognizedClientException',
    ],
    invalid: [
      'ResourceNotFoundException',
      'SerializationException',
      'UnknownOperationException',
      'ValidationException',
    ],
    uncertain: [
      'AbortError',
      'TimeoutError',
      'InternalServerError',
      'ServiceUnavailable',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
    ],
  } satisfies Record<Meaning, readonly string[]>).flatMap(([meaning, names]) =>
    names.map((name) => [name, meaning as Meaning] as const),
  ),
)

/** What the SDK says, by no name of its own, of a client that can send nothing: @smithy/core, config/regionConfig. */
const regionProblem = /^Region (is missing|not accepted)/

/** The parts of the SDK's errors that are looked at. */
interface SdkError {
  readonly name?: string
  readonly code?: unknown
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
  readonly ThrottlingReasons?: readonly Reason[]
  readonly throttlingReasons?: readonly Reason[]
}

interface Reason {
  readonly reason?: string
  readonly resource?: string
}

/** Whether this copy of a request may have been applied although its answer is a failure. */
export function isUncertain(error: unknown): boolean {
  return meaningOf(error) === 'uncertain'
}

/** How many copies the SDK sent, as far as it says. */
export function attemptsOf(error: unknown): number {
  return (error as SdkError | null)?.$metadata?.attempts ?? 1
}

/** What the store said of a throttle; undefined where it did not throttle. */
export function throttleIn(error: unknown): ThrottleDetail | undefined {
  return meaningOf(error) === 'throttled' ? throttleOf(error as SdkError) : undefined
}

/**
 * A failure as the core knows it. `hasLostCopies`: the answer of an earlier copy of this request may have been lost.
 * `seen`: what the store said to each copy that it throttled, the last one too; undefined where none was seen.
 */
export function translated(
  error: unknown,
  effect: Effect,
  hasLostCopies: boolean,
  seen: readonly ThrottleDetail[] | undefined,
): BackendError {
  if (isBackendError(error)) return error
  const meaning = meaningOf(error)
  const { name, message } = (error ?? {}) as SdkError
  const kind = kindOf(meaning, effect, hasLostCopies)
  const words =
    kind === 'unknown' && meaning !== 'uncertain' ? ' An earlier copy of this write may have been applied.' : ''
  const text = `DynamoDB failed with ${name ?? 'an error'}: ${message ?? String(error)}${words}`
  return new BackendError(kind, text, { cause: error, throttles: seen, throttle: throttleIn(error) })
}

function meaningOf(error: unknown): Meaning {
  const { name, code, message, $metadata } = (error ?? {}) as SdkError
  const known = meanings.get(String(code)) ?? meanings.get(String(name))
  if (known !== undefined) return known
  if (regionProblem.test(message ?? '')) return 'invalid'
  const status = $metadata?.httpStatusCode
  if (status === 429) return 'throttled'
  return status !== undefined && status >= 400 && status < 500 ? 'rejected' : 'uncertain'
}

function kindOf(meaning: Meaning, effect: Effect, hasLostCopies: boolean): FailureKind {
  if (effect === 'write' && (hasLostCopies || meaning === 'uncertain')) return 'unknown'
  switch (meaning) {
    case 'throttled':
    case 'rejected':
    case 'invalid':
      return meaning
    case 'notSent':
    case 'refused':
    case 'uncertain':
      return 'unavailable'
    default:
      return meaning satisfies never
  }
}

/** Of several reasons the one that spreading cures, a key range of the table; else that of an index, which the application can cure. */
function throttleOf(error: SdkError): ThrottleDetail {
  const reasons = error.ThrottlingReasons ?? error.throttlingReasons ?? []
  const ofScope = (scope: ThrottleDetail['scope']) => reasons.find(({ reason }) => scopeOf(reason) === scope)
  const chosen = ofScope('key-range') ?? ofScope('index-key-range') ?? reasons[0]
  if (chosen?.reason === undefined) return { reason: String(error.name), scope: 'other' }
  return { reason: chosen.reason, resource: chosen.resource, scope: scopeOf(chosen.reason) }
}

function scopeOf(reason: string | undefined): ThrottleDetail['scope'] {
  const [, where] = /^(Table|Index)(?:Read|Write)KeyRangeThroughputExceeded$/.exec(reason ?? '') ?? []
  if (where === undefined) return 'other'
  return where === 'Table' ? 'key-range' : 'index-key-range'
}

/** A shard that DynamoDB left out of a batch for lack of capacity. It gives no reason: API_BatchGetItem.html. */
export function unprocessed(table: string): BackendError {
  return new BackendError('throttled', `DynamoDB left a shard of a batch unprocessed in table ${table}.`, {
    throttle: { reason: 'UnprocessedKeys', resource: table, scope: 'other' },
  })
}

/** An item that DynamoDB left out of a batch of writes for lack of capacity. It gives no reason: API_BatchWriteItem.html. */
export function unprocessedItem(table: string): BackendError {
  return new BackendError('throttled', `DynamoDB left an item of a batch unprocessed in table ${table}.`, {
    throttle: { reason: 'UnprocessedItems', resource: table, scope: 'other' },
  })
}

/** A shard that DynamoDB left out of a batch that had grown large, which says nothing of capacity. */
export function cutOff(table: string): BackendError {
  return new BackendError(
    'unavailable',
    `DynamoDB cut a batch off for its size in table ${table}: read the rest again.`,
  )
}

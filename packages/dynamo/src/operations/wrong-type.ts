import { BackendError, isBackendError, type Call, placeOf, type ShardWrite } from '@spillway/core'

import type { Effort } from '../effort.js'
import { stateOf } from '../field-state.js'
import type { Parts } from '../parts.js'
import { attributeIn } from '../table.js'
import { lookFor } from './look.js'

/**
 * What a write was refused for. DynamoDB says that an attribute has the wrong type and not which one, so the item is read to
 * name the field. Gives back any other failure, and this one where reading does not tell, as it is.
 */
export async function withFieldNamed(
  parts: Parts,
  { shard, changes }: ShardWrite,
  failure: unknown,
  call: Call,
  effort: Effort,
): Promise<unknown> {
  if (!isBackendError(failure) || failure.kind !== 'invalid' || !/incorrect data type/.test(failure.message))
    return failure
  try {
    const item = await lookFor(parts, placeOf(shard), call, effort)
    for (const change of changes) stateOf(change, attributeIn(item, parts.table.attribute(change)))
    return failure
  } catch (error) {
    if (!isBackendError(error) || error.kind !== 'invalid') return failure
    return new BackendError('invalid', error.message, { cause: failure.cause, throttles: failure.throttles })
  }
}

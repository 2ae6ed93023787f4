import { UpdateItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { Call } from '@spillway/core'

import type { Expression } from '../expression.js'
import type { ItemParts } from '../item-parts.js'
import type { Outcome } from '../requests.js'
import type { Item } from '../table.js'

/** What is used of an answer to UpdateItem. */
export interface Updated {
  readonly Attributes?: Item
  readonly ConsumedCapacity?: ConsumedCapacity
}

/** Sends an update of the item at a place; `isItemWanted` brings the item back as the update leaves it. Rejects with `BackendError`. */
export function update(
  { requests, table }: ItemParts,
  place: string,
  expression: Expression,
  isItemWanted: boolean,
  call: Call,
): Promise<Outcome<Updated>> {
  const command = new UpdateItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ...expression.input(),
    ...(isItemWanted && { ReturnValues: 'ALL_NEW' as const }),
    ReturnConsumedCapacity: 'TOTAL',
  })
  return requests.send<Updated>(command, 'write', call)
}

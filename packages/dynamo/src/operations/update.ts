import { UpdateItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { Call } from '@spillway/core'

import type { DynamoPort } from '../client-port.js'
import type { Expression } from '../expression.js'
import { send, type Outcome } from '../request.js'
import type { Item, Table } from '../table.js'

/** What is used of an answer to UpdateItem. */
export interface Updated {
  readonly Attributes?: Item
  readonly ConsumedCapacity?: ConsumedCapacity
}

/** Sends an update of the item at a place, and asks for the item where its condition fails. Rejects with `BackendError`. */
export function update(
  { client, table }: { readonly client: DynamoPort; readonly table: Table },
  place: string,
  expression: Expression,
  returned: 'NONE' | 'ALL_NEW',
  call: Call | undefined,
): Promise<Outcome<Updated>> {
  const command = new UpdateItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ...expression.input(),
    ReturnValues: returned,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ReturnConsumedCapacity: 'TOTAL',
  })
  return send<Updated>(client, command, 'write', call)
}

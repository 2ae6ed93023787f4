import { GetItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { Call } from '@spillway/core'

import type { DynamoPort } from '../client-port.js'
import { sendPlain } from '../request.js'
import type { Item, Table } from '../table.js'

/** An item, and what it cost to read it. */
export interface Looked {
  /** Empty when there is none. */
  readonly item: Item
  readonly units: number
}

/** Reads the whole item at a place, strongly. Rejects with `BackendError`; nothing is changed by it, so a write may go on from there. */
export async function look(
  { client, table }: { readonly client: DynamoPort; readonly table: Table },
  place: string,
  call: Call,
): Promise<Looked> {
  const command = new GetItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ConsistentRead: true,
    ReturnConsumedCapacity: 'TOTAL',
  })
  const output = await sendPlain<{ Item?: Item; ConsumedCapacity?: ConsumedCapacity }>(client, command, 'read', call)
  return { item: output.Item ?? {}, units: output.ConsumedCapacity?.CapacityUnits ?? 0 }
}

import { GetItemCommand, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import type { Call } from '@spillway/core'

import type { Effort } from '../effort.js'
import type { ItemParts } from '../item-parts.js'
import type { HiddenThrottles } from '../requests.js'
import type { Item } from '../table.js'

/** An item, and what it took to read it. */
export interface Looked {
  /** Empty when there is none. */
  readonly item: Item
  readonly units: number
  readonly throttles: HiddenThrottles
}

/** Reads the whole item at a place, strongly. Rejects with `BackendError`; nothing is changed by it, so a write may go on from there. */
export async function look({ requests, table }: ItemParts, place: string, call: Call): Promise<Looked> {
  const command = new GetItemCommand({
    TableName: table.name,
    Key: table.key(place),
    ConsistentRead: true,
    ReturnConsumedCapacity: 'TOTAL',
  })
  const { output, throttles } = await requests.sendPlain<{ Item?: Item; ConsumedCapacity?: ConsumedCapacity }>(
    command,
    'read',
    call,
  )
  return { item: output.Item ?? {}, units: output.ConsumedCapacity?.CapacityUnits ?? 0, throttles }
}

/** The same for an operation of several requests, which adds up what they take. Rejects with `BackendError`. */
export async function lookFor(parts: ItemParts, place: string, call: Call, effort: Effort): Promise<Item> {
  const { item, units, throttles } = await look(parts, place, call)
  effort.spend(units, throttles)
  return item
}

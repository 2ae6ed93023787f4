// Problem: of two versions of an item the newer one must stay, whatever arrives late or twice.
// Scheme: one PutItem or DeleteItem under the condition that no greater stamp is there. When it fails, the item says which (the
//   service sends it along, or one strong read fetches its stamp).
// Invariants: what is newer is left alone and told; the same stamp is the same write, which is done again; once a copy may still
//   be on its way, no failure of a later request says that nothing was done.
// Cost: one request; one strong read more where something newer is there and the service does not say what.
// Source: API_PutItem.html, on ReturnValuesOnConditionCheckFailure; docs/routing.md, «Rules for collections».

import { GetItemCommand, type AttributeValue, type ConsumedCapacity } from '@aws-sdk/client-dynamodb'
import { placeOf, type Call, type ItemPut, type ItemWriteAnswer } from '@spillway/core'

import { itemStampAttribute } from '../attributes.js'
import { afterCollision, contended } from '../contention.js'
import { Effort, failureAfter } from '../effort.js'
import type { ItemParts } from '../item-parts.js'
import { itemRoundsMax } from '../limits.js'
import { stampText } from '../stamp-text.js'
import { stampIn } from '../stored-item.js'
import type { Item } from '../table.js'

/** What a request carries so that it changes nothing that is newer. */
export interface Guard {
  readonly ConditionExpression: string
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues: Readonly<Record<string, AttributeValue>>
  readonly ReturnValuesOnConditionCheckFailure: 'ALL_OLD'
  readonly ReturnConsumedCapacity: 'TOTAL'
}

/** Which item, and the stamp of its change. */
export type ItemChange = Pick<ItemPut, 'shard' | 'sort' | 'stamp'>

/** Sends the command that `commandOf` makes, a new one each time. Rejects with `BackendError`. */
export async function changeItem(
  parts: ItemParts,
  change: ItemChange,
  commandOf: (guard: Guard) => object,
  call: Call,
): Promise<ItemWriteAnswer> {
  const effort = new Effort()
  try {
    return await changed(parts, change, commandOf, call, effort)
  } catch (error) {
    throw failureAfter(effort, error)
  }
}

async function changed(
  parts: ItemParts,
  { shard, sort, stamp }: ItemChange,
  commandOf: (guard: Guard) => object,
  call: Call,
  effort: Effort,
): Promise<ItemWriteAnswer> {
  const place = placeOf(shard)
  const key = parts.table.key(place, sort)
  const own = stampText(stamp) // of ASCII: it compares here as it does there
  let builtOn: Item | undefined
  for (let round = 0; round < itemRoundsMax; round++) {
    const command = commandOf(unlessNewer({ S: own }))
    const outcome = await parts.requests.send<{ ConsumedCapacity?: ConsumedCapacity }>(command, 'write', call)
    effort.spend(undefined, outcome.throttles)
    if (outcome.status === 'answered') {
      effort.spend(outcome.output.ConsumedCapacity?.CapacityUnits, undefined)
      return { status: 'done', units: effort.units, throttles: effort.throttles }
    }
    effort.hasLostCopies ||= outcome.hasLostCopies
    const found = outcome.item ?? (await stampLooked(parts, key, call, effort))
    const known = stampIn(found)
    if (known !== undefined && stampText(known) > own)
      return { status: 'newer', stamp: known, units: effort.units, throttles: effort.throttles }
    await afterCollision({ place, round, builtOn, found }, call)
    builtOn = found
  }
  throw contended(place)
}

function unlessNewer(stamp: AttributeValue): Guard {
  return {
    ConditionExpression: 'attribute_not_exists(#v) OR #v <= :v',
    ExpressionAttributeNames: { '#v': itemStampAttribute },
    ExpressionAttributeValues: { ':v': stamp },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ReturnConsumedCapacity: 'TOTAL',
  }
}

/** An item, its stamp alone, read strongly. */
async function stampLooked({ requests, table }: ItemParts, Key: Item, call: Call, effort: Effort): Promise<Item> {
  const command = new GetItemCommand({
    TableName: table.name,
    Key,
    ConsistentRead: true,
    ProjectionExpression: '#v',
    ExpressionAttributeNames: { '#v': itemStampAttribute },
    ReturnConsumedCapacity: 'TOTAL',
  })
  const { output, throttles } = await requests.sendPlain<{ Item?: Item; ConsumedCapacity?: ConsumedCapacity }>(
    command,
    'read',
    call,
  )
  effort.spend(output.ConsumedCapacity?.CapacityUnits, throttles)
  return output.Item ?? {}
}

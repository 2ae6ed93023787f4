import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  GetItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type KeysAndAttributes,
} from '@aws-sdk/client-dynamodb'
import { BackendError, isBackendError, type Random } from '@spillway/core'

import type { UserChange, UserTotals } from '../record.js'
import { BlindRetries } from './blind-retries.js'
import type { Place, PlainClient } from './demo-store.js'
import { isThrottle } from './dynamo-meter.js'
import { storedFields, totalsOfParts, type StoredPart } from './stored-part.js'

type Item = Record<string, AttributeValue>

/**
 * The AWS SDK as it is by default, which repeats by itself. One `UpdateItem` a line: `ADD` for the sums, and the last edit on
 * the condition that it is newer; where it is not, the sums alone are added by a second one.
 */
export class DynamoPlainClient implements PlainClient {
  readonly #client: DynamoDBClient
  readonly #table: string
  readonly #retries: BlindRetries

  constructor(client: DynamoDBClient, table: string, random: Random) {
    this.#client = client
    this.#table = table
    this.#retries = new BlindRetries(random)
  }

  async write(place: Place, change: UserChange): Promise<void> {
    try {
      await this.#update(place, sumsOf(change), lastEditOf(change))
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) fail(error)
      await this.#update(place, sumsOf(change), {}).catch(fail)
    }
  }

  async read(places: readonly Place[]): Promise<UserTotals> {
    const [first] = places
    if (places.length === 1 && first !== undefined) {
      const command = new GetItemCommand({
        ...this.#target(first),
        ConsistentRead: true,
        ReturnConsumedCapacity: 'TOTAL',
      })
      const { Item } = await this.#client.send(command).catch(fail)
      return totalsOfParts([partOf(Item)])
    }
    return totalsOfParts((await this.#batch(places).catch(fail)).map(partOf))
  }

  async #update(place: Place, sums: Item, lastEdit: Item): Promise<void> {
    const [added, set] = [Object.keys(sums), Object.keys(lastEdit)]
    const names = [...added, ...set]
    await this.#client.send(
      new UpdateItemCommand({
        ...this.#target(place),
        UpdateExpression: `ADD ${added.map((name) => `#${name} :${name}`).join(', ')}${set.length === 0 ? '' : ` SET ${set.map((name) => `#${name} = :${name}`).join(', ')}`}`,
        ...(set.length > 0 && { ConditionExpression: newerThan(lastEdit) }),
        ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: Object.fromEntries(
          Object.entries({ ...sums, ...lastEdit }).map(([name, value]) => [`:${name}`, value]),
        ),
        ReturnConsumedCapacity: 'TOTAL',
      }),
    )
  }

  /** What a batch leaves out is asked for again, as AWS's guide has it; all else the SDK repeats. */
  #batch(places: readonly Place[]): Promise<readonly Item[]> {
    const found: Item[] = []
    let left: Record<string, KeysAndAttributes> = {
      [this.#table]: { Keys: places.map((place) => this.#target(place).Key), ConsistentRead: true },
    }
    return this.#retries.run(async () => {
      const command = new BatchGetItemCommand({ RequestItems: left, ReturnConsumedCapacity: 'TOTAL' })
      const { Responses, UnprocessedKeys = {} } = await this.#client.send(command)
      found.push(...(Responses?.[this.#table] ?? []))
      left = UnprocessedKeys
      if (Object.keys(left).length > 0) throw new BackendError('throttled', 'Keys of the batch were left unprocessed.')
      return found
    })
  }

  #target({ key, index }: Place): { TableName: string; Key: { pk: { S: string } } } {
    return { TableName: this.#table, Key: { pk: { S: index === 0 ? key : `${key}#${index}` } } }
  }
}

function sumsOf({ edits, bytes }: UserChange): Item {
  return { edits: { N: String(edits) }, ...(bytes !== undefined && { bytes: { N: String(bytes) } }) }
}

function lastEditOf({ lastEditMs, lastPage }: UserChange): Item {
  return {
    ...(lastEditMs !== undefined && { lastEditMs: { N: String(lastEditMs) } }),
    ...(lastPage !== undefined && {
      pageMs: { N: String(lastPage.timeMs) },
      pageLine: { N: String(lastPage.order) },
      page: { S: lastPage.value },
    }),
  }
}

/** The lines of a log have all these fields or none, so that one condition is enough for all of them. */
function newerThan({ pageMs }: Item): string {
  return pageMs === undefined
    ? '(attribute_not_exists(#lastEditMs) OR #lastEditMs < :lastEditMs)'
    : '(attribute_not_exists(#pageMs) OR #pageMs < :pageMs OR (#pageMs = :pageMs AND #pageLine < :pageLine))'
}

function partOf(item: Item | undefined): StoredPart {
  return Object.fromEntries(storedFields.map((field) => [field, item?.[field]?.N ?? item?.[field]?.S]))
}

/** A throttle that outlasted the SDK's attempts was not written; whatever else it gives up on may have been. */
function fail(error: unknown): never {
  if (isBackendError(error) || !(error instanceof Error) || isMistake(error)) throw error
  throw new BackendError(isThrottle(error) ? 'throttled' : 'unknown', error.message, { cause: error })
}

function isMistake({ name }: Error): boolean {
  return ['ValidationException', 'ResourceNotFoundException', 'AccessDeniedException', 'TypeError'].includes(name)
}

import { isConditionFailure, withItem, type Answer } from './answers.js'
import { emptyPageBefore } from './empty-page.js'
import type { EngineClient, Signature } from './engine-client.js'
import { KeySchemas, type Key, type KeySchema } from './key-schemas.js'
import type { Direction, Partitions } from './partitions.js'
import { Turns } from './turns.js'

/** What operations need of the gateway. */
export interface OperationParts {
  readonly engine: EngineClient
  readonly partitions: Partitions | undefined
  readonly sendsItem: boolean
  readonly nowMs: () => number
  readonly isLeftOut: () => boolean
  readonly isPageEmpty: () => boolean
  readonly throttle: (table: string, direction: Direction) => Answer
  readonly onThrottled: (count: number) => void
}

type Input = Readonly<Record<string, unknown>>

const directions: Readonly<Record<string, Direction>> = {
  GetItem: 'Read',
  Query: 'Read',
  UpdateItem: 'Write',
  PutItem: 'Write',
  DeleteItem: 'Write',
}

/** Operations as the service carries them out, on an engine that has no limits. Those that are not named here are passed on. */
export class Operations {
  readonly #parts: OperationParts
  readonly #turns = new Turns()
  readonly #schemas: KeySchemas

  constructor(parts: OperationParts) {
    this.#parts = parts
    this.#schemas = new KeySchemas(parts.engine)
  }

  /** Carries out one operation. Rejects when the engine cannot be reached. */
  async run(operation: string, input: Input, signature: Signature): Promise<Answer> {
    if (operation === 'BatchGetItem') return this.#batchGet(input, signature)
    if (operation === 'BatchWriteItem') return this.#batchWrite(input, signature)
    const direction = directions[operation]
    const schema = direction && (await this.#schemas.of(String(input['TableName']), signature))
    if (direction === undefined || schema === undefined) return this.#parts.engine.send(operation, input, signature)
    return this.#single(operation, direction, schema, input, signature)
  }

  async #single(
    operation: string,
    direction: Direction,
    schema: KeySchema,
    input: Input,
    signature: Signature,
  ): Promise<Answer> {
    const { partitions, nowMs, throttle } = this.#parts
    const key = schema.keyIn((input['Key'] ?? input['Item'] ?? {}) as Key)
    const lane = schema.laneOf(operation === 'Query' ? schema.queried(input) : key[schema.partition])
    const least = direction === 'Write' || input['ConsistentRead'] === true ? 1 : 0.5
    if (partitions?.admit(lane, direction, least, nowMs()) === false)
      return throttle(String(input['TableName']), direction)
    const send = () => this.#toEngine(operation, input, signature)
    const { answer, units } =
      direction === 'Write'
        ? await this.#turns.take(schema.textOf(key), () => this.#explained(send, key, input, signature))
        : await send()
    partitions?.charge(lane, direction, units - least, nowMs())
    if (operation !== 'Query' || !this.#parts.isPageEmpty()) return answer
    const ask = async (asked: Input) => (await this.#toEngine(operation, asked, signature)).answer
    return (await emptyPageBefore(answer, input, schema, ask)) ?? answer
  }

  /** A failed condition says which item it met, to those who ask; the next write of this key waits for that. */
  async #explained(send: () => Promise<Measured>, key: Key, input: Input, signature: Signature): Promise<Measured> {
    const { sendsItem, engine } = this.#parts
    const { ReturnValuesOnConditionCheckFailure: asked, TableName } = input
    const measured = await send()
    if (!sendsItem || asked !== 'ALL_OLD' || !isConditionFailure(measured.answer)) return measured
    const found = await engine.send('GetItem', { TableName, Key: key, ConsistentRead: true }, signature)
    return { ...measured, answer: withItem(measured.answer, found.body['Item']) }
  }

  async #batchGet(input: Input, signature: Signature): Promise<Answer> {
    const asked = Object.entries(input['RequestItems'] as Record<string, { readonly Keys: readonly Key[] }>)
    const shares = await Promise.all(
      asked.map(async ([table, part]) => {
        const { kept, dropped } = await this.#sifted(table, part.Keys, (key) => key, 'Read', signature)
        return {
          table,
          kept: { ...part, Keys: kept },
          dropped: { ...part, Keys: dropped },
          count: [kept.length, dropped.length],
        }
      }),
    )
    return this.#batch('BatchGetItem', 'UnprocessedKeys', 'Read', shares, input, signature)
  }

  async #batchWrite(input: Input, signature: Signature): Promise<Answer> {
    const asked = Object.entries(input['RequestItems'] as Record<string, readonly WriteRequest[]>)
    const itemOf = ({ PutRequest, DeleteRequest }: WriteRequest) => PutRequest?.Item ?? DeleteRequest?.Key ?? {}
    const shares = await Promise.all(
      asked.map(async ([table, requests]) => {
        const { kept, dropped } = await this.#sifted(table, requests, itemOf, 'Write', signature)
        return { table, kept, dropped, count: [kept.length, dropped.length] }
      }),
    )
    return this.#batch('BatchWriteItem', 'UnprocessedItems', 'Write', shares, input, signature)
  }

  /** Which parts of a batch have capacity. */
  async #sifted<T>(
    table: string,
    parts: readonly T[],
    itemOf: (part: T) => Key,
    direction: Direction,
    signature: Signature,
  ): Promise<{ readonly kept: readonly T[]; readonly dropped: readonly T[] }> {
    const { partitions, nowMs, isLeftOut } = this.#parts
    const schema = await this.#schemas.of(table, signature)
    const refused = parts.map((part) => {
      const lane = schema?.laneOf(itemOf(part)[schema.partition]) ?? table
      return partitions?.admit(lane, direction, 1, nowMs()) === false || isLeftOut()
    })
    return { kept: parts.filter((_, i) => !refused[i]), dropped: parts.filter((_, i) => refused[i]) }
  }

  /** Only a batch of which nothing could be served is refused as a whole: API_BatchGetItem.html, API_BatchWriteItem.html. */
  async #batch(
    operation: string,
    leftName: string,
    direction: Direction,
    shares: readonly Share[],
    input: Input,
    signature: Signature,
  ): Promise<Answer> {
    const { throttle, onThrottled } = this.#parts
    const [kept, dropped] = [shares.filter(({ count }) => count[0]), shares.filter(({ count }) => count[1])]
    const leftCount = dropped.reduce((sum, { count }) => sum + (count[1] ?? 0), 0)
    if (leftCount > 0) onThrottled(leftCount)
    if (kept.length === 0 && leftCount > 0) return throttle(shares.map(({ table }) => table).join(','), direction)
    const served = Object.fromEntries(kept.map((share) => [share.table, share.kept]))
    const { answer } = await this.#toEngine(operation, { ...input, RequestItems: served }, signature)
    if (leftCount === 0 || answer.status !== 200) return answer
    const left = Object.fromEntries(dropped.map((share) => [share.table, share.dropped]))
    const unprocessed = (answer.body[leftName] ?? {}) as Record<string, object>
    return { ...answer, body: { ...answer.body, [leftName]: { ...unprocessed, ...left } } }
  }

  async #toEngine(operation: string, input: Input, signature: Signature): Promise<Measured> {
    const answer = await this.#parts.engine.send(operation, { ReturnConsumedCapacity: 'TOTAL', ...input }, signature)
    const consumed = answer.body['ConsumedCapacity'] as { readonly CapacityUnits?: number } | undefined
    return { answer, units: consumed?.CapacityUnits ?? 0 }
  }
}

interface WriteRequest {
  readonly PutRequest?: { readonly Item: Key }
  readonly DeleteRequest?: { readonly Key: Key }
}

/** What of a batch is done in one table, and what is not; `count` is of both. */
interface Share {
  readonly table: string
  readonly kept: object
  readonly dropped: object
  readonly count: readonly number[]
}

interface Measured {
  readonly answer: Answer
  readonly units: number
}

import { isConditionFailure, withItem, type Answer } from './answers.js'
import type { EngineClient, Signature } from './engine-client.js'
import type { Direction, Partitions } from './partitions.js'
import { Turns } from './turns.js'

/** What operations need of the gateway. */
export interface OperationParts {
  readonly engine: EngineClient
  readonly partitions: Partitions | undefined
  readonly sendsItem: boolean
  readonly nowMs: () => number
  readonly isLeftOut: () => boolean
  readonly throttle: (table: string, direction: Direction) => Answer
  readonly onThrottled: (count: number) => void
}

type Input = Readonly<Record<string, unknown>>
interface BatchPart {
  readonly Keys: readonly object[]
}

const directions: Readonly<Record<string, Direction>> = { GetItem: 'Read', UpdateItem: 'Write', DeleteItem: 'Write' }

/** Operations as the service carries them out, on an engine that has no limits. Those that are not named here are passed on. */
export class Operations {
  readonly #parts: OperationParts
  readonly #turns = new Turns()

  constructor(parts: OperationParts) {
    this.#parts = parts
  }

  /** Carries out one operation. Rejects when the engine cannot be reached. */
  run(operation: string, input: Input, signature: Signature): Promise<Answer> {
    const direction = directions[operation]
    if (operation === 'BatchGetItem') return this.#batch(input, signature)
    if (direction === undefined) return this.#parts.engine.send(operation, input, signature)
    return this.#single(operation, direction, input, signature)
  }

  async #single(operation: string, direction: Direction, input: Input, signature: Signature): Promise<Answer> {
    const { partitions, nowMs, throttle } = this.#parts
    const table = String(input['TableName'])
    const key = keyText(table, input['Key'] as object)
    const least = direction === 'Write' || input['ConsistentRead'] === true ? 1 : 0.5
    if (partitions?.admit(key, direction, least, nowMs()) === false) return throttle(table, direction)
    const send = () => this.#toEngine(operation, input, signature)
    const { answer, units } =
      direction === 'Read' ? await send() : await this.#turns.take(key, () => this.#explained(send, input, signature))
    partitions?.charge(key, direction, units - least, nowMs())
    return answer
  }

  /** A failed condition says which item it met, to those who ask; the next write of this key waits for that. */
  async #explained(send: () => Promise<Measured>, input: Input, signature: Signature): Promise<Measured> {
    const { sendsItem, engine } = this.#parts
    const { ReturnValuesOnConditionCheckFailure: asked, ...passedOn } = input
    const measured = await send()
    if (!sendsItem || asked !== 'ALL_OLD' || !isConditionFailure(measured.answer)) return measured
    const { TableName, Key } = passedOn
    const found = await engine.send('GetItem', { TableName, Key, ConsistentRead: true }, signature)
    return { ...measured, answer: withItem(measured.answer, found.body['Item']) }
  }

  async #batch(input: Input, signature: Signature): Promise<Answer> {
    const { partitions, nowMs, isLeftOut, throttle, onThrottled } = this.#parts
    const asked = Object.entries(input['RequestItems'] as Record<string, BatchPart>)
    const served: Record<string, object> = {}
    const left: Record<string, object> = {}
    let [servedCount, leftCount] = [0, 0]
    for (const [table, part] of asked) {
      const refused = part.Keys.map(
        (key) => partitions?.admit(keyText(table, key), 'Read', 1, nowMs()) === false || isLeftOut(),
      )
      const [kept, dropped] = [part.Keys.filter((_, i) => !refused[i]), part.Keys.filter((_, i) => refused[i])]
      if (kept.length > 0) served[table] = { ...part, Keys: kept }
      if (dropped.length > 0) left[table] = { ...part, Keys: dropped }
      servedCount += kept.length
      leftCount += dropped.length
    }
    if (leftCount > 0) onThrottled(leftCount)
    // Only a batch of which nothing could be served is refused as a whole: API_BatchGetItem.html.
    if (servedCount === 0) return throttle(asked.map(([table]) => table).join(','), 'Read')
    const { answer } = await this.#toEngine('BatchGetItem', { ...input, RequestItems: served }, signature)
    if (leftCount === 0 || answer.status !== 200) return answer
    const unprocessed = (answer.body['UnprocessedKeys'] ?? {}) as Record<string, object>
    return { ...answer, body: { ...answer.body, UnprocessedKeys: { ...unprocessed, ...left } } }
  }

  async #toEngine(operation: string, input: Input, signature: Signature): Promise<Measured> {
    const answer = await this.#parts.engine.send(operation, { ReturnConsumedCapacity: 'TOTAL', ...input }, signature)
    const consumed = answer.body['ConsumedCapacity'] as { readonly CapacityUnits?: number } | undefined
    return { answer, units: consumed?.CapacityUnits ?? 0 }
  }
}

interface Measured {
  readonly answer: Answer
  readonly units: number
}

/** A key as text. Items that share a partition key but not a sort key may lie apart, as in a table that has been split. */
function keyText(table: string, key: object): string {
  return `${table} ${JSON.stringify(Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
}

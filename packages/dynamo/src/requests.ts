import type { BackendError, Call, ThrottleDetail } from '@spillway/core'

import type { DynamoPort } from './client-port.js'
import { Copies } from './copies.js'
import { translated, type Effect } from './error-table.js'
import { Sockets } from './sockets.js'
import type { Item } from './table.js'

/** Attempts that the store throttled and the SDK repeated by itself; undefined where there were none, or the client does not show them. */
export type HiddenThrottles = readonly ThrottleDetail[] | undefined

/** An answer. */
export interface Answered<Output> {
  readonly status: 'answered'
  readonly output: Output
  readonly throttles: HiddenThrottles
}

/** An answer, or the news that the request's condition did not hold. */
export type Outcome<Output> =
  | Answered<Output>
  | {
      readonly status: 'conditionFailed'
      /** The item that was found; undefined when the service did not say. */
      readonly item: Item | undefined
      /** Whether an earlier copy of this very request may have made the condition fail. */
      readonly hasLostCopies: boolean
      readonly throttles: HiddenThrottles
    }

/** Sends requests and translates their failures. */
export class Requests {
  readonly #client: DynamoPort
  readonly #sockets: Sockets

  constructor(client: DynamoPort, table: string) {
    this.#client = client
    this.#sockets = new Sockets(client, table)
  }

  /** Sends one request. Rejects with `BackendError`. */
  async send<Output>(command: object, effect: Effect, call: Call): Promise<Outcome<Output>> {
    const copies = new Copies(command)
    try {
      return await this.#answer<Output>(command, copies, call)
    } catch (error) {
      const { name, Item: item } = (error ?? {}) as { name?: unknown; Item?: Item }
      if (name !== 'ConditionalCheckFailedException') throw failure(error, effect, copies)
      return {
        status: 'conditionFailed',
        item,
        hasLostCopies: copies.hasLost(error),
        throttles: copies.throttles,
      }
    }
  }

  /** Sends one request that has no condition. Rejects with `BackendError`. */
  async sendPlain<Output>(command: object, effect: Effect, call: Call): Promise<Answered<Output>> {
    const copies = new Copies(command)
    try {
      return await this.#answer<Output>(command, copies, call)
    } catch (error) {
      throw failure(error, effect, copies)
    }
  }

  #answer<Output>(command: object, copies: Copies, call: Call): Promise<Answered<Output>> {
    return this.#client.send(command, { abortSignal: call.signal }).then(
      (output) => {
        this.#sockets.look()
        return { status: 'answered', output: output as Output, throttles: copies.throttles }
      },
      (error: unknown) => {
        this.#sockets.look()
        throw error
      },
    )
  }
}

function failure(error: unknown, effect: Effect, copies: Copies): BackendError {
  return translated(error, effect, copies.hasLost(error), copies.throttles)
}

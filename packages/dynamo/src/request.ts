import type { Call } from '@spillway/core'

import type { DynamoPort } from './client-port.js'
import { attemptsOf, isUncertain, translated, type Effect } from './error-table.js'
import type { Item } from './table.js'

/** An answer, or the news that the request's condition did not hold. */
export type Outcome<Output> =
  | { readonly status: 'answered'; readonly output: Output }
  | {
      readonly status: 'conditionFailed'
      /** The item that was found; undefined when the service did not say. */
      readonly item: Item | undefined
      /** Whether an earlier copy of this very request may have made the condition fail. */
      readonly hasLostCopies: boolean
    }

/** Sends a request and translates its failure. Rejects with `BackendError`. */
export async function send<Output>(
  client: DynamoPort,
  command: object,
  effect: Effect,
  call: Call | undefined,
): Promise<Outcome<Output>> {
  const copies = watched(command)
  try {
    const output = (await client.send(command, call === undefined ? {} : { abortSignal: call.signal })) as Output
    return { status: 'answered', output }
  } catch (error) {
    const attempts = attemptsOf(error)
    const hasLostCopies = copies.seen >= attempts ? copies.lostBeforeLast : attempts > 1
    const { name, Item: item } = (error ?? {}) as { name?: unknown; Item?: Item }
    if (name === 'ConditionalCheckFailedException') return { status: 'conditionFailed', item, hasLostCopies }
    throw translated(error, effect, hasLostCopies)
  }
}

/** Sends a request that has no condition. Rejects with `BackendError`. */
export async function sendPlain<Output>(
  client: DynamoPort,
  command: object,
  effect: Effect,
  call: Call | undefined,
): Promise<Output> {
  const outcome = await send<Output>(client, command, effect, call)
  if (outcome.status === 'answered') return outcome.output
  throw translated(new Error('a condition failed that was never made'), effect, outcome.hasLostCopies)
}

/** The copies of a request that the SDK's retries have sent. */
interface Copies {
  seen: number
  /** Whether the answer of any but the last was lost. */
  lostBeforeLast: boolean
}

type Handler = (args: unknown) => Promise<unknown>

interface Stackable {
  readonly middlewareStack?: {
    add?(middleware: (next: Handler) => Handler, options: { step: 'finalizeRequest'; priority: 'low' }): void
  }
}

/**
 * Looks at each copy that the SDK's retry loop sends, so that «throttled three times» can be told from «lost, then throttled».
 * A client without the SDK's middleware shows no copies; then its own count decides.
 */
function watched(command: object): Copies {
  const copies: Copies = { seen: 0, lostBeforeLast: false }
  let isLastLost = false
  const watch = (next: Handler): Handler => {
    return async (args) => {
      copies.seen += 1
      if (isLastLost) copies.lostBeforeLast = true
      isLastLost = true
      try {
        const answer = await next(args)
        isLastLost = false
        return answer
      } catch (error) {
        isLastLost = isUncertain(error)
        throw error
      }
    }
  }
  ;(command as Stackable).middlewareStack?.add?.(watch, { step: 'finalizeRequest', priority: 'low' })
  return copies
}

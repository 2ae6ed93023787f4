// Problem: the SDK sends a request again by itself, whatever it does, and tells of its last failure only.
// Scheme: a middleware on the command's own stack, inside the SDK's retry loop, sees each copy go and what became of it.
// Invariants: a write is called refused only where no earlier copy can be in; «throttled three times» is told from «lost,
//   then throttled».
// Cost: one function call a copy.
// Source: smithy-typescript packages/core/src/submodules/retry; it has no check for idempotency.

import type { ThrottleDetail } from '@spillway/core'

import { attemptsOf, isUncertain, throttleIn } from './error-table.js'

type Handler = (args: unknown) => Promise<unknown>

interface Stackable {
  readonly middlewareStack?: {
    add?(middleware: (next: Handler) => Handler, options: { step: 'finalizeRequest'; priority: 'low' }): void
  }
}

/** The copies of one request that the SDK has sent. A client without the SDK's middleware shows none: then its own count decides. */
export class Copies {
  #seen = 0
  #isLastLost = false
  #isAnyLost = false
  #throttles: ThrottleDetail[] | undefined

  /** Watches a command, which must not have been sent yet. */
  constructor(command: object) {
    const stack = (command as Stackable).middlewareStack
    stack?.add?.((next) => (args) => this.#pass(next, args), { step: 'finalizeRequest', priority: 'low' })
  }

  /** What the store said of each copy that it throttled, in order; undefined where there was none, or none was seen. */
  get throttles(): readonly ThrottleDetail[] | undefined {
    return this.#throttles
  }

  /** Whether the answer of any copy but the last, which failed with `error`, may have been lost. */
  hasLost(error: unknown): boolean {
    const attempts = attemptsOf(error)
    return this.#seen >= attempts ? this.#isAnyLost : attempts > 1
  }

  #pass(next: Handler, args: unknown): Promise<unknown> {
    this.#seen += 1
    if (this.#isLastLost) this.#isAnyLost = true
    this.#isLastLost = true
    return next(args).then(this.#answered, this.#failed)
  }

  readonly #answered = (answer: unknown): unknown => {
    this.#isLastLost = false
    return answer
  }

  readonly #failed = (error: unknown): never => {
    this.#isLastLost = isUncertain(error)
    const throttle = throttleIn(error)
    if (throttle !== undefined) (this.#throttles ??= []).push(throttle)
    throw error
  }
}
